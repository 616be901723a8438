/**
 * The membership of this host: it joins through the companion, removes differences between the store and its records, and follows the
 * bindings, again and again until the daemon ends. Only this module knows whether this host is a member, and what the store contradicts.
 */
import type {
  BindingsReply,
  HoldAgainReply,
  HoldsOfReply,
  JoinReply,
  RestoreReply,
  StatusReply,
} from '../api/generated/io-dynuser-fleet.ts';
import { DynuserError } from '../core/errors.ts';
import { canonicalRange, type FleetUser, INCARNATION } from '../core/fleet.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { VarlinkClient } from '../varlink/client.ts';
import type { JsonObject } from '../varlink/json.ts';
import { codeOf, conflictOf, wordsOf } from './answers.ts';
import type { Bindings } from './bindings.ts';
import { streamOf } from './companion.ts';
import type { FleetDeps } from './deps.ts';
import type { HoldRecord, StorePosition } from './records.ts';
import type { Tasks } from './tasks.ts';
import type { NameUses } from './uses.ts';

const SEEN_AFTER_MS = 1_000;
/** Bindings in one call of Restore. */
const RESTORE_BATCH = 500;
/** How often a join may turn out to be that of a fenced host. */
const JOIN_TURNS_MAX = 4;
export const NOT_LEFT = 'this host cannot leave the fleet';

/** waiting: no contact with the companion, or it has none with the store. The others as the interface has them. */
export type MemberState = 'waiting' | 'member' | 'fenced' | 'restoring' | 'refused' | 'cloned' | 'left';

export class Membership {
  readonly #deps: FleetDeps;
  readonly #bindings: Bindings;
  readonly #uses: NameUses;
  readonly #tasks: Tasks;
  #state: MemberState = 'waiting';
  #reason: string | undefined = 'dynuser-fleetd was not reached yet';
  #fleet: string | undefined;
  #isChecked: boolean;
  #contactLost: number;
  #seen: StorePosition | undefined;
  #conflicts = new Map<UserName, string>();
  #client: VarlinkClient | undefined;
  #running: Promise<void> | undefined;
  /** no name is held any more, and no hold is taken up, since all of them are being given back */
  #isLeaving = false;

  constructor(deps: FleetDeps, bindings: Bindings, uses: NameUses, tasks: Tasks) {
    this.#deps = deps;
    this.#bindings = bindings;
    this.#uses = uses;
    this.#tasks = tasks;
    this.#isChecked = deps.records.host.boot === deps.identity.boot;
    this.#seen = deps.records.seen;
    this.#contactLost = deps.monotonic();
  }

  start(): void {
    this.#running = this.#run();
  }

  /** After the tasks were stopped. */
  async stop(): Promise<void> {
    await this.#running;
    const seen = this.#seen;
    if (seen !== undefined) {
      await this.#tasks.keep(() => this.#deps.records.putSeen(seen));
    }
  }

  // ---- what others ask

  get state(): MemberState {
    return this.#state;
  }

  /** why it is not a member, and what to do; undefined for a member */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** what the fleet is called, if that is known */
  get fleet(): string | undefined {
    return this.#fleet;
  }

  /** names whose record the store contradicts, and how */
  get conflicts(): ReadonlyMap<UserName, string> {
    return this.#conflicts;
  }

  /** Whether recorded users may be started: the store has said in this boot that this host is a member, or need not say so. */
  get mayStart(): boolean {
    // A host that knows of its fence does not trust the boot: its names may be others' by now.
    return this.#isChecked || (this.#deps.settings().trustsBoot && this.#state !== 'fenced');
  }

  /** Waits until this host is a member. @param what cannot be done otherwise. @throws DynuserError FleetUnavailable */
  async need(what: string): Promise<void> {
    const left = this.#contactLost + this.#deps.waits.contactMs - this.#deps.monotonic();
    if (this.#state === 'waiting' && left > 0) {
      await this.#tasks.until(() => this.#state !== 'waiting' || this.#tasks.isStopped, left);
    }
    if (this.#state !== 'member' || this.#isLeaving) {
      throw this.unavailable(
        what,
        this.#isLeaving ? 'this host leaves it' : (this.#reason ?? 'this host is not a member'),
      );
    }
  }

  /** What cannot be done, and why. */
  unavailable(what: string, reason: string): DynuserError {
    const why =
      this.#state === 'member' || this.#reason === undefined || this.#reason === reason ? '' : ` (${this.#reason})`;
    return new DynuserError('FleetUnavailable', `${what}: ${reason}${why}`, { field: 'fleet' });
  }

  /** @throws DynuserError FleetConflict if the store contradicts the record of a name */
  checkConflict(name: UserName, uid: Uid): void {
    const conflict = this.#conflicts.get(name);
    if (conflict !== undefined && this.#deps.records.byName.get(name)?.uid === uid) {
      throw conflictOf(conflict);
    }
  }

  /** The conflict of a name is over, since this host does not hold it any more. */
  forgotten(name: UserName): void {
    this.#conflicts.delete(name);
  }

  /** Ends the session with the companion: this host has to join again. */
  again(): void {
    this.#client?.close();
  }

  /** Ends the membership. @throws DynuserError FleetConflict if a name is held, FleetUnavailable */
  async leave(): Promise<void> {
    const { records } = this.#deps;
    this.#isLeaving = true;
    try {
      // Holds that were asked for before are still finished.
      await this.#tasks.until(() => !this.#uses.isHolding);
      // Until this host is a member again, it may be taking up holds that it has no record of.
      if (this.#state !== 'member') {
        throw this.unavailable(NOT_LEFT, this.#reason ?? 'this host is not a member');
      }
      const [name] = records.byName.keys();
      if (name !== undefined) {
        throw conflictOf(`this host holds ${name} again; release it, and try again`, 'name');
      }
      await this.#leave();
    } finally {
      this.#isLeaving = false;
      this.#tasks.changed();
    }
    this.#client?.close();
    await this.#bindings.end();
  }

  async #leave(): Promise<void> {
    const { records, companion } = this.#deps;
    try {
      await companion.call('Leave', records.member);
    } catch (error) {
      throw this.unavailable(NOT_LEFT, wordsOf(error));
    }
    await records.putHost({ incarnation: undefined, next: undefined, boot: undefined });
    this.#isChecked = false;
    this.#become('left', 'this host has left the fleet; set Fleet=off, or restart dynuserd to join again');
  }

  // ---- the life

  async #run(): Promise<void> {
    const { retryFirstMs, retryMaxMs } = this.#deps.waits;
    let wait = retryFirstMs;
    while (!this.#tasks.isStopped && this.#state !== 'left') {
      const begun = this.#deps.monotonic();
      try {
        await this.#session();
      } catch (error) {
        this.#lost(error);
      }
      if (this.#deps.monotonic() - begun > retryMaxMs) {
        wait = retryFirstMs;
      }
      await this.#tasks.sleep(this.#deps.random() * wait);
      wait = Math.min(2 * wait, retryMaxMs);
    }
  }

  /** Joins, puts right what differs, and follows the bindings until that ends. @throws Error always, why it has ended */
  async #session(): Promise<never> {
    const { companion } = this.#deps;
    await this.#tasks.until(() => !this.#isLeaving);
    if (this.#state === 'left') {
      throw new Error('this host has left the fleet');
    }
    const { fleet } = await companion.call<StatusReply>('Status', {});
    this.#fleet = fleet.slice(0, 64);
    const joined = await this.#join();
    await (joined.restoring ? this.#restoreAll() : this.#reconcile());
    if (this.#tasks.isStopped) {
      throw new Error('the daemon is stopping');
    }
    if (joined.restoring) {
      const reason =
        'the store was restored from a backup: no name gets a new UID before all hosts have put their bindings again (dynuserctl fleet check, then dynuserctl fleet resume)';
      this.#become('restoring', reason);
      this.#tasks.later('restoring', this.#deps.waits.restoringMs, () => this.#isRestored());
    } else {
      await this.#checked();
    }
    const client = await companion.connect();
    this.#client = client;
    try {
      if (this.#tasks.isStopped) {
        throw new Error('the daemon is stopping');
      }
      this.#verifyLater();
      const since: JsonObject = this.#bindings.position === undefined ? {} : { since: { ...this.#bindings.position } };
      for await (const batch of streamOf(client, 'Bindings', since)) {
        // It was checked against the interface that the type was made from.
        this.#take(batch as unknown as BindingsReply);
      }
      throw new Error('dynuser-fleetd has ended the list of bindings');
    } finally {
      this.#bindings.interrupted();
      this.#client = undefined;
      this.#tasks.cancel('verify');
      this.#tasks.cancel('restoring');
      client.close();
    }
  }

  /** Takes a batch of bindings. @throws Error if the store has gone back: the next join finds out whether it may */
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
    this.#bindings.take(batch, position);
    this.#seen = position;
    this.#seenSoon();
    if (batch.complete && this.#state === 'waiting') {
      this.#become('member', undefined);
    }
  }

  /** A session has ended. */
  #lost(error: unknown): void {
    if (this.#tasks.isStopped || this.#state === 'left') {
      return;
    }
    const code = codeOf(error);
    const isRefusal = code !== undefined && !['StoreUnavailable', 'NotMember', 'Restoring'].includes(code);
    if (this.#state === 'member' || this.#state === 'restoring') {
      this.#contactLost = this.#deps.monotonic();
    }
    const reason = this.#state === 'fenced' ? `${this.#reason}: ${wordsOf(error)}` : wordsOf(error);
    this.#tasks.trouble(`not a member of the fleet: ${reason}`, code);
    if (this.#state !== 'fenced') {
      this.#state = !isRefusal ? 'waiting' : code === 'HostAlive' ? 'cloned' : 'refused';
    }
    this.#reason = reason;
    this.#tasks.changed();
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
    this.#tasks.changed();
  }

  #seenSoon(): void {
    this.#tasks.later('seen', SEEN_AFTER_MS, () => this.#seen && this.#deps.records.putSeen(this.#seen));
  }

  // ---- joining

  async #join(): Promise<JoinReply> {
    const { records, identity } = this.#deps;
    let { incarnation } = records.host;
    for (let turn = 0; turn < JOIN_TURNS_MAX; turn++) {
      const next = records.host.next ?? this.#nextIncarnation();
      if (records.host.next === undefined) {
        // Before the store can have it: a daemon that dies before the answer asks for the same.
        await records.putHost({ next });
      }
      const reply = await this.#askToJoin(incarnation, next, records.host.boot !== identity.boot);
      if (!INCARNATION.test(reply.incarnation)) {
        throw new Error('dynuser-fleetd has answered with an incarnation that is not valid');
      }
      this.#seen = positionOf(reply.position);
      this.#seenSoon();
      if (reply.state !== 'fenced') {
        if (reply.incarnation !== next && reply.incarnation !== records.host.incarnation) {
          throw new Error('dynuser-fleetd has answered with an incarnation that this host has not asked for');
        }
        await records.putHost({ incarnation: reply.incarnation, next: undefined });
        return reply;
      }
      await this.#holdAgain(reply.incarnation);
      incarnation = reply.incarnation;
    }
    throw new Error('this host was fenced again and again while it joined');
  }

  #askToJoin(incarnation: string | undefined, next: string, renew: boolean): Promise<JoinReply> {
    const { companion, identity } = this.#deps;
    return companion.call<JoinReply>('Join', {
      ...{ host: identity.host, hostName: identity.hostName, version: identity.version },
      ...(incarnation === undefined ? {} : { incarnation }),
      ...{ next, renew, ranges: canonicalRange(this.#bindings.range) },
      ...(this.#seen === undefined ? {} : { seen: { ...this.#seen } }),
    });
  }

  /** The number of times that this host has joined, and digits that no other host draws. */
  #nextIncarnation(): string {
    const former = Number(/^(\d{1,15})\./.exec(this.#deps.records.host.incarnation ?? '')?.[1] ?? 0);
    return `${former + 1}.${this.#deps.nonce()}`;
  }

  /**
   * This host was given up, and with it what it held. Names that are still bound as they were are held again. The users of all other names
   * end, since their UIDs may be others' by now, and their records are removed after that.
   * @throws Error if one cannot be ended: the host is not a member until then
   */
  async #holdAgain(fence: string): Promise<void> {
    const { records, endUser, log } = this.#deps;
    this.#isChecked = false;
    this.#become(
      'fenced',
      'this host was given up (dynuserctl fleet forget-host), and ends what it does not hold any more',
    );
    // Also for a daemon that is started again before this is over.
    await records.putHost({ boot: undefined });
    // Names that are being held now get their hold and their record before this goes further, or never.
    await this.#tasks.until(() => !this.#uses.isHolding || this.#tasks.isStopped);
    for (const { name, uid } of [...records.byName.values()]) {
      const held = await this.#isHeldAgain({ name, uid }, fence);
      if (held === undefined) {
        // Nobody can say before all hosts have put their bindings again.
        await this.#restoreAll(fence);
        return;
      }
      if (held) {
        continue;
      }
      await this.#tasks.until(() => !this.#uses.isRequested(name) || this.#tasks.isStopped);
      log.error(`${name} (UID ${uid}) is ended: this host was given up, and the name is not bound as it was any more`);
      const left = await endUser(name, uid);
      if (left !== undefined) {
        throw new Error(`${name} (UID ${uid}) was given up for this host and cannot be ended: ${left}; end it by hand`);
      }
      await records.remove(name);
    }
    this.#bindings.publishSoon();
  }

  /** @returns undefined if the store is being restored, and cannot say */
  async #isHeldAgain(
    { name, uid }: FleetUser,
    incarnation = this.#deps.records.member.incarnation,
  ): Promise<boolean | undefined> {
    const { companion, records } = this.#deps;
    try {
      const asked = { ...records.member, incarnation, name, uid };
      const { held } = await companion.call<HoldAgainReply>('HoldAgain', asked);
      return held;
    } catch (error) {
      if (codeOf(error) === 'Restoring') {
        return undefined;
      }
      throw error;
    }
  }

  /** Takes up holds that are not recorded here, and puts again those that the store does not have. */
  async #reconcile(): Promise<void> {
    const { records, companion, identity, log } = this.#deps;
    // A name that is forgotten while the holds are read may be listed, although it is not held any more.
    using forgotten = this.#uses.observeForgotten();
    const held = new Map<string, number>();
    for await (const { holds } of companion.list<HoldsOfReply>('HoldsOf', { host: identity.host })) {
      for (const { name, uid } of holds) {
        held.set(name, uid);
      }
      this.#bindings.checkCount(held.size);
    }
    for (const [text, number] of held) {
      const user = this.#bindings.userOf(text, number);
      if (user === undefined || forgotten.has(user.name) || records.byName.has(user.name)) {
        continue;
      }
      const owner = records.byUid.get(user.uid)?.name;
      if (owner === undefined) {
        await this.#takeUp(user);
      } else {
        log.error(
          `the fleet says that this host holds ${user.name} with the UID ${user.uid}, which is ${owner}'s here`,
        );
      }
    }
    const missing: HoldRecord[] = [];
    for (const record of [...records.byName.values()].filter(({ name, uid }) => held.get(name) !== uid)) {
      if ((await this.#isHeldAgain(record)) !== true) {
        missing.push(record);
      }
    }
    this.#conflicts = await this.#restore(missing, false);
    this.#bindings.publishSoon();
  }

  /**
   * Records a hold that a list has told of. It is held again first: a call that was to end the former hold, however late, does not end this one.
   */
  async #takeUp(user: FleetUser): Promise<void> {
    const { records, log } = this.#deps;
    using _use = await this.#uses.begin(user.name);
    if ((await this.#isHeldAgain(user)) === true && !records.byName.has(user.name)) {
      // Where its files are is not known: it is not forgotten by itself.
      await records.put({ ...user, directories: 'many', shared: [] });
      log.info(`${user.name} (UID ${user.uid}) is held by this host, and was not recorded; it is now`);
    }
  }

  /** The store has said that this host is a member. */
  async #checked(): Promise<void> {
    const { records, identity } = this.#deps;
    if (records.host.boot !== identity.boot) {
      await records.putHost({ boot: identity.boot });
    }
    this.#isChecked = true;
    this.#tasks.recovered();
    // Recorded users may start; new names wait until the bindings are read.
    this.#become('waiting', 'the bindings of the fleet are being read');
  }

  // ---- whether it still is a member

  #verifyLater(): void {
    // Not all hosts of a fleet ask at the same time.
    this.#tasks.later('verify', this.#deps.waits.verifyMs * (0.5 + this.#deps.random()), () => this.#verify());
  }

  /** Whether a member still is one: it asks for nothing new. */
  async #verify(): Promise<void> {
    const { incarnation } = this.#deps.records.member;
    const client = this.#client;
    try {
      const reply = await this.#askToJoin(incarnation, incarnation, false);
      if (reply.state !== 'member' || reply.restoring !== (this.#state === 'restoring')) {
        client?.close();
      } else {
        await this.putAgain(this.#conflicting());
      }
    } catch (error) {
      if (![undefined, 'StoreUnavailable'].includes(codeOf(error))) {
        client?.close();
      }
    }
    this.#verifyLater();
  }

  async #isRestored(): Promise<void> {
    const client = this.#client;
    await this.putAgain(this.#conflicting());
    const status = await this.#deps.companion.call<StatusReply>('Status', {}).catch(() => undefined);
    if (status?.restoring === false) {
      client?.close();
    } else if (client !== undefined) {
      this.#tasks.later('restoring', this.#deps.waits.restoringMs, () => this.#isRestored());
    }
  }

  // ---- a store that was restored

  async #restoreAll(incarnation?: string): Promise<void> {
    this.#conflicts = await this.#restore([...this.#deps.records.byName.values()], true, incarnation);
  }

  /** Puts bindings again that the store contradicted: somebody may have ended what did so. Without an answer they stay as they are. */
  async putAgain(records: readonly HoldRecord[]): Promise<void> {
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
      this.#tasks.trouble(`what contradicts the store of the fleet cannot be put there: ${wordsOf(error)}`);
    }
  }

  #conflicting(): readonly HoldRecord[] {
    return [...this.#conflicts.keys()].flatMap(name => this.#deps.records.byName.get(name) ?? []);
  }

  /**
   * Create-or-equal: a binding that the store has otherwise stays, and nothing more is started as the name's user here before somebody has
   * ended one of the two. Processes that run continue: a program cannot say which of the two is right.
   * @returns the names for which the store has something else, and what
   */
  async #restore(
    missing: readonly HoldRecord[],
    isAll: boolean,
    incarnation = this.#deps.records.member.incarnation,
  ): Promise<Map<UserName, string>> {
    const { companion, records, log } = this.#deps;
    const conflicts = new Map<UserName, string>();
    // A host without records makes the last call, too.
    for (let from = 0; (isAll && from === 0) || from < missing.length; from += RESTORE_BATCH) {
      const batch = missing.slice(from, from + RESTORE_BATCH);
      const reply = await companion.call<RestoreReply>('Restore', {
        ...records.member,
        incarnation,
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
      if (!this.#deps.records.byName.has(name)) {
        // It was forgotten while the store was asked.
        conflicts.delete(name);
      } else if (this.#conflicts.get(name) !== reason) {
        log.error(reason);
      }
    }
    return conflicts;
  }
}

function positionOf({ cluster, revision }: StorePosition): StorePosition {
  if (cluster === '' || cluster.length > 128 || !Number.isSafeInteger(revision) || revision < 0) {
    throw new Error('dynuser-fleetd has answered with a position of the store that is not valid');
  }
  return { cluster, revision };
}
