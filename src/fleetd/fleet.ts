/**
 * The transactions by which hosts join a fleet, hold names and give them back, each all or nothing and harmless if it is asked again. A hold
 * says "this host may run processes as this user at any time, without asking": so it is put before the host writes its record, and taken
 * back after the host has removed that.
 */
import type { Binding, Host, JoinReply, NameReply, SharedDirectory } from '../api/generated/io-dynuser-fleet.ts';
import { FleetError } from './errors.ts';
import {
  asListed,
  bindingPuts,
  endHolds,
  holdKeys,
  holdPuts,
  holdsNot,
  holdsOf,
  NAMES_PER_TRANSACTION,
} from './holds.ts';
import { type At, type Expiry, type KeyStore, type Listing, StoreUnavailable } from './key-store.ts';
import {
  BY_HOST,
  byHostKey,
  CONFIRMED,
  conflictsOfHost,
  coolingOf,
  DIRECTORIES,
  DIRECTORIES_OF,
  directoriesOfName,
  directoryDigest,
  fencedFrom,
  fenceNoticeKey,
  HOLDS,
  HOST_NAMES,
  heldByHost,
  holdKey,
  holdsOfName,
  hostNameKey,
  INCARNATIONS,
  incarnationKey,
  isFenced,
  lastPart,
  META,
  NAMES,
  nameKey,
  PRESENT,
  PUT_AGAIN,
  presentKey,
  putAgainKey,
  SUSPENDED,
  textField,
  UIDS,
  uidIn,
  uidKey,
  uidOf,
} from './keys.ts';
import { Restoring } from './restoring.ts';
import {
  checkFound,
  isIncomplete,
  type Member,
  own,
  SeenStore,
  TRIES_MAX,
  tokenOf,
  type Values,
  whole,
} from './seen-store.ts';

/** How long a UID that a name has given back is kept from other names. */
const COOL_DOWN_SEC = 7 * 24 * 3_600;
/** How long a host counts as alive after it was last heard of. */
export const PRESENCE_SEC = 60;
const SCHEMA = 1;
export interface JoinRequest {
  readonly host: string;
  /** for people, as is the version */
  readonly hostName: string;
  readonly version: string;
  readonly ranges: string;
  /** what the host has on its disk */
  readonly recorded: string | undefined;
  /** what it is from now on, if it joins anew */
  readonly next: string;
  /** the host is to be that in any case: a clone that has run since before this boot is shut out */
  readonly renew: boolean;
  /** the store as the host last saw it */
  readonly seen: At | undefined;
}

/** What is known of names without asking; it may be old, and a transaction says so. */
export interface KnownNames {
  uidOf(name: string): number | undefined;
  nameOf(uid: number): string | undefined;
}

export class Fleet {
  /** after the store went back to a backup */
  readonly restoring: Restoring;
  readonly #keys: KeyStore;
  readonly #store: SeenStore;
  readonly #known: KnownNames;

  constructor(keys: KeyStore, known: KnownNames) {
    this.#keys = keys;
    this.#store = new SeenStore(keys);
    this.restoring = new Restoring(this.#store);
    this.#known = known;
  }

  /** @throws FleetError FleetExists, StoreUnavailable */
  async create(ranges: string): Promise<void> {
    const { cluster } = await this.#store.read({ keys: [CONFIRMED] });
    const { done } = await this.#store.transact({
      when: [{ key: META, is: undefined }],
      puts: [
        { key: META, value: JSON.stringify({ schema: SCHEMA, ranges }) },
        { key: CONFIRMED, value: cluster },
      ],
    });
    const former = done ? ranges : rangesIn((await this.#store.read({ keys: [META] })).values);
    if (former !== ranges) {
      throw new FleetError('FleetExists', { ranges: former });
    }
  }

  /** @returns the ranges, and whether all bindings are known to be there. @throws FleetError NoFleet, StoreUnavailable */
  async status(): Promise<At & { readonly ranges: string; readonly isRestoring: boolean }> {
    const { values, cluster, revision } = await this.#store.read({ keys: [META, CONFIRMED, SUSPENDED] });
    return { ranges: rangesIn(values), isRestoring: isIncomplete(values, cluster), cluster, revision };
  }

  /**
   * A host begins to take part, or continues. Unless the state is "member", its records are worth nothing until holdAgain() or restore()
   * has confirmed each.
   * @throws FleetError NoFleet, RangesDiffer, HostAlive, StoreUnavailable
   */
  async join(request: JoinRequest, presence: Expiry): Promise<JoinReply> {
    const { host, recorded, next } = request;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { values, cluster, revision } = await this.#store.read({
        keys: [META, CONFIRMED, SUSPENDED, incarnationKey(host), presentKey(host)],
      });
      const position = { cluster, revision };
      const ranges = rangesIn(values);
      if (ranges !== request.ranges) {
        throw new FleetError('RangesDiffer', { ranges });
      }
      const wentBack = await this.#store.suspendIfBehind(position, request.seen);
      const restoring = wentBack || isIncomplete(values, cluster);
      const current = values.get(incarnationKey(host));
      const alive = values.get(presentKey(host));
      if (current !== undefined && isFenced(current) && current !== recorded) {
        return { state: 'fenced', incarnation: current, position, restoring };
      }
      const isKnown = current === recorded || current === next;
      if (current !== undefined && !isKnown && alive !== undefined) {
        throw new FleetError('HostAlive', { hostName: textField(alive, 'name') ?? '' });
      }
      const state = current === undefined ? 'joined' : isKnown ? 'member' : 'replaced';
      const isKept = state === 'member' && !request.renew && current !== undefined && !isFenced(current);
      const incarnation = isKept ? current : next;
      const { done } = await this.#store.transact({
        when: [{ key: incarnationKey(host), is: current }],
        puts: [
          ...(incarnation === current ? [] : [{ key: incarnationKey(host), value: incarnation }]),
          { key: presentKey(host), value: presenceText(request), expiry: presence },
          // It stays known when the host is away.
          { key: hostNameKey(host), value: request.hostName },
        ],
      });
      if (done) {
        return { state, incarnation, position, restoring };
      }
    }
    throw new FleetError('HostAlive', { hostName: 'another one that joins at the same time' });
  }

  /**
   * Says that a host is alive, after its presence has run out.
   * @returns false if it is no longer a member
   * @throws StoreUnavailable
   */
  async appear(
    { host, incarnation }: Member,
    who: Pick<JoinRequest, 'hostName' | 'version'>,
    presence: Expiry,
  ): Promise<boolean> {
    const { done } = await this.#store.transact({
      when: [{ key: incarnationKey(host), is: incarnation }],
      puts: [{ key: presentKey(host), value: presenceText(who), expiry: presence }],
    });
    return done;
  }

  /** A host stops in order: the next one with its id need not wait until it counts as away. @throws StoreUnavailable */
  async disappear({ host, incarnation }: Member): Promise<void> {
    await this.#store.transact({
      when: [{ key: incarnationKey(host), is: incarnation }],
      deletes: [presentKey(host)],
    });
  }

  /**
   * The UID of a name, bound to the first candidate that is free if it has none.
   * @throws FleetError NotMember, NameBound, NoneFree, Restoring, StoreUnavailable
   */
  async hold(
    member: Member,
    name: string,
    candidates: readonly number[],
  ): Promise<{ readonly uid: number; readonly isFresh: boolean }> {
    const isTaken = (uid: number) => ![undefined, name].includes(this.#known.nameOf(uid));
    // What is known may be old: those that seem to be taken are tried last.
    const left = [...candidates.filter(uid => !isTaken(uid)), ...candidates.filter(isTaken)];
    let bound = this.#known.uidOf(name);
    if (bound !== undefined && !candidates.includes(bound)) {
      bound = await this.#boundUid(name);
    }
    let cooling: string | undefined;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if (bound !== undefined && !candidates.includes(bound)) {
        throw new FleetError('NameBound', { uid: bound });
      }
      const uid: number | undefined = bound ?? left[0];
      if (uid === undefined) {
        throw new FleetError('NoneFree', {});
      }
      const cluster = await this.#store.cluster();
      const { done, found } = await this.#store.transactAs(member, cluster, {
        when: [
          ...whole(cluster),
          { key: nameKey(name), is: bound === undefined ? undefined : String(bound) },
          ...(bound === undefined ? [{ key: uidKey(uid), is: cooling }] : []),
        ],
        puts: [...(bound === undefined ? bindingPuts(name, uid) : []), ...holdPuts(member, name, uid)],
        otherwise: [CONFIRMED, SUSPENDED, nameKey(name), uidKey(uid)],
      });
      if (done) {
        return { uid, isFresh: bound === undefined };
      }
      const stored = found.get(nameKey(name));
      const holder = found.get(uidKey(uid));
      bound = stored === undefined ? undefined : uidIn(stored, nameKey(name));
      if (holder === coolingOf(name)) {
        cooling = holder;
      } else {
        cooling = undefined;
        if (holder !== undefined && bound === undefined) {
          left.splice(0, left.indexOf(uid) + 1);
        }
      }
    }
    throw new FleetError('NoneFree', {});
  }

  /**
   * Holds a name as a record has it, if the name is still bound so.
   * @param member may have the fence as its incarnation
   * @throws FleetError NotMember, Restoring, StoreUnavailable
   */
  async holdAgain(member: Member, { name, uid }: Binding): Promise<boolean> {
    const cluster = await this.#store.cluster();
    const { done } = await this.#store.transactAs(member, cluster, {
      when: [...whole(cluster), { key: nameKey(name), is: String(uid) }],
      puts: holdPuts(member, name, uid),
      otherwise: [CONFIRMED, SUSPENDED],
    });
    return done;
  }

  /**
   * The host has no record of the name any more.
   * @param seen the store as the host saw it when it began to forget. The hold that was there then is ended, and no later one: this may be
   * done long after the host has given up waiting for it, and has held the name anew
   * @throws FleetError NotMember, Restoring, StoreUnavailable
   */
  async forget(member: Member, name: string, seen: At): Promise<void> {
    const hold = holdKey(name, member.host);
    const { done } = await this.#store.transactAs(member, seen.cluster, {
      when: [{ key: hold, putBy: seen.revision }],
      deletes: [hold, byHostKey(member.host, name), conflictsOfHost(member.host) + name],
    });
    if (!done) {
      throw new StoreUnavailable(`${name} was held again meanwhile; try again`);
    }
  }

  /** @returns what a host holds, though it may have no record of it. @throws StoreUnavailable */
  holdsOf(host: string): Promise<readonly Binding[]> {
    return holdsOf(this.#store, host);
  }

  /** A shared directory is one name's, on every host. @throws FleetError DirectoryOfAnother, NotMember, Restoring, StoreUnavailable */
  async takeDirectory(member: Member, { storage, path }: SharedDirectory, name: string): Promise<void> {
    const digest = directoryDigest(storage, path);
    const value = JSON.stringify({ storage, path, name });
    const cluster = await this.#store.cluster();
    const outcome = await this.#store.transact({
      when: [
        { cluster },
        own(member),
        ...whole(cluster),
        { key: DIRECTORIES + digest, is: undefined },
        { exists: holdKey(name, member.host) },
      ],
      puts: [
        { key: DIRECTORIES + digest, value },
        { key: directoriesOfName(name) + digest, value },
      ],
      otherwise: [CONFIRMED, SUSPENDED, incarnationKey(member.host), DIRECTORIES + digest],
    });
    const taken = outcome.found.get(DIRECTORIES + digest);
    if (outcome.done || taken === value) {
      return;
    }
    checkFound(outcome, member, cluster);
    if (taken !== undefined) {
      throw new FleetError('DirectoryOfAnother', { name: textField(taken, 'name') ?? '' });
    }
    throw new FleetError('InvalidParameter', {
      field: 'name',
      reason: `this host does not hold ${name}; hold it first`,
    });
  }

  /** A shared directory belongs to no name any more. @throws StoreUnavailable */
  async freeDirectory({ storage, path }: SharedDirectory): Promise<void> {
    const digest = directoryDigest(storage, path);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { values } = await this.#store.read({ keys: [DIRECTORIES + digest] });
      const value = values.get(DIRECTORIES + digest);
      if (value === undefined) {
        return;
      }
      const name = textField(value, 'name') ?? '';
      const { done } = await this.#store.transact({
        when: [{ key: DIRECTORIES + digest, is: value }],
        deletes: [DIRECTORIES + digest, directoriesOfName(name) + digest],
      });
      if (done) {
        return;
      }
    }
    throw new StoreUnavailable(`${path} of ${storage} was taken again meanwhile; try again`);
  }

  /** @throws StoreUnavailable */
  async hosts(): Promise<Host[]> {
    const { entries, values, cluster } = await this.#store.read({
      keys: [CONFIRMED, SUSPENDED],
      below: [INCARNATIONS, PRESENT, HOST_NAMES, BY_HOST, PUT_AGAIN],
    });
    const holds = new Map<string, number>();
    for (const { key } of entries.filter(({ key }) => key.startsWith(BY_HOST))) {
      const host = key.slice(BY_HOST.length, key.lastIndexOf('/'));
      holds.set(host, (holds.get(host) ?? 0) + 1);
    }
    const token = isIncomplete(values, cluster) ? tokenOf(values, cluster) : undefined;
    return entries
      .filter(({ key }) => key.startsWith(INCARNATIONS))
      .map(({ key, value }) => {
        const host = lastPart(key);
        const present = values.get(presentKey(host));
        // A member that joined with a version before this one has left its name with its presence alone.
        const hostName = values.get(hostNameKey(host)) ?? textField(present ?? '', 'name');
        const version = textField(present ?? '', 'version');
        return {
          ...{ host, incarnation: value, alive: present !== undefined, fenced: isFenced(value) },
          holds: holds.get(host) ?? 0,
          ...(hostName === undefined ? {} : { hostName }),
          ...(version === undefined ? {} : { version }),
          ...(token === undefined ? {} : { restored: values.get(putAgainKey(host)) === token }),
        };
      });
  }

  /** @throws StoreUnavailable */
  async name(name: string): Promise<NameReply> {
    const { entries, values } = await this.#store.read({
      keys: [nameKey(name)],
      below: [UIDS, holdsOfName(name), directoriesOfName(name)],
    });
    const bound = values.get(nameKey(name));
    const cooling = entries.find(({ key, value }) => key.startsWith(UIDS) && value === coolingOf(name))?.key;
    const uid = bound === undefined ? uidOf(lastPart(cooling ?? '')) : uidIn(bound, nameKey(name));
    return {
      state: bound !== undefined ? 'bound' : cooling !== undefined ? 'cooling' : 'free',
      ...(uid === undefined ? {} : { uid }),
      hosts: entries.filter(({ key }) => key.startsWith(HOLDS)).map(({ key }) => lastPart(key)),
      directories: entries
        .filter(({ key }) => key.startsWith(DIRECTORIES_OF))
        .map(({ value }) => ({ storage: textField(value, 'storage') ?? '', path: textField(value, 'path') ?? '' })),
    };
  }

  /** @returns every UID that is bound or cools down, as the store has it now. @throws StoreUnavailable */
  async uids(): Promise<Listing> {
    return this.#store.read({ below: [UIDS] });
  }

  /**
   * Frees the names that no host holds and that have no shared directory: files there are still their UID's.
   * @param only the one name that is looked at
   * @returns those that were freed, as they are
   * @throws StoreUnavailable
   */
  async *collect(only?: string): AsyncGenerator<Binding, void, undefined> {
    const { entries } = await this.#store.read(
      only === undefined
        ? { below: [NAMES, HOLDS, DIRECTORIES_OF] }
        : { keys: [nameKey(only)], below: [holdsOfName(only), directoriesOfName(only)] },
    );
    const needed = new Set(entries.filter(({ key }) => !key.startsWith(NAMES)).map(({ key }) => key.split('/')[1]));
    let expiry: Expiry | undefined;
    for (const { key, value } of entries.filter(({ key }) => key.startsWith(NAMES) && !needed.has(lastPart(key)))) {
      const name = lastPart(key);
      const uid = uidIn(value, key);
      expiry ??= await this.#keys.expiry(COOL_DOWN_SEC);
      const { done } = await this.#store.transact({
        when: [{ key, is: value }, { nothingBelow: holdsOfName(name) }, { nothingBelow: directoriesOfName(name) }],
        puts: [{ key: uidKey(uid), value: coolingOf(name), expiry }],
        deletes: [key],
      });
      if (done) {
        yield { name, uid };
      }
    }
  }

  /**
   * Takes all holds of a host away. Its processes must have ended: an operator says so, and nothing here can know it. The host's own
   * transactions are refused from the first step on, so that what is interrupted can be done again.
   * @param evenAlive it may have been heard of lately
   * @returns the names that it held
   * @throws FleetError NoSuchHost, HostAlive, StoreUnavailable
   */
  async forgetHost(host: string, evenAlive = false): Promise<readonly string[]> {
    if (this.#keys.hostIsOff !== undefined) {
      await this.#checkAway(host, evenAlive);
      await this.#keys.hostIsOff(host);
    }
    const fence = await this.#fence(host, evenAlive);
    const forgotten: string[] = [];
    for (;;) {
      // What is held by the fence, the host holds again since it has returned.
      const { names, revision } = await holdsNot(this.#store, host, fence);
      if (names.length === 0) {
        await this.restoring.vouchFor(host, fence);
        return forgotten;
      }
      const batch = names.slice(0, NAMES_PER_TRANSACTION);
      const { done, found } = await this.#store.transact({
        when: [{ key: incarnationKey(host), is: fence }, ...asListed(host, batch, revision)],
        deletes: holdKeys(host, batch),
        otherwise: [incarnationKey(host)],
      });
      if (done) {
        forgotten.push(...batch);
      } else if (found.get(incarnationKey(host)) !== fence) {
        return forgotten;
      }
    }
  }

  /** Before its lock is taken away. A store that does not answer may be waiting for just that. @throws FleetError HostAlive */
  async #checkAway(host: string, evenAlive: boolean): Promise<void> {
    try {
      const { values } = await this.#store.read({ keys: [presentKey(host)] });
      const present = values.get(presentKey(host));
      if (present !== undefined && !evenAlive) {
        throw new FleetError('HostAlive', { hostName: textField(present, 'name') ?? '' });
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) {
        throw error;
      }
    }
  }

  async #fence(host: string, evenAlive: boolean): Promise<string> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { values } = await this.#store.read({ keys: [incarnationKey(host), presentKey(host)] });
      const current = values.get(incarnationKey(host));
      const present = values.get(presentKey(host));
      if (current === undefined) {
        throw new FleetError('NoSuchHost', { host });
      }
      if (isFenced(current)) {
        return current;
      }
      if (present !== undefined && !evenAlive) {
        throw new FleetError('HostAlive', { hostName: textField(present, 'name') ?? '' });
      }
      const expiry = await this.#keys.expiry(PRESENCE_SEC);
      const { done } = await this.#store.transact({
        when: [{ key: incarnationKey(host), is: current }],
        puts: [
          { key: incarnationKey(host), value: fencedFrom(current) },
          { key: fenceNoticeKey(host), value: current, expiry },
        ],
        deletes: [presentKey(host)],
      });
      if (done) {
        return fencedFrom(current);
      }
    }
    throw new FleetError('HostAlive', { hostName: host });
  }

  /** A host that has no record any more is not a member afterwards. @throws FleetError NotMember, StoreUnavailable */
  async leave(member: Member): Promise<void> {
    const { host } = member;
    const { entries, revision } = await this.#store.read({ below: [heldByHost(host)] });
    const names = entries.map(({ key }) => lastPart(key));
    await endHolds(this.#store, member, { names, revision });
    const outcome = await this.#store.transact({
      when: [own(member), { nothingBelow: heldByHost(host) }],
      deletes: [incarnationKey(host), presentKey(host), hostNameKey(host), putAgainKey(host)],
      otherwise: [incarnationKey(host)],
    });
    if (outcome.found.has(incarnationKey(host))) {
      checkFound(outcome, member);
      throw new StoreUnavailable('this host has held a name meanwhile; try again');
    }
  }

  async #boundUid(name: string): Promise<number | undefined> {
    const bound = (await this.#store.read({ keys: [nameKey(name)] })).values.get(nameKey(name));
    return bound === undefined ? undefined : uidIn(bound, nameKey(name));
  }
}

/** @throws FleetError NoFleet */
function rangesIn(values: Values): string {
  const meta = values.get(META);
  const ranges = meta === undefined ? undefined : textField(meta, 'ranges');
  if (ranges === undefined) {
    throw new FleetError('NoFleet', {});
  }
  return ranges;
}

function presenceText({ hostName, version }: Pick<JoinRequest, 'hostName' | 'version'>): string {
  return JSON.stringify({ name: hostName, version });
}
