/**
 * This host's life in a fleet: it joins, holds names, and forgets them; it mirrors the bindings of all hosts, and has the users of other
 * hosts looked up. The safety of all of it rests on what is recorded here and on what this host can see by itself: the companion may
 * refuse, delay and lie, and gives no UID by that which this host knows to be another's.
 *
 * Nothing is freed because time has passed, and no decision reads a clock that can be set.
 */
import type { FleetFinding, FleetPort, FleetUsers, HoldOutcome } from '../allocator/fleet-port.ts';
import type { FleetOperations, FleetStatus } from '../allocator/ports.ts';
import type {
  BindingsReply,
  HoldAgainReply,
  HoldReply,
  HoldsOfReply,
  JoinReply,
  RestoreReply,
  StatusReply,
} from '../api/generated/io-dynuser-fleet.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { BASE_DIRECTORIES, PRIVATE } from '../core/directory-classes.ts';
import { DynuserError, reasonOf } from '../core/errors.ts';
import {
  canonicalRange,
  decodeSnapshot,
  encodeSnapshot,
  type FleetMode,
  type FleetUser,
  isFleetName,
  type SharedPlace,
  type SharedStorage,
  SNAPSHOT_USERS_MAX,
  sharedPlaces,
} from '../core/fleet.ts';
import { asUid, type Uid, type UserName } from '../core/ids.ts';
import { parseUserName } from '../core/name.ts';
import { inRange, rangeSize, type UidRange } from '../core/range.ts';
import type { VarlinkClient } from '../varlink/client.ts';
import { VarlinkError } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import { type Companion, streamOf } from './companion.ts';
import { type BindingChange, Mirror } from './mirror.ts';
import { type HoldRecord, RECORDED_DIRECTORIES_MAX, type RecordFiles, type StorePosition } from './records.ts';

/** How long what depends on others is waited for, in milliseconds. */
export interface FleetWaits {
  /** a name that is recorded, after a boot, for the one look at the store */
  readonly bootMs: number;
  /** another request, for a companion that has just gone, or not come yet: one that is started again is there within that */
  readonly contactMs: number;
  /** before the companion is tried again: the wait is drawn from 0 up to these, twice as long each time */
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** between two looks of a member whether it still is one: it may have been fenced while it was cut off */
  readonly verifyMs: number;
  /** between two looks whether a restore of the store is over */
  readonly restoringMs: number;
}

export const FLEET_WAITS: FleetWaits = {
  ...{
    bootMs: 20_000,
    contactMs: 10_000,
    retryFirstMs: 200,
    retryMaxMs: 15_000,
    verifyMs: 300_000,
    restoringMs: 5_000,
  },
};
/** Changes come in crowds: the snapshot is written when there was none for so long, and its copy on disk at most this often. */
const PUBLISH_AFTER_MS = 100;
const COPY_EVERY_MS = 10_000;
const SEEN_AFTER_MS = 1_000;
/** How often it is counted how long names were not used. */
const IDLE_EVERY_MS = 3_600_000;
/** Bindings in one call of Restore. */
const RESTORE_BATCH = 500;
/** How often a join may turn out to be that of a fenced host. */
const JOIN_TURNS_MAX = 4;
/** Directories on shared storage that are recorded of one name. */
export const SHARED_RECORDED_MAX = 1_024;
const INCARNATION = /^[\x21-\x7e]{1,128}$/;

export interface FleetSettings {
  readonly mode: Exclude<FleetMode, 'off'>;
  readonly names: readonly string[];
  readonly range: UidRange;
  readonly storages: readonly SharedStorage[];
  /** how long a name is not used before it is forgotten, in milliseconds; 0: never */
  readonly forgetMs: number;
  /** what is recorded counts after a boot without a look at the store */
  readonly trustsBoot: boolean;
}

export interface FleetDeps {
  /** as it is configured now */
  readonly settings: () => FleetSettings;
  readonly records: RecordFiles;
  readonly companion: Pick<Companion, 'call' | 'list' | 'connect' | 'close'>;
  /** which host this is, what it is called, and its boot */
  readonly identity: {
    readonly host: string;
    readonly hostName: string;
    readonly boot: string;
    readonly version: string;
  };
  /** Replaces the snapshot that lookups read. @throws Error */
  readonly publish: (snapshot: string) => void;
  /** Whether a user of a name lives here, or is ending. */
  readonly isLive: (name: UserName) => boolean;
  /** Ends a user with its processes. @returns what is left of it, in words; undefined: nothing */
  readonly endUser: (name: UserName, uid: Uid) => Promise<string | undefined>;
  readonly exists: (path: string) => Promise<boolean>;
  readonly waits: FleetWaits;
  readonly monotonic: () => number;
  /** a number from 0 up to 1 */
  readonly random: () => number;
  /** digits that nobody else draws */
  readonly nonce: () => string;
  readonly log: Readonly<Record<'info' | 'warn' | 'error', (what: string, cause?: unknown) => void>>;
}

/** waiting: no contact with the companion, or it has none with the store. The others as the interface has them. */
export type MemberState = 'waiting' | 'member' | 'fenced' | 'restoring' | 'refused' | 'cloned' | 'left';

export interface FleetView {
  readonly state: MemberState;
  /** why it is no member, and what to do; undefined for a member */
  readonly reason: string | undefined;
  /** the store has said in this boot that this host is a member, or that need not be */
  readonly isChecked: boolean;
  readonly host: string;
  readonly hostName: string;
  readonly fleet: string | undefined;
  readonly range: UidRange;
  /** how many names are known, of all hosts */
  readonly known: number;
  readonly holds: readonly HoldRecord[];
  /** names whose record the store contradicts, and how */
  readonly conflicts: ReadonlyMap<UserName, string>;
}

export class Fleet implements FleetPort, FleetUsers, FleetOperations {
  readonly #deps: FleetDeps;
  readonly range: UidRange;
  #mirror = new Mirror();
  /** what comes instead of it, until all of that is there */
  #building: { readonly mirror: Mirror; changes: number } | undefined;
  #state: MemberState = 'waiting';
  #reason: string | undefined = 'dynuser-fleetd was not reached yet';
  #fleet: string | undefined;
  #isChecked: boolean;
  #contactLost: number;
  #seen: StorePosition | undefined;
  /** where the mirror is whole up to */
  #resume: StorePosition | undefined;
  #conflicts = new Map<UserName, string>();
  /** requests that are making a user of a name */
  readonly #uses = new Map<UserName, number>();
  readonly #forgetting = new Map<UserName, Promise<unknown>>();
  #holding = 0;
  readonly #waiting = new Set<() => void>();
  readonly #idle: Map<string, number>;
  #idleCounted: number;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #client: VarlinkClient | undefined;
  #isStopped = false;
  #running: Promise<void> | undefined;
  #lastTrouble: string | undefined;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
    const { records, identity } = deps;
    this.range = deps.settings().range;
    this.#isChecked = records.host.boot === identity.boot;
    this.#seen = records.seen;
    this.#idle = new Map(records.idle);
    this.#contactLost = deps.monotonic();
    this.#idleCounted = deps.monotonic();
    for (const user of decodeSnapshot(records.snapshot ?? '') ?? []) {
      if (inRange(this.range, user.uid)) {
        this.#mirror.apply({ ...user, state: 'bound' });
      }
    }
  }

  /** The users of other hosts can be looked up at once, and as long as the daemon runs. Joins, and follows the fleet until stop(). */
  start(): void {
    this.#publish();
    this.#later('idle', IDLE_EVERY_MS, () => this.countIdle());
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#deps.companion.close();
    for (const timer of this.#timers.values()) {
      clearTimeout(timer);
    }
    const wasDue = this.#timers.has('copy') || this.#timers.has('publish');
    this.#timers.clear();
    this.#changed();
    await this.#running;
    await this.#keep(() => this.#countIdleNow());
    if (wasDue) {
      await this.#keep(() => this.#deps.records.putSnapshot(encodeSnapshot(this.#users())));
    }
    if (this.#seen !== undefined) {
      await this.#keep(() => this.#deps.records.putSeen(this.#seen as StorePosition));
    }
    await this.#deps.records.close();
  }

  /** What is known now. */
  view(): FleetView {
    const { records, identity } = this.#deps;
    return {
      ...{ state: this.#state, reason: this.#reason, isChecked: this.#mayStart, fleet: this.#fleet, range: this.range },
      ...{ host: identity.host, hostName: identity.hostName, known: this.#mirror.size, conflicts: this.#conflicts },
      holds: [...records.byName.values()],
    };
  }

  // ---- what making a user needs

  concerns(name: UserName, asked: boolean | undefined): 'preferred' | 'required' | undefined {
    const { names, mode } = this.#deps.settings();
    // What is recorded stays what it is, whatever the configuration says of its name now: it has files by that number.
    return isFleetName(name, names, asked) || (asked !== false && this.#deps.records.byName.has(name))
      ? mode
      : undefined;
  }

  /** From now on the name is not forgotten. To be called before its UID is asked for. */
  async begin(name: UserName): Promise<Disposable> {
    while (this.#forgetting.has(name)) {
      await this.#forgetting.get(name)?.catch(() => undefined);
    }
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#uses.get(name) ?? 1) - 1;
        if (left > 0) {
          this.#uses.set(name, left);
        } else {
          this.#uses.delete(name);
        }
        this.#changed();
      },
    };
  }

  async uidOf(name: UserName): Promise<Uid | undefined> {
    const { records } = this.#deps;
    if (records.byName.has(name) && !this.#mayStart) {
      await this.#until(() => this.#mayStart || !records.byName.has(name), this.#deps.waits.bootMs);
    }
    const record = records.byName.get(name);
    if (record !== undefined) {
      if (this.#conflicts.has(name)) {
        await this.#putAgain([record]);
      }
      this.checkJoin(name, record.uid);
      if (!this.#mayStart) {
        throw this.#unavailable(noUid(name), BOOTED);
      }
      return record.uid;
    }
    await this.#member(noUid(name));
    return this.#mirror.uidOf(name);
  }

  checkJoin(name: UserName, uid: Uid): void {
    const conflict = this.#conflicts.get(name);
    if (conflict !== undefined && this.#deps.records.byName.get(name)?.uid === uid) {
      throw conflictOf(conflict);
    }
  }

  formerUids(name: UserName): readonly Uid[] {
    const uid = this.#mirror.formerUid(name);
    return uid === undefined ? [] : [uid];
  }

  ownerOf(uid: Uid, name: UserName): UserName | undefined {
    const owner = this.#deps.records.byUid.get(uid)?.name ?? this.#mirror.ownerOf(uid)?.name;
    return owner === name ? undefined : owner;
  }

  finding(name: UserName): FleetFinding {
    const record = this.#deps.records.byName.get(name);
    const uid = record?.uid ?? this.#mirror.uidOf(name);
    const known = uid === undefined ? {} : { uid };
    const conflict = this.#conflicts.get(name);
    const why = this.#reason === undefined ? '' : ` (${this.#reason})`;
    if (record !== undefined && conflict !== undefined) {
      return { outcome: 'conflict', ...known, reason: conflict };
    }
    if (record !== undefined) {
      return this.#mayStart
        ? {
            outcome: 'held',
            ...known,
            reason: 'this host holds the name, and makes its user with and without the store',
          }
        : { outcome: 'unavailable', ...known, reason: `this host holds the name; ${BOOTED}${why}` };
    }
    if (this.#state !== 'member') {
      return { outcome: 'unavailable', ...known, reason: `this host is no member, and does not hold the name${why}` };
    }
    if (uid !== undefined) {
      return {
        outcome: 'bound',
        ...known,
        reason: 'the name has this UID on every host; its first use here asks the store',
      };
    }
    const [former] = this.formerUids(name);
    const first = former === undefined ? 'chooses one' : `gets ${former} again, which cools down for it`;
    return { outcome: 'free', reason: `the name has no UID; the first host that uses it ${first}` };
  }

  async hold(name: UserName, uid: Uid): Promise<HoldOutcome> {
    const { records, companion, identity } = this.#deps;
    const record = records.byName.get(name);
    if (record !== undefined) {
      if (!this.#mayStart) {
        throw this.#unavailable(noUid(name), 'this host has to join again');
      }
      return record.uid === uid ? { kind: 'held' } : { kind: 'bound', uid: record.uid };
    }
    this.#checkOwn(name, uid);
    await this.#member(noUid(name));
    const { incarnation } = records.host;
    this.#holding++;
    // Both take about as long: the disk and the store are asked at a time.
    const prepared = records.prepare({ name, uid, directories: [], shared: [] });
    try {
      const reply = await companion.call<HoldReply>('Hold', {
        ...{ host: identity.host, incarnation: incarnation ?? '', name, candidates: [uid] },
      });
      if (reply.uid !== uid) {
        throw new Error(`dynuser-fleetd has answered with the UID ${reply.uid}, which it was not asked for`);
      }
      await this.#checkMirror(name, uid);
      try {
        await prepared.commit();
      } catch (error) {
        throw new DynuserError('HostFailed', `the hold of ${name} cannot be recorded: ${reasonOf(error)}`, {}, error);
      }
      this.#mirror.apply({ name, uid, state: 'bound' });
      this.#publishSoon();
      return { kind: 'held' };
    } catch (error) {
      await this.#keep(() => prepared.drop());
      return this.#refusalOf(name, uid, error);
    } finally {
      this.#holding--;
      this.#changed();
    }
  }

  async refresh(): Promise<void> {
    const fresh = new Mirror();
    let changes = 0;
    try {
      for await (const batch of this.#deps.companion.list<BindingsReply>('Bindings', { once: true })) {
        changes += batch.changes.length;
        this.#checkCount(changes);
        this.#apply(fresh, batch);
      }
    } catch (error) {
      throw this.#unavailable('the fleet does not say which UIDs are free', reasonOf(error));
    }
    this.#mirror = fresh;
    this.#publishSoon();
  }

  hasShared(directories: readonly RequestedDirectory[]): boolean {
    return sharedPlaces(directories, this.#deps.settings().storages).length > 0;
  }

  async takeDirectories(name: UserName, uid: Uid, directories: readonly RequestedDirectory[]): Promise<void> {
    const { records } = this.#deps;
    const places = sharedPlaces(directories, this.#deps.settings().storages);
    const [first] = places;
    if (first === undefined) {
      return;
    }
    if (records.byName.get(name)?.uid !== uid) {
      throw directoryFailed(
        first,
        `${textOf(first)} is on shared storage, where only users of the fleet have the same UID on every host; add ${name} to FleetNames=, or choose another directory`,
      );
    }
    for (const place of places) {
      await this.#takeDirectory(name, place);
    }
  }

  used(name: UserName, directories: readonly RequestedDirectory[]): void {
    this.#idle.delete(name);
    const record = this.#deps.records.byName.get(name);
    if (record === undefined || record.directories === 'many') {
      return;
    }
    const kept = directories.filter(({ preserved, below }) => preserved && below === undefined);
    const paths = kept.map(({ kind, source }) => `${BASE_DIRECTORIES[kind]}/${PRIVATE}/${source}`);
    const all = [...new Set([...record.directories, ...paths])];
    if (all.length > record.directories.length) {
      void this.#keep(() => this.#change(record, all.length > RECORDED_DIRECTORIES_MAX ? 'many' : all, record.shared));
    }
  }

  // ---- what the operator asks for

  status(): FleetStatus {
    const { state, reason, host, hostName, range, known, holds, conflicts } = this.view();
    const contradicted = [...conflicts.values()][0];
    const why = reason ?? contradicted;
    return {
      ...{ mode: this.#deps.settings().mode, state: state === 'left' ? 'off' : state, host, hostName, known },
      ...(why === undefined ? {} : { reason: why }),
      ...(this.#fleet === undefined ? {} : { fleet: this.#fleet }),
      ranges: canonicalRange(range),
      holds: holds.map(({ name, uid }) => {
        const conflict = conflicts.get(name);
        return { name, uid, live: this.#deps.isLive(name), ...(conflict === undefined ? {} : { conflict }) };
      }),
    };
  }

  /** Forgets a name: this host may not run its user any more, before it has asked again. @throws DynuserError FleetConflict, FleetUnavailable */
  async forget(name: UserName): Promise<void> {
    if (!this.#deps.records.byName.has(name)) {
      throw conflictOf(`this host does not hold ${name}`, 'name');
    }
    if (this.#isUsed(name)) {
      throw conflictOf(`${name} lives on this host; release it first`, 'name');
    }
    const directory = await this.#directoryOf(name);
    if (directory !== undefined) {
      const reason = `${directory} has files of ${name}, which another user of its UID could read; remove them first`;
      throw conflictOf(reason, 'name');
    }
    // While a store is restored, a name that contradicts it can be forgotten: nothing else may end that.
    if (this.#state !== 'restoring' || !this.#conflicts.has(name)) {
      await this.#member(notForgotten(name));
    }
    await this.#forget(name);
  }

  /** Ends the membership, with all holds. @throws DynuserError FleetConflict, FleetUnavailable */
  async leave(): Promise<void> {
    const { records, companion, identity } = this.#deps;
    const live = [...records.byName.keys()].find(name => this.#isUsed(name));
    if (live !== undefined) {
      throw conflictOf(`${live} lives on this host; release it first`, 'name');
    }
    await this.#member(NOT_LEFT);
    for (const name of [...records.byName.keys()]) {
      await this.forget(name);
    }
    try {
      await companion.call('Leave', { host: identity.host, incarnation: records.host.incarnation ?? '' });
    } catch (error) {
      throw this.#unavailable(NOT_LEFT, wordsOf(error));
    }
    await records.putHost({ host: identity.host });
    this.#isChecked = false;
    this.#become('left', 'this host has left the fleet; set Fleet=off, or restart dynuserd to join again');
    this.#client?.close();
  }

  // ---- the life

  async #run(): Promise<void> {
    const { retryFirstMs, retryMaxMs } = this.#deps.waits;
    let wait = retryFirstMs;
    while (!this.#isStopped && this.#state !== 'left') {
      const begun = this.#deps.monotonic();
      try {
        await this.#session();
      } catch (error) {
        this.#lost(error);
      }
      if (this.#deps.monotonic() - begun > retryMaxMs) {
        wait = retryFirstMs;
      }
      await this.#sleep(this.#deps.random() * wait);
      wait = Math.min(2 * wait, retryMaxMs);
    }
  }

  /** Joins, puts right what differs, and follows the bindings until that ends. @throws Error always, why it has ended */
  async #session(): Promise<never> {
    const { companion } = this.#deps;
    const { fleet } = await companion.call<StatusReply>('Status', {});
    this.#fleet = fleet.slice(0, 64);
    const joined = await this.#join();
    await (joined.restoring ? this.#restoreAll() : this.#reconcile());
    if (this.#isStopped) {
      throw new Error('the daemon is stopping');
    }
    if (joined.restoring) {
      const reason =
        'the store was restored from a backup: no name gets a new UID before all hosts have put their bindings again (dynuserctl fleet check, then dynuserctl fleet resume)';
      this.#become('restoring', reason);
      this.#later('restoring', this.#deps.waits.restoringMs, () => this.#isRestored());
    } else {
      await this.#checked();
    }
    const client = await companion.connect();
    this.#client = client;
    try {
      if (this.#isStopped) {
        throw new Error('the daemon is stopping');
      }
      this.#verifyLater();
      const since: JsonObject = this.#resume === undefined ? {} : { since: { ...this.#resume } };
      for await (const batch of streamOf(client, 'Bindings', since)) {
        // It was checked against the interface that the type was made from.
        this.#take(batch as unknown as BindingsReply);
      }
      throw new Error('dynuser-fleetd has ended the list of bindings');
    } finally {
      this.#building = undefined;
      this.#client = undefined;
      this.#cancel('verify');
      this.#cancel('restoring');
      client.close();
    }
  }

  async #join(): Promise<JoinReply> {
    const { records, companion, identity } = this.#deps;
    let incarnation = records.host.incarnation;
    for (let turn = 0; turn < JOIN_TURNS_MAX; turn++) {
      const next = records.host.next ?? this.#nextIncarnation();
      if (records.host.next === undefined) {
        // Before the store can have it: a daemon that dies before the answer asks for the same.
        await records.putHost({ ...records.host, next });
      }
      const reply: JoinReply = await companion.call<JoinReply>('Join', {
        ...{ host: identity.host, hostName: identity.hostName, version: identity.version, next },
        ...(incarnation === undefined ? {} : { incarnation }),
        renew: records.host.boot !== identity.boot,
        ranges: canonicalRange(this.range),
        ...(this.#seen === undefined ? {} : { seen: { ...this.#seen } }),
      });
      if (!INCARNATION.test(reply.incarnation)) {
        throw new Error('dynuser-fleetd has answered with what cannot be an incarnation');
      }
      this.#seen = positionOf(reply.position);
      this.#seenSoon();
      if (reply.state !== 'fenced') {
        if (reply.incarnation !== next && reply.incarnation !== records.host.incarnation) {
          throw new Error('dynuser-fleetd has answered with an incarnation that this host has not asked for');
        }
        const { boot } = records.host;
        await records.putHost({
          ...{ host: identity.host, incarnation: reply.incarnation, ...(boot === undefined ? {} : { boot }) },
        });
        return reply;
      }
      await this.#holdAgain(reply.incarnation);
      incarnation = reply.incarnation;
    }
    throw new Error('this host was fenced again and again while it joined');
  }

  /** The number of times that this host has joined, and something that no other has. */
  #nextIncarnation(): string {
    const former = Number(/^(\d{1,15})\./.exec(this.#deps.records.host.incarnation ?? '')?.[1] ?? 0);
    return `${former + 1}.${this.#deps.nonce()}`;
  }

  /**
   * This host was given up, and with it what it held. What is still bound as it was is held again; the users of all other names end, since
   * their UIDs may be others' by now, and only then their records go.
   * @throws Error if one cannot be ended: the host is no member until then
   */
  async #holdAgain(fence: string): Promise<void> {
    const { records, identity, endUser, log } = this.#deps;
    this.#isChecked = false;
    this.#become(
      'fenced',
      'this host was given up (dynuserctl fleet forget-host), and ends what it does not hold any more',
    );
    const { next } = records.host;
    // Also for a daemon that is started again before this is over.
    await records.putHost({
      ...{ host: identity.host, ...(next === undefined ? {} : { next }) },
      ...(records.host.incarnation === undefined ? {} : { incarnation: records.host.incarnation }),
    });
    // Those under way are held by now, and recorded, or never are.
    await this.#until(() => this.#holding === 0 || this.#isStopped);
    for (const { name, uid } of [...records.byName.values()]) {
      const held = await this.#isHeldAgain(fence, name, uid);
      if (held === undefined) {
        // Nobody can say before all hosts have put their bindings again.
        await this.#restoreAll(fence);
        return;
      }
      if (held) {
        continue;
      }
      await this.#until(() => !this.#uses.has(name) || this.#isStopped);
      log.error(`${name} (UID ${uid}) is ended: this host was given up, and the name is not bound as it was any more`);
      const left = await endUser(name, uid);
      if (left !== undefined) {
        throw new Error(`${name} (UID ${uid}) was given up for this host and cannot be ended: ${left}; end it by hand`);
      }
      await records.remove(name);
    }
    this.#publishSoon();
  }

  /** @returns undefined if the store is being restored, and cannot say */
  async #isHeldAgain(incarnation: string, name: UserName, uid: Uid): Promise<boolean | undefined> {
    const { companion, identity } = this.#deps;
    try {
      const asked = { host: identity.host, incarnation, name, uid };
      const { held } = await companion.call<HoldAgainReply>('HoldAgain', asked);
      return held;
    } catch (error) {
      if (error instanceof VarlinkError && codeOf(error) === 'Restoring') {
        return undefined;
      }
      throw error;
    }
  }

  /** Takes up holds that are not recorded here, and puts again those that the store does not have. */
  async #reconcile(): Promise<void> {
    const { records, companion, identity, log } = this.#deps;
    const held = new Map<string, number>();
    for await (const { holds } of companion.list<HoldsOfReply>('HoldsOf', { host: identity.host })) {
      for (const { name, uid } of holds) {
        held.set(name, uid);
      }
      this.#checkCount(held.size);
    }
    for (const [text, number] of held) {
      const user = this.#userOf(text, number);
      if (user === undefined || this.#forgetting.has(user.name) || records.byName.has(user.name)) {
        continue;
      }
      const owner = this.ownerOf(user.uid, user.name);
      if (owner !== undefined && records.byUid.has(user.uid)) {
        log.error(
          `the fleet says that this host holds ${user.name} with the UID ${user.uid}, which is ${owner}'s here`,
        );
        continue;
      }
      // Where its files are is not known: it is not forgotten by itself.
      await records.put({ ...user, directories: 'many', shared: [] });
      log.info(`${user.name} (UID ${user.uid}) is held by this host, and was not recorded; it is now`);
    }
    const missing: HoldRecord[] = [];
    for (const record of [...records.byName.values()].filter(({ name, uid }) => held.get(name) !== uid)) {
      const { name, uid } = record;
      const isHeld = await this.#isHeldAgain(records.host.incarnation ?? '', name, uid);
      if (isHeld !== true) {
        missing.push(record);
      }
    }
    this.#conflicts = await this.#restore(missing, false);
    this.#publishSoon();
  }

  async #restoreAll(incarnation?: string): Promise<void> {
    this.#conflicts = await this.#restore([...this.#deps.records.byName.values()], true, incarnation);
  }

  /** Puts bindings again that the store had otherwise: somebody may have ended the others. Without an answer they stay as they are. */
  async #putAgain(records: readonly HoldRecord[]): Promise<void> {
    if (this.#state !== 'member' && this.#state !== 'restoring') {
      return;
    }
    try {
      const conflicts = await this.#restore(records, false);
      for (const { name } of records) {
        const conflict = conflicts.get(name);
        if (conflict !== undefined) {
          this.#conflicts.set(name, conflict);
        } else if (this.#conflicts.delete(name)) {
          this.#deps.log.info(`${name} has its UID in the store of the fleet as this host holds it`);
        }
      }
    } catch (error) {
      this.#trouble(`what contradicts the store of the fleet cannot be put there: ${wordsOf(error)}`);
    }
  }

  #conflicting(): readonly HoldRecord[] {
    return [...this.#conflicts.keys()].flatMap(name => this.#deps.records.byName.get(name) ?? []);
  }

  /**
   * Create-or-equal: what the store has otherwise stays, and nothing more is started as the name's user here before somebody has ended one of
   * the two. Those that run continue: which of the two is right is not for a program to say.
   * @returns the names for which the store has something else, and what
   */
  async #restore(
    missing: readonly HoldRecord[],
    isAll: boolean,
    incarnation = this.#deps.records.host.incarnation ?? '',
  ): Promise<Map<UserName, string>> {
    const { companion, identity, log } = this.#deps;
    const conflicts = new Map<UserName, string>();
    // A host without records makes the last call, too.
    for (let from = 0; (isAll && from === 0) || from < missing.length; from += RESTORE_BATCH) {
      const batch = missing.slice(from, from + RESTORE_BATCH);
      const reply: RestoreReply = await companion.call<RestoreReply>('Restore', {
        ...{ host: identity.host, incarnation },
        bindings: batch.map(({ name, uid }) => ({ name, uid })),
        // After the last one the host holds nothing else.
        last: isAll && from + RESTORE_BATCH >= missing.length,
      });
      for (const { name, uid, boundUid, boundName } of reply.conflicts) {
        const record = batch.find(one => one.name === name && one.uid === uid);
        if (record !== undefined) {
          const other =
            boundName === undefined
              ? `the name with UID ${boundUid}`
              : `that UID with the name ${boundName.slice(0, 64)}`;
          conflicts.set(
            record.name,
            `this host holds ${name} with UID ${uid}, but the store of the fleet has ${other}; nothing more is started as ${name} here: release it and forget it ('dynuserctl fleet forget ${name}'), or do that with the other on every host, and free it ('dynuserctl fleet gc')`,
          );
        }
      }
    }
    for (const [name, reason] of conflicts) {
      if (this.#conflicts.get(name) !== reason) {
        log.error(reason);
      }
    }
    return conflicts;
  }

  /** The store has said that this host is a member. */
  async #checked(): Promise<void> {
    const { records, identity } = this.#deps;
    const { incarnation } = records.host;
    if (records.host.boot !== identity.boot) {
      await records.putHost({
        ...{ host: identity.host, boot: identity.boot, ...(incarnation === undefined ? {} : { incarnation }) },
      });
    }
    this.#isChecked = true;
    this.#lastTrouble = undefined;
    // What is recorded may start; new names wait for the bindings that there are.
    this.#become('waiting', 'the bindings of the fleet are being read');
  }

  #verifyLater(): void {
    // Not all hosts of a fleet at a time.
    this.#later('verify', this.#deps.waits.verifyMs * (0.5 + this.#deps.random()), () => this.#verify());
  }

  /** Whether a member still is one: it asks for nothing new. */
  async #verify(): Promise<void> {
    const { companion, records, identity } = this.#deps;
    const { incarnation } = records.host;
    const client = this.#client;
    try {
      const reply = await companion.call<JoinReply>('Join', {
        ...{ host: identity.host, hostName: identity.hostName, version: identity.version, renew: false },
        ...{ incarnation: incarnation ?? '', next: incarnation ?? '', ranges: canonicalRange(this.range) },
        ...(this.#seen === undefined ? {} : { seen: { ...this.#seen } }),
      });
      if (reply.state !== 'member' || reply.restoring !== (this.#state === 'restoring')) {
        client?.close();
      } else if (this.#conflicts.size > 0) {
        await this.#putAgain(this.#conflicting());
      }
    } catch (error) {
      if (error instanceof VarlinkError && codeOf(error) !== 'StoreUnavailable') {
        client?.close();
      }
    }
    this.#verifyLater();
  }

  async #isRestored(): Promise<void> {
    const client = this.#client;
    if (this.#conflicts.size > 0) {
      await this.#putAgain(this.#conflicting());
    }
    const status = await this.#deps.companion.call<StatusReply>('Status', {}).catch(() => undefined);
    if (status?.restoring === false) {
      client?.close();
    } else if (client !== undefined) {
      this.#later('restoring', this.#deps.waits.restoringMs, () => this.#isRestored());
    }
  }

  /** What a batch of bindings says. @throws Error if the store has gone back: whether it may is for a join to find out */
  #take(batch: BindingsReply): void {
    const position = positionOf(batch.position);
    if (
      this.#seen !== undefined &&
      (position.cluster !== this.#seen.cluster || position.revision < this.#seen.revision)
    ) {
      throw new Error(
        `the store of the fleet has gone back from revision ${this.#seen.revision} to ${position.revision}`,
      );
    }
    if (batch.reset) {
      this.#building = { mirror: new Mirror(), changes: 0 };
    }
    if (this.#building !== undefined) {
      this.#building.changes += batch.changes.length;
      this.#checkCount(this.#building.changes);
    }
    this.#apply(this.#building?.mirror ?? this.#mirror, batch);
    if (batch.complete && this.#building !== undefined) {
      this.#mirror = this.#building.mirror;
      this.#building = undefined;
    }
    this.#seen = position;
    this.#seenSoon();
    if (this.#building === undefined) {
      this.#resume = position;
      this.#publishSoon();
    }
    if (batch.complete && this.#state === 'waiting') {
      this.#become('member', undefined);
    }
  }

  #apply(mirror: Mirror, { changes }: Pick<BindingsReply, 'changes'>): void {
    for (const { name, uid, state } of changes) {
      const user = this.#userOf(name, uid);
      if (user === undefined) {
        this.#trouble(`the fleet has a binding that cannot be: ${JSON.stringify(name).slice(0, 64)} with UID ${uid}`);
        continue;
      }
      const change: BindingChange = { ...user, state };
      const owner = this.#deps.records.byUid.get(user.uid);
      if (!mirror.apply(change)) {
        this.#trouble(`the fleet has the UID ${uid} for ${name}, and for ${mirror.ownerOf(user.uid)?.name} as well`);
      } else if (state === 'bound' && owner !== undefined && owner.name !== user.name) {
        this.#trouble(`the fleet has the UID ${uid} for ${name}, and this host holds it for ${owner.name}`);
      }
    }
  }

  #userOf(text: string, number: number): FleetUser | undefined {
    const parsed = parseUserName(text);
    const uid = asUid(number);
    return 'name' in parsed && uid !== undefined && inRange(this.range, uid) ? { name: parsed.name, uid } : undefined;
  }

  /** @throws Error if there are more bindings than UIDs, each of which may cool down and be bound meanwhile */
  #checkCount(count: number): void {
    if (count > 2 * rangeSize(this.range) + 1_000) {
      throw new Error('dynuser-fleetd tells of more bindings than there are UIDs');
    }
  }

  // ---- holding

  get #mayStart(): boolean {
    // To trust the boot is not to know of a fence and start what it may have given away.
    return this.#isChecked || (this.#deps.settings().trustsBoot && this.#state !== 'fenced');
  }

  /** @throws DynuserError FleetConflict if this host knows that the UID cannot be the name's */
  #checkOwn(name: UserName, uid: Uid): void {
    if (!inRange(this.range, uid)) {
      throw conflictOf(`the fleet has ${name} with the UID ${uid}, which is not in FleetUidRange=${this.range.text}`);
    }
    const owner = this.#deps.records.byUid.get(uid);
    if (owner !== undefined && owner.name !== name) {
      throw conflictOf(
        `the fleet has ${name} with the UID ${uid}, which this host holds for ${owner.name}; see 'dynuserctl fleet explain ${name}'`,
      );
    }
  }

  /** @throws DynuserError FleetConflict if the bindings that are known, read anew, have another name with the UID */
  async #checkMirror(name: UserName, uid: Uid): Promise<void> {
    const contradicts = () => {
      const owner = this.#mirror.ownerOf(uid);
      return owner !== undefined && owner.name !== name && !owner.cools ? owner.name : undefined;
    };
    if (contradicts() !== undefined) {
      await this.refresh();
    }
    const owner = contradicts();
    if (owner !== undefined) {
      throw conflictOf(`the fleet has the UID ${uid} for ${name}, and for ${owner} as well`);
    }
  }

  #refusalOf(name: UserName, uid: Uid, error: unknown): HoldOutcome {
    if (error instanceof DynuserError) {
      throw error;
    }
    const code = error instanceof VarlinkError ? codeOf(error) : undefined;
    if (error instanceof VarlinkError && code === 'NameBound') {
      const bound = asUid(Number(error.parameters['uid']));
      if (bound === undefined || bound === uid) {
        throw this.#unavailable(noUid(name), 'dynuser-fleetd contradicts itself');
      }
      this.#checkOwn(name, bound);
      return { kind: 'bound', uid: bound };
    }
    if (code === 'NoneFree') {
      return { kind: 'taken' };
    }
    if (code === 'NotMember' || code === 'Restoring' || code === 'NoFleet') {
      this.#client?.close();
    }
    throw this.#unavailable(noUid(name), wordsOf(error));
  }

  async #takeDirectory(name: UserName, place: SharedPlace): Promise<void> {
    const { records, companion, identity } = this.#deps;
    const record = records.byName.get(name);
    const key = `${place.storage} ${place.path}`;
    if (record === undefined || record.shared.includes(key)) {
      return;
    }
    await this.#member(notTaken(place));
    try {
      await companion.call('TakeDirectory', {
        ...{ host: identity.host, incarnation: records.host.incarnation ?? '', name },
        ...{ storage: place.storage, path: place.path },
      });
    } catch (error) {
      if (error instanceof VarlinkError && codeOf(error) === 'DirectoryOfAnother') {
        const other = String(error.parameters['name']).slice(0, 64);
        throw directoryFailed(
          place,
          `${textOf(place)} is ${other}'s on all hosts of the fleet; choose another directory, or free it (dynuserctl fleet free-directory)`,
        );
      }
      throw this.#unavailable(notTaken(place), wordsOf(error));
    }
    if (record.shared.length < SHARED_RECORDED_MAX) {
      await this.#change(record, record.directories, [...record.shared, key]);
    }
  }

  async #change(record: HoldRecord, directories: HoldRecord['directories'], shared: readonly string[]): Promise<void> {
    const present = this.#deps.records.byName.get(record.name);
    if (present !== undefined) {
      await this.#deps.records.put({ ...present, directories, shared });
    }
  }

  // ---- forgetting

  /** Counts how long names were not used, and forgets those that were not for long and have no files here. */
  async countIdle(): Promise<void> {
    this.#later('idle', IDLE_EVERY_MS, () => this.countIdle());
    await this.#countIdleNow();
    const { forgetMs } = this.#deps.settings();
    if (forgetMs === 0 || this.#state !== 'member') {
      return;
    }
    for (const [name, seconds] of [...this.#idle]) {
      const record = this.#deps.records.byName.get(name as UserName);
      if (record === undefined || seconds * 1_000 < forgetMs || this.#isUsed(record.name)) {
        continue;
      }
      if (record.directories !== 'many' && (await this.#directoryOf(record.name)) === undefined) {
        await this.#keep(() => this.#forget(record.name));
      }
    }
  }

  async #countIdleNow(): Promise<void> {
    const now = this.#deps.monotonic();
    const seconds = (now - this.#idleCounted) / 1_000;
    this.#idleCounted = now;
    const { byName } = this.#deps.records;
    for (const name of byName.keys()) {
      if (this.#isUsed(name)) {
        this.#idle.delete(name);
      } else {
        this.#idle.set(name, Math.round((this.#idle.get(name) ?? 0) + seconds));
      }
    }
    for (const name of this.#idle.keys()) {
      if (!byName.has(name as UserName)) {
        this.#idle.delete(name);
      }
    }
    await this.#deps.records.putIdle(this.#idle);
  }

  #isUsed(name: UserName): boolean {
    return this.#uses.has(name) || this.#deps.isLive(name);
  }

  async #directoryOf(name: UserName): Promise<string | undefined> {
    const directories = this.#deps.records.byName.get(name)?.directories;
    for (const path of directories === undefined || directories === 'many' ? [] : directories) {
      if (await this.#deps.exists(path)) {
        return path;
      }
    }
    return undefined;
  }

  /** Here first, then in the store: a crash in between leaves a hold that is taken up again, and never a record without a hold. */
  async #forget(name: UserName): Promise<void> {
    const { records, companion, identity } = this.#deps;
    const forgotten = (async () => {
      await records.remove(name);
      this.#conflicts.delete(name);
      this.#idle.delete(name);
      await companion.call('Forget', { host: identity.host, incarnation: records.host.incarnation ?? '', name });
    })();
    this.#forgetting.set(name, forgotten);
    try {
      await forgotten;
    } catch (error) {
      throw this.#unavailable(notForgotten(name), wordsOf(error));
    } finally {
      this.#forgetting.delete(name);
      this.#publishSoon();
    }
  }

  // ---- waiting and telling

  /** Waits until this host is a member. @param what cannot be done otherwise. @throws DynuserError FleetUnavailable */
  async #member(what: string): Promise<void> {
    const left = this.#contactLost + this.#deps.waits.contactMs - this.#deps.monotonic();
    if (this.#state === 'waiting' && left > 0) {
      await this.#until(() => this.#state !== 'waiting' || this.#isStopped, left);
    }
    if (this.#state !== 'member') {
      throw this.#unavailable(what, this.#reason ?? 'this host is no member');
    }
  }

  #unavailable(what: string, reason: string): DynuserError {
    const why =
      this.#state === 'member' || this.#reason === undefined || this.#reason === reason ? '' : ` (${this.#reason})`;
    return new DynuserError('FleetUnavailable', `${what}: ${reason}${why}`, { field: 'fleet' });
  }

  #become(state: MemberState, reason: string | undefined): void {
    const { log, identity } = this.#deps;
    if (state !== this.#state) {
      if (state === 'member') {
        log.info(`${identity.hostName} (${identity.host}) is a member of the fleet`);
      } else if (state !== 'waiting' && reason !== undefined) {
        log.warn(reason);
      }
    }
    this.#state = state;
    this.#reason = reason;
    this.#changed();
  }

  /** A session has ended. */
  #lost(error: unknown): void {
    if (this.#isStopped || this.#state === 'left') {
      return;
    }
    const code = error instanceof VarlinkError ? codeOf(error) : undefined;
    const isRefusal = code !== undefined && code !== 'StoreUnavailable' && code !== 'NotMember';
    if (this.#state === 'member' || this.#state === 'restoring') {
      this.#contactLost = this.#deps.monotonic();
    }
    const reason = this.#state === 'fenced' ? `${this.#reason}: ${wordsOf(error)}` : wordsOf(error);
    this.#trouble(`no member of the fleet: ${reason}`);
    this.#state =
      this.#state === 'fenced' ? 'fenced' : isRefusal ? (code === 'HostAlive' ? 'cloned' : 'refused') : 'waiting';
    this.#reason = reason;
    this.#changed();
  }

  /** The same trouble is told once, until there is another. */
  #trouble(what: string): void {
    if (this.#lastTrouble !== what) {
      this.#lastTrouble = what;
      this.#deps.log.warn(what);
    }
  }

  #changed(): void {
    for (const check of [...this.#waiting]) {
      check();
    }
  }

  /** Waits until something is so; with a time, no longer than that. */
  #until(isSo: () => boolean, ms?: number): Promise<void> {
    if (isSo() || this.#isStopped) {
      return Promise.resolve();
    }
    return new Promise(resolve => {
      const timer = ms === undefined ? undefined : setTimeout(() => end(), ms);
      const check = () => {
        if (isSo() || this.#isStopped) {
          end();
        }
      };
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  #sleep(ms: number): Promise<void> {
    return this.#until(() => this.#isStopped, ms);
  }

  /** One timer of each kind. */
  #later(kind: string, ms: number, task: () => unknown): void {
    if (this.#isStopped || this.#timers.has(kind)) {
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(kind);
      void this.#keep(async () => {
        await task();
      });
    }, ms);
    timer.unref();
    this.#timers.set(kind, timer);
  }

  #cancel(kind: string): void {
    clearTimeout(this.#timers.get(kind));
    this.#timers.delete(kind);
  }

  async #keep(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#trouble(`what this host knows of the fleet cannot be kept: ${reasonOf(error)}`);
    }
  }

  #seenSoon(): void {
    this.#later('seen', SEEN_AFTER_MS, () => this.#seen && this.#deps.records.putSeen(this.#seen));
  }

  #publishSoon(): void {
    this.#later('publish', PUBLISH_AFTER_MS, () => this.#publish());
    this.#later('copy', COPY_EVERY_MS, () => this.#deps.records.putSnapshot(encodeSnapshot(this.#users())));
  }

  #publish(): void {
    try {
      this.#deps.publish(encodeSnapshot(this.#users()));
    } catch (error) {
      this.#deps.log.warn('the users of other hosts cannot be published', error);
    }
  }

  /** Those of this host as they are recorded, and all others that do not contradict them. */
  #users(): readonly FleetUser[] {
    const { byName, byUid } = this.#deps.records;
    const users: FleetUser[] = [...byName.values()].map(({ name, uid }) => ({ name, uid }));
    for (const user of this.#mirror.bound()) {
      if (!byName.has(user.name) && !byUid.has(user.uid)) {
        users.push(user);
      }
    }
    return users.slice(0, SNAPSHOT_USERS_MAX);
  }

  /** A user of the fleet, of this host or another. */
  userNamed(name: UserName): FleetUser | undefined {
    const uid = this.#deps.records.byName.get(name)?.uid ?? this.#mirror.uidOf(name);
    const owner = uid === undefined ? undefined : this.#deps.records.byUid.get(uid);
    return uid === undefined || (owner !== undefined && owner.name !== name) ? undefined : { name, uid };
  }

  userNumbered(uid: Uid): FleetUser | undefined {
    const mirrored = this.#mirror.ownerOf(uid);
    const name = this.#deps.records.byUid.get(uid)?.name ?? (mirrored?.cools === false ? mirrored.name : undefined);
    return name === undefined ? undefined : this.userNamed(name)?.uid === uid ? { name, uid } : undefined;
  }

  users(): readonly FleetUser[] {
    return this.#users();
  }
}

function positionOf({ cluster, revision }: StorePosition): StorePosition {
  if (cluster === '' || cluster.length > 128 || !Number.isSafeInteger(revision) || revision < 0) {
    throw new Error('dynuser-fleetd has answered with what cannot be a position of a store');
  }
  return { cluster, revision };
}

function codeOf({ error }: VarlinkError): string {
  return error.slice(error.lastIndexOf('.') + 1);
}

/** What an answer of the companion means for whoever reads the log. */
function wordsOf(error: unknown): string {
  if (!(error instanceof VarlinkError)) {
    return reasonOf(error);
  }
  const { parameters } = error;
  const said = (key: string) => JSON.stringify(String(parameters[key] ?? '').slice(0, 200));
  switch (codeOf(error)) {
    case 'StoreUnavailable':
      return `the store of the fleet does not answer: ${said('reason')}`;
    case 'NoFleet':
      return `the store has no fleet ${said('fleet')}; create it ('dynuserctl fleet create')`;
    case 'RangesDiffer':
      return `the fleet gives out the UIDs ${said('ranges')}, and FleetUidRange= says others; make them the same on all hosts`;
    case 'HostAlive':
      return `another machine with the same /etc/machine-id is a member, and is called ${said('hostName')}; give one of the two another (systemd-machine-id-setup), or wait a minute if it was this one`;
    case 'NotMember':
      return 'the store knows this host by another incarnation: it was given up, or another machine has taken its place';
    case 'Restoring':
      return 'the store was restored from a backup, and names get no UID before all hosts have put their bindings again';
    case 'NotPermitted':
      return `dynuser-fleetd serves root alone: ${said('reason')}`;
    default:
      return `dynuser-fleetd has answered ${error.error.slice(0, 100)}`;
  }
}

/** What is said if something cannot be done, before the reason. */
const noUid = (name: string): string => `the fleet gives no UID for ${name}`;
const notForgotten = (name: string): string => `this host cannot forget ${name}`;
const notTaken = (place: SharedPlace): string => `the fleet does not say whose ${textOf(place)} is`;
const NOT_LEFT = 'this host cannot leave the fleet';
const BOOTED = 'this host has booted, and must see once that it was not given up meanwhile';

function conflictOf(reason: string, field = 'fleet'): DynuserError {
  return new DynuserError('FleetConflict', reason, { field });
}

function directoryFailed({ field }: SharedPlace, reason: string): DynuserError {
  return new DynuserError('DirectoryFailed', reason, { field });
}

function textOf({ storage, path }: SharedPlace): string {
  return `${storage}:${path}`;
}
