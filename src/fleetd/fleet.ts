/**
 * The transactions of a fleet, each all or nothing and harmless if it is asked again. A hold says "this host may run processes as this
 * user at any time, without asking": so it is put before the host writes its record, and taken back after the host has removed that.
 */
import { FleetError } from './errors.ts';
import {
  type At,
  type Condition,
  type Expiry,
  type KeyStore,
  type Listing,
  type Outcome,
  type Put,
  StoreUnavailable,
  type Transaction,
} from './key-store.ts';
import {
  BY_HOST,
  byHostKey,
  CONFIRMED,
  CONFLICTS,
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
  isCooling,
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
  SUSPENSION_NOTICE,
  UIDS,
  uidKey,
  uidOf,
} from './keys.ts';

/** How long a UID that a name has given back is kept from other names. */
const COOL_DOWN_SEC = 7 * 24 * 3_600;
/** How long a host counts as alive after it was last heard of. */
export const PRESENCE_SEC = 60;
/** Names in one transaction: etcd takes 128 operations (--max-txn-ops). */
const NAMES_PER_TRANSACTION = 32;
/** Transactions for one name: each that is refused has told what changed meanwhile. */
const TRIES_MAX = 512;
const SCHEMA = 1;
/** Hosts and conflicts that one error tells. */
const TOLD_MAX = 64;

/** A host, and the text by which its transactions are told from those of whoever had its id before. */
export interface Member {
  readonly host: string;
  readonly incarnation: string;
}

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
  /** it is that from now on in any case: a clone that runs since before this boot is shut out */
  readonly renew: boolean;
  /** the store as the host last saw it */
  readonly seen: At | undefined;
}

export interface Joined {
  readonly state: 'member' | 'joined' | 'replaced' | 'fenced';
  readonly incarnation: string;
  readonly at: At;
  /** not all bindings are known to be there: the host has to put its own again */
  readonly isRestoring: boolean;
}

export interface FleetHost {
  readonly host: string;
  readonly hostName: string | undefined;
  readonly version: string | undefined;
  readonly incarnation: string;
  readonly isAlive: boolean;
  readonly isFenced: boolean;
  readonly holds: number;
  /** undefined unless the store was restored */
  readonly hasPutAgain: boolean | undefined;
}

export type SharedDirectory = {
  readonly storage: string;
  readonly path: string;
};

export type Binding = {
  readonly name: string;
  readonly uid: number;
};

/** A record of a host that the store says otherwise of. */
export interface Conflict extends Binding {
  /** what the store has for the name, and whom for the UID */
  readonly boundUid: number | undefined;
  readonly boundName: string | undefined;
}

/** What is known of names without asking; it may be old, and a transaction says so. */
export interface KnownNames {
  uidOf(name: string): number | undefined;
  nameOf(uid: number): string | undefined;
}

/** What was read, by key. */
type Values = ReadonlyMap<string, string>;

export class Fleet {
  readonly #keys: KeyStore;
  readonly #known: KnownNames;
  /** the highest revision of a cluster that an answer had */
  #last: At | undefined;

  constructor(keys: KeyStore, known: KnownNames) {
    this.#keys = keys;
    this.#known = known;
  }

  /** @throws FleetError FleetExists, StoreUnavailable */
  async create(ranges: string): Promise<void> {
    const { cluster } = await this.#read({ keys: [CONFIRMED] });
    const { done } = await this.#transact({
      when: [{ key: META, is: undefined }],
      puts: [
        { key: META, value: JSON.stringify({ schema: SCHEMA, ranges }) },
        { key: CONFIRMED, value: cluster },
      ],
    });
    const former = done ? ranges : rangesIn((await this.#read({ keys: [META] })).values);
    if (former !== ranges) {
      throw new FleetError('FleetExists', { ranges: former });
    }
  }

  /** @returns the ranges, and whether all bindings are known to be there. @throws FleetError NoFleet, StoreUnavailable */
  async status(): Promise<At & { readonly ranges: string; readonly isRestoring: boolean }> {
    const { values, cluster, revision } = await this.#read({ keys: [META, CONFIRMED, SUSPENDED] });
    return { ranges: rangesIn(values), isRestoring: isIncomplete(values, cluster), cluster, revision };
  }

  /**
   * A host begins to take part, or continues. Unless the state is "member", its records are worth nothing until holdAgain() or restore()
   * has confirmed each.
   * @throws FleetError NoFleet, RangesDiffer, HostAlive, StoreUnavailable
   */
  async join(request: JoinRequest, presence: Expiry): Promise<Joined> {
    const { host, recorded, next } = request;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { values, cluster, revision } = await this.#read({
        keys: [META, CONFIRMED, SUSPENDED, incarnationKey(host), presentKey(host)],
      });
      const at = { cluster, revision };
      const ranges = rangesIn(values);
      if (ranges !== request.ranges) {
        throw new FleetError('RangesDiffer', { ranges });
      }
      const wentBack = await this.#suspendIfBehind(at, request.seen);
      const isRestoring = wentBack || isIncomplete(values, cluster);
      const current = values.get(incarnationKey(host));
      const alive = values.get(presentKey(host));
      if (current !== undefined && isFenced(current) && current !== recorded) {
        return { state: 'fenced', incarnation: current, at, isRestoring };
      }
      const isKnown = current === recorded || current === next;
      if (current !== undefined && !isKnown && alive !== undefined) {
        throw new FleetError('HostAlive', { hostName: textField(alive, 'name') ?? '' });
      }
      const state = current === undefined ? 'joined' : isKnown ? 'member' : 'replaced';
      const isKept = state === 'member' && !request.renew && current !== undefined && !isFenced(current);
      const incarnation = isKept ? current : next;
      const { done } = await this.#transact({
        when: [{ key: incarnationKey(host), is: current }],
        puts: [
          ...(incarnation === current ? [] : [{ key: incarnationKey(host), value: incarnation }]),
          { key: presentKey(host), value: presenceText(request), expiry: presence },
          // It stays known when the host is away.
          { key: hostNameKey(host), value: request.hostName },
        ],
      });
      if (done) {
        return { state, incarnation, at, isRestoring };
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
    const { done } = await this.#transact({
      when: [{ key: incarnationKey(host), is: incarnation }],
      puts: [{ key: presentKey(host), value: presenceText(who), expiry: presence }],
    });
    return done;
  }

  /** A host stops in order: whoever has its id next needs not wait until it counts as away. @throws StoreUnavailable */
  async disappear({ host, incarnation }: Member): Promise<void> {
    await this.#transact({
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
      const cluster = await this.#cluster();
      const { done, found } = await this.#transactAs(member, cluster, {
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
    const cluster = await this.#cluster();
    const { done } = await this.#transactAs(member, cluster, {
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
    const { done } = await this.#transactAs(member, seen.cluster, {
      when: [{ key: hold, putBy: seen.revision }],
      deletes: [hold, byHostKey(member.host, name), conflictsOfHost(member.host) + name],
    });
    if (!done) {
      throw new StoreUnavailable(`${name} was held again meanwhile; try again`);
    }
  }

  /** @returns what a host holds, though it may have no record of it. @throws StoreUnavailable */
  async holdsOf(host: string): Promise<readonly Binding[]> {
    const { entries } = await this.#read({ below: [heldByHost(host)] });
    return entries.map(({ key, value }) => ({ name: lastPart(key), uid: uidIn(value, key) }));
  }

  /** A shared directory is one name's, on every host. @throws FleetError DirectoryOfAnother, NotMember, Restoring, StoreUnavailable */
  async takeDirectory(member: Member, { storage, path }: SharedDirectory, name: string): Promise<void> {
    const digest = directoryDigest(storage, path);
    const value = JSON.stringify({ storage, path, name });
    const cluster = await this.#cluster();
    const outcome = await this.#transact({
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

  /** A shared directory is nobody's any more. @throws StoreUnavailable */
  async freeDirectory({ storage, path }: SharedDirectory): Promise<void> {
    const digest = directoryDigest(storage, path);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { values } = await this.#read({ keys: [DIRECTORIES + digest] });
      const value = values.get(DIRECTORIES + digest);
      if (value === undefined) {
        return;
      }
      const name = textField(value, 'name') ?? '';
      const { done } = await this.#transact({
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
  async hosts(): Promise<readonly FleetHost[]> {
    const { entries, values, cluster } = await this.#read({
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
        return {
          host,
          // A member that joined with a version before this one has left its name with its presence alone.
          hostName: values.get(hostNameKey(host)) ?? (present === undefined ? undefined : textField(present, 'name')),
          version: present === undefined ? undefined : textField(present, 'version'),
          incarnation: value,
          isAlive: present !== undefined,
          isFenced: isFenced(value),
          holds: holds.get(host) ?? 0,
          hasPutAgain: token === undefined ? undefined : values.get(putAgainKey(host)) === token,
        };
      });
  }

  /** @throws StoreUnavailable */
  async name(name: string): Promise<{
    readonly state: 'bound' | 'cooling' | 'free';
    readonly uid: number | undefined;
    readonly hosts: readonly string[];
    readonly directories: readonly SharedDirectory[];
  }> {
    const { entries, values } = await this.#read({
      keys: [nameKey(name)],
      below: [UIDS, holdsOfName(name), directoriesOfName(name)],
    });
    const bound = values.get(nameKey(name));
    const cooling = entries.find(({ key, value }) => key.startsWith(UIDS) && value === coolingOf(name))?.key;
    return {
      state: bound !== undefined ? 'bound' : cooling !== undefined ? 'cooling' : 'free',
      uid:
        bound !== undefined
          ? uidIn(bound, nameKey(name))
          : cooling === undefined
            ? undefined
            : uidOf(lastPart(cooling)),
      hosts: entries.filter(({ key }) => key.startsWith(HOLDS)).map(({ key }) => lastPart(key)),
      directories: entries
        .filter(({ key }) => key.startsWith(DIRECTORIES_OF))
        .map(({ value }) => ({ storage: textField(value, 'storage') ?? '', path: textField(value, 'path') ?? '' })),
    };
  }

  /** @returns every UID that is bound or cools down, as the store has it now. @throws StoreUnavailable */
  async uids(): Promise<Listing> {
    return this.#read({ below: [UIDS] });
  }

  /**
   * Frees the names that no host holds and that have no shared directory: files there are still their UID's.
   * @param only the one name that is looked at
   * @returns those that were freed, as they are
   * @throws StoreUnavailable
   */
  async *collect(only?: string): AsyncGenerator<Binding, void, undefined> {
    const { entries } = await this.#read(
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
      const { done } = await this.#transact({
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
      const { names, revision } = await this.#holdsNot(host, fence);
      if (names.length === 0) {
        await this.#vouchFor(host, fence);
        return forgotten;
      }
      const batch = names.slice(0, NAMES_PER_TRANSACTION);
      const { done, found } = await this.#transact({
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
      const { values } = await this.#read({ keys: [presentKey(host)] });
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

  /** After the store went back, a host that is powered off has no bindings to put again. */
  async #vouchFor(host: string, fence: string): Promise<void> {
    const { entries, values, cluster } = await this.#read({
      keys: [CONFIRMED, SUSPENDED],
      below: [conflictsOfHost(host)],
    });
    if (!isIncomplete(values, cluster)) {
      return;
    }
    // If it returns, it finds again what the store has otherwise.
    const conflicts = entries.map(({ key }) => key).filter(key => key.startsWith(CONFLICTS));
    for (let start = 0; start === 0 || start < conflicts.length; start += NAMES_PER_TRANSACTION) {
      await this.#transact({
        when: [{ key: incarnationKey(host), is: fence }],
        puts: [{ key: putAgainKey(host), value: tokenOf(values, cluster) }],
        deletes: conflicts.slice(start, start + NAMES_PER_TRANSACTION),
      });
    }
  }

  /** @returns what a host holds by another text than this one, at a revision */
  async #holdsNot(
    host: string,
    text: string,
  ): Promise<{ readonly names: readonly string[]; readonly revision: number }> {
    const names = (await this.holdsOf(host)).map(({ name }) => name);
    const { values, revision } = await this.#read({ keys: names.map(name => holdKey(name, host)) });
    return { names: names.filter(name => values.get(holdKey(name, host)) !== text), revision };
  }

  async #fence(host: string, evenAlive: boolean): Promise<string> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { values } = await this.#read({ keys: [incarnationKey(host), presentKey(host)] });
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
      const { done } = await this.#transact({
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
    const { entries, revision } = await this.#read({ below: [heldByHost(host)] });
    await this.#endHolds(
      member,
      entries.map(({ key }) => lastPart(key)),
      revision,
    );
    const outcome = await this.#transact({
      when: [own(member), { nothingBelow: heldByHost(host) }],
      deletes: [incarnationKey(host), presentKey(host), hostNameKey(host), putAgainKey(host)],
      otherwise: [incarnationKey(host)],
    });
    if (outcome.found.has(incarnationKey(host))) {
      checkFound(outcome, member);
      throw new StoreUnavailable('this host has held a name meanwhile; try again');
    }
  }

  /**
   * Puts the bindings of a host's records again, after the store went back to a backup: each is created, or is there and equal.
   * @param isLast they were all: what the host has no record of is held by it no longer
   * @returns those that the store has otherwise, which somebody has to decide about
   * @throws FleetError NotMember, StoreUnavailable
   */
  async restore(member: Member, records: readonly Binding[], isLast: boolean): Promise<readonly Conflict[]> {
    const { values, cluster } = await this.#read({ keys: [SUSPENDED] });
    const token = tokenOf(values, cluster);
    const conflicts: Conflict[] = [];
    for (const record of records) {
      const conflict = await this.#putAgain(member, record, token);
      if (conflict !== undefined) {
        conflicts.push(conflict);
      }
    }
    if (isLast) {
      await this.#endRestore(member, token);
    }
    return conflicts;
  }

  async #endRestore(member: Member, token: string): Promise<void> {
    const { host } = member;
    const stale = await this.#holdsNot(host, token);
    await this.#endHolds(member, stale.names, stale.revision);
    const { entries } = await this.#read({ below: [conflictsOfHost(host)] });
    const former = entries.filter(({ value }) => textField(value, 'token') !== token).map(({ key }) => key);
    await this.#transactAs(member, undefined, {
      when: [],
      puts: [{ key: putAgainKey(host), value: token }],
      deletes: former.slice(0, NAMES_PER_TRANSACTION),
    });
  }

  /** Those that a list had at a revision, and none that was put since. */
  async #endHolds(member: Member, names: readonly string[], revision: number): Promise<void> {
    const { host } = member;
    for (let start = 0; start < names.length; start += NAMES_PER_TRANSACTION) {
      const batch = names.slice(start, start + NAMES_PER_TRANSACTION);
      await this.#transactAs(member, undefined, {
        when: asListed(host, batch, revision),
        deletes: holdKeys(host, batch),
      });
    }
  }

  async #putAgain(member: Member, { name, uid }: Binding, token: string): Promise<Conflict | undefined> {
    const conflictKey = conflictsOfHost(member.host) + name;
    const keys = [nameKey(name), uidKey(uid)];
    let { values: there } = await this.#read({ keys });
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const [nameIs, uidIs] = [there.get(nameKey(name)), there.get(uidKey(uid))];
      const isEqual = nameIs === String(uid) && uidIs === name;
      const isFree = nameIs === undefined && (uidIs === undefined || isCooling(uidIs));
      const { done, found } = await this.#transactAs(member, undefined, {
        when: [
          { key: nameKey(name), is: nameIs },
          { key: uidKey(uid), is: uidIs },
        ],
        puts:
          isEqual || isFree
            ? [...(isFree ? bindingPuts(name, uid) : []), ...holdPuts({ ...member, incarnation: token }, name, uid)]
            : [{ key: conflictKey, value: JSON.stringify({ token, uid }) }],
        deletes: isEqual || isFree ? [conflictKey] : [],
        otherwise: keys,
      });
      if (done) {
        const boundUid = nameIs === undefined ? undefined : uidOf(nameIs);
        const boundName = uidIs === undefined || isCooling(uidIs) ? undefined : uidIs;
        return isEqual || isFree ? undefined : { name, uid, boundUid, boundName };
      }
      there = found;
    }
    return { name, uid, boundUid: undefined, boundName: undefined };
  }

  /**
   * Names may be bound again: an operator says that every host which held names when the store went back has put its bindings again.
   * @throws FleetError NotRestored if a host that the store knows has not, or there are conflicts, StoreUnavailable
   */
  async resume(): Promise<void> {
    const { entries, values, cluster } = await this.#read({
      keys: [CONFIRMED, SUSPENDED],
      below: [INCARNATIONS, PUT_AGAIN, CONFLICTS],
    });
    const token = tokenOf(values, cluster);
    const hosts = entries
      // One that was fenced when the backup was made may have returned since.
      .filter(({ key }) => key.startsWith(INCARNATIONS))
      .map(({ key }) => lastPart(key))
      .filter(host => values.get(putAgainKey(host)) !== token);
    const conflicts = entries
      .filter(({ key, value }) => key.startsWith(CONFLICTS) && textField(value, 'token') === token)
      .map(({ key }) => key.slice(CONFLICTS.length));
    if (hosts.length > 0 || conflicts.length > 0) {
      throw new FleetError('NotRestored', { hosts: hosts.slice(0, TOLD_MAX), conflicts: conflicts.slice(0, TOLD_MAX) });
    }
    await this.#transact({
      when: [
        { key: CONFIRMED, is: values.get(CONFIRMED) },
        { key: SUSPENDED, is: values.get(SUSPENDED) },
      ],
      puts: [{ key: CONFIRMED, value: cluster }],
      deletes: [SUSPENDED, SUSPENSION_NOTICE],
    });
  }

  async #boundUid(name: string): Promise<number | undefined> {
    const bound = (await this.#read({ keys: [nameKey(name)] })).values.get(nameKey(name));
    return bound === undefined ? undefined : uidIn(bound, nameKey(name));
  }

  async #cluster(): Promise<string> {
    return this.#last?.cluster ?? (await this.#read({ keys: [CONFIRMED] })).cluster;
  }

  async #read(wanted: Parameters<KeyStore['read']>[0]): Promise<Listing & { readonly values: Values }> {
    const before = this.#last;
    const listing = await this.#keys.read(wanted);
    await this.#notice(before, listing);
    return { ...listing, values: new Map(listing.entries.map(({ key, value }) => [key, value])) };
  }

  /**
   * A transaction of a host itself, as long as it is a member.
   * @param cluster which store it is for; undefined: the one that answers
   * @throws FleetError NotMember; Restoring for another store, and if the transaction has read that bindings may be missing; StoreUnavailable
   */
  async #transactAs(member: Member, cluster: string | undefined, transaction: Transaction): Promise<Outcome> {
    const outcome = await this.#transact({
      ...transaction,
      when: [...(cluster === undefined ? [] : [{ cluster }]), own(member), ...transaction.when],
      otherwise: [incarnationKey(member.host), ...(transaction.otherwise ?? [])],
    });
    checkFound(outcome, member, cluster);
    return outcome;
  }

  async #transact(transaction: Transaction): Promise<Outcome> {
    const before = this.#last;
    const outcome = await this.#keys.transact(transaction);
    await this.#notice(before, outcome);
    return outcome;
  }

  /** @param before what was known when the answer was asked for: answers may overtake each other */
  async #notice(before: At | undefined, { cluster, revision }: At): Promise<void> {
    const last = this.#last;
    if (last === undefined || last.cluster !== cluster || last.revision < revision) {
      this.#last = { cluster, revision };
    }
    if (before !== undefined) {
      await this.#suspendIfBehind({ cluster, revision }, before);
    }
  }

  /** @returns whether the store went back behind what was seen of it; then nobody binds names until somebody resumes */
  async #suspendIfBehind(at: At, seen: At | undefined): Promise<boolean> {
    if (seen === undefined || (seen.cluster === at.cluster && seen.revision <= at.revision)) {
      return false;
    }
    if (seen.cluster === at.cluster) {
      this.#last = at;
      await this.#keys.transact({
        when: [{ key: SUSPENDED, is: undefined }],
        puts: [SUSPENDED, SUSPENSION_NOTICE].map(key => ({ key, value: `${at.revision}.${seen.revision}` })),
      });
    }
    return true;
  }
}

/** What has to hold for a name to be bound or held: nobody has gone back to a backup since all bindings were there. */
function whole(cluster: string): Condition[] {
  return [
    { key: CONFIRMED, is: cluster },
    { key: SUSPENDED, is: undefined },
  ];
}

function own({ host, incarnation }: Member): Condition {
  return { key: incarnationKey(host), is: incarnation };
}

/** @param expected the store that was asked for. @throws FleetError if what was found says why nothing was done */
function checkFound({ done, found, cluster }: Outcome, { host, incarnation }: Member, expected = cluster): void {
  if (done) {
    return;
  }
  if (cluster !== expected) {
    throw new FleetError('Restoring', {});
  }
  const current = found.get(incarnationKey(host));
  if (current !== incarnation) {
    throw new FleetError('NotMember', current === undefined ? {} : { incarnation: current });
  }
  const confirmed = found.get(CONFIRMED);
  if (found.has(SUSPENDED) || (confirmed !== undefined && confirmed !== cluster)) {
    throw new FleetError('Restoring', {});
  }
}

function bindingPuts(name: string, uid: number): Put[] {
  return [
    { key: nameKey(name), value: String(uid) },
    { key: uidKey(uid), value: name },
  ];
}

function holdPuts({ host, incarnation }: Member, name: string, uid: number): Put[] {
  return [
    { key: holdKey(name, host), value: incarnation },
    { key: byHostKey(host, name), value: String(uid) },
  ];
}

function holdKeys(host: string, names: readonly string[]): string[] {
  return names.flatMap(name => [holdKey(name, host), byHostKey(host, name)]);
}

/** Holds are what a list of them had: what is done late does not meet others. */
function asListed(host: string, names: readonly string[], revision: number): Condition[] {
  return names.map(name => ({ key: holdKey(name, host), putBy: revision }));
}

function isIncomplete(values: Values, cluster: string): boolean {
  return values.get(CONFIRMED) !== cluster || values.has(SUSPENDED);
}

/** @returns what tells what was put again since the store last went back from what was put before */
function tokenOf(values: Values, cluster: string): string {
  return `${cluster} ${values.get(SUSPENDED) ?? ''}`;
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

/** @throws Error for a store that somebody else has written to */
function uidIn(value: string, key: string): number {
  const uid = uidOf(value);
  if (uid === undefined) {
    throw new Error(`${key}: "${value.slice(0, 32)}" is not a UID; somebody has written to the store by hand`);
  }
  return uid;
}

function presenceText({ hostName, version }: Pick<JoinRequest, 'hostName' | 'version'>): string {
  return JSON.stringify({ name: hostName, version });
}

/** @returns a text of a JSON object that somebody of the fleet has written */
function textField(json: string, field: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const text: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
