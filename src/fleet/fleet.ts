/**
 * What this host does with names of a fleet: it holds those whose users it makes, and asks nobody for them from then on. That is safe because
 * of what is recorded here and what this host can see by itself: the companion may refuse, delay and lie, but it cannot give a name a UID that
 * this host knows to be another's.
 *
 * Nothing is freed because time has passed, and no decision reads a clock that can be set. membership.ts has the life with the store,
 * bindings.ts what is known of all hosts, forgetting.ts how names are given back.
 */
import type { FleetFinding, FleetPort, HoldOutcome } from '../allocator/fleet-port.ts';
import type { FleetOperations, FleetStatus } from '../allocator/ports.ts';
import type { HoldReply } from '../api/generated/io-dynuser-fleet.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { BASE_DIRECTORIES, PRIVATE } from '../core/directory-classes.ts';
import { DynuserError, reasonOf } from '../core/errors.ts';
import { canonicalRange, isFleetName, type SharedPlace, sharedPlaces } from '../core/fleet.ts';
import { asUid, type Uid, type UserName } from '../core/ids.ts';
import { inRange, type UidRange } from '../core/range.ts';
import { VarlinkError } from '../varlink/errors.ts';
import { codeOf, conflictOf, wordsOf } from './answers.ts';
import { Bindings } from './bindings.ts';
import type { FleetDeps } from './deps.ts';
import { Forgetting } from './forgetting.ts';
import { Membership } from './membership.ts';
import { RECORDED_DIRECTORIES_MAX } from './records.ts';
import { Tasks } from './tasks.ts';
import { NameUses } from './uses.ts';

/** Directories on shared storage that are recorded of one name. */
export const SHARED_RECORDED_MAX = 1_024;

export class Fleet implements FleetPort, FleetOperations {
  readonly range: UidRange;
  readonly #deps: FleetDeps;
  readonly #tasks: Tasks;
  readonly #uses: NameUses;
  /** the users of all hosts, for lookups */
  readonly bindings: Bindings;
  readonly #membership: Membership;
  readonly #forgetting: Forgetting;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
    this.range = deps.settings().range;
    this.#tasks = new Tasks(what => deps.log.warn(what));
    this.#uses = new NameUses(deps.isLive, () => this.#tasks.changed());
    this.bindings = new Bindings(this.range, deps, this.#tasks);
    this.#membership = new Membership(deps, this.bindings, this.#uses, this.#tasks);
    this.#forgetting = new Forgetting(deps, this.bindings, this.#membership, this.#uses, this.#tasks);
  }

  /** The users of other hosts can be looked up at once, and as long as the daemon runs. Joins, and follows the fleet until stop(). */
  start(): void {
    this.bindings.publish();
    this.#forgetting.start();
    this.#membership.start();
  }

  async stop(): Promise<void> {
    this.#deps.companion.close();
    const due = this.#tasks.stop();
    await this.#membership.stop();
    await this.#forgetting.stop();
    await this.bindings.stop(due);
    await this.#deps.records.close();
  }

  // ---- what making a user needs

  concerns(name: UserName, asked: boolean | undefined): 'preferred' | 'required' | undefined {
    const { names, mode } = this.#deps.settings();
    // A recorded name stays one of the fleet, whatever the configuration says of it now: it has files with that UID.
    return isFleetName(name, names, asked) || (asked !== false && this.#deps.records.byName.has(name))
      ? mode
      : undefined;
  }

  begin(name: UserName): Promise<Disposable> {
    return this.#uses.begin(name);
  }

  async uidOf(name: UserName): Promise<Uid | undefined> {
    const { records } = this.#deps;
    if (records.byName.has(name) && !this.#membership.mayStart) {
      await this.#tasks.until(() => this.#membership.mayStart || !records.byName.has(name), this.#deps.waits.bootMs);
    }
    const record = records.byName.get(name);
    if (record !== undefined) {
      if (this.conflicts.has(name)) {
        await this.#membership.putAgain([record]);
      }
      this.#membership.checkConflict(name, record.uid);
      if (!this.#membership.mayStart) {
        throw this.#membership.unavailable(noUid(name), BOOTED);
      }
      return record.uid;
    }
    await this.#membership.need(noUid(name));
    return this.bindings.uidOf(name);
  }

  checkJoin(name: UserName, uid: Uid): void {
    this.#membership.checkConflict(name, uid);
  }

  formerUids(name: UserName): readonly Uid[] {
    return this.bindings.formerUids(name);
  }

  ownerOf(uid: Uid, name: UserName): UserName | undefined {
    return this.bindings.ownerOf(uid, name);
  }

  async hold(name: UserName, uid: Uid): Promise<HoldOutcome> {
    const { records } = this.#deps;
    const record = records.byName.get(name);
    if (record !== undefined) {
      if (!this.#membership.mayStart) {
        throw this.#membership.unavailable(noUid(name), 'this host has to join again');
      }
      return record.uid === uid ? { kind: 'held' } : { kind: 'bound', uid: record.uid };
    }
    this.#checkOwn(name, uid);
    return this.#uses.holding(async () => {
      await this.#membership.need(noUid(name));
      return this.#holdFirst(name, uid);
    });
  }

  /** The first use of a name here. The record is written while the store is asked, since both take about as long. */
  async #holdFirst(name: UserName, uid: Uid): Promise<HoldOutcome> {
    const { records, companion } = this.#deps;
    const prepared = records.prepare({ name, uid, directories: [], shared: [] });
    try {
      const reply = await companion.call<HoldReply>('Hold', {
        ...records.member,
        name,
        candidates: [uid],
      });
      if (reply.uid !== uid) {
        throw new Error(`dynuser-fleetd has answered with the UID ${reply.uid}, which it was not asked for`);
      }
      await this.#checkBindings(name, uid);
      try {
        await prepared.commit();
      } catch (error) {
        throw new DynuserError('HostFailed', `the hold of ${name} cannot be recorded: ${reasonOf(error)}`, {}, error);
      }
      this.bindings.bind({ name, uid });
      return { kind: 'held' };
    } catch (error) {
      await this.#tasks.keep(() => prepared.drop());
      return this.#refusalOf(name, uid, error);
    }
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
  async #checkBindings(name: UserName, uid: Uid): Promise<void> {
    if (this.bindings.contradicting(name, uid) !== undefined) {
      await this.refresh();
    }
    const owner = this.bindings.contradicting(name, uid);
    if (owner !== undefined) {
      throw conflictOf(`the fleet has the UID ${uid} for ${name}, and for ${owner} as well`);
    }
  }

  #refusalOf(name: UserName, uid: Uid, error: unknown): HoldOutcome {
    if (error instanceof DynuserError) {
      throw error;
    }
    const code = codeOf(error);
    if (error instanceof VarlinkError && code === 'NameBound') {
      const bound = asUid(Number(error.parameters['uid']));
      if (bound === undefined || bound === uid) {
        throw this.#membership.unavailable(noUid(name), 'dynuser-fleetd contradicts itself');
      }
      this.#checkOwn(name, bound);
      return { kind: 'bound', uid: bound };
    }
    if (code === 'NoneFree') {
      return { kind: 'taken' };
    }
    if (code === 'NotMember' || code === 'Restoring' || code === 'NoFleet') {
      this.#membership.again();
    }
    throw this.#membership.unavailable(noUid(name), wordsOf(error));
  }

  async refresh(): Promise<void> {
    try {
      await this.bindings.refresh();
    } catch (error) {
      throw this.#membership.unavailable('the fleet does not say which UIDs are free', reasonOf(error));
    }
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

  async #takeDirectory(name: UserName, place: SharedPlace): Promise<void> {
    const { records, companion } = this.#deps;
    const record = records.byName.get(name);
    const key = `${place.storage} ${place.path}`;
    if (record === undefined || record.shared.includes(key)) {
      return;
    }
    await this.#membership.need(notTaken(place));
    try {
      await companion.call('TakeDirectory', {
        ...records.member,
        ...{ name, storage: place.storage, path: place.path },
      });
    } catch (error) {
      if (error instanceof VarlinkError && codeOf(error) === 'DirectoryOfAnother') {
        const other = String(error.parameters['name']).slice(0, 64);
        throw directoryFailed(
          place,
          `${textOf(place)} is ${other}'s on all hosts of the fleet; choose another directory, or free it (dynuserctl fleet free-directory)`,
        );
      }
      throw this.#membership.unavailable(notTaken(place), wordsOf(error));
    }
    const present = records.byName.get(name);
    if (present !== undefined && present.shared.length < SHARED_RECORDED_MAX) {
      await records.put({ ...present, shared: [...new Set([...present.shared, key])] });
    }
  }

  used(name: UserName, directories: readonly RequestedDirectory[]): void {
    this.#forgetting.used(name);
    const { records } = this.#deps;
    const record = records.byName.get(name);
    if (record === undefined || record.directories === 'many') {
      return;
    }
    const kept = directories.filter(({ preserved, below }) => preserved && below === undefined);
    const paths = kept.map(({ kind, source }) => `${BASE_DIRECTORIES[kind]}/${PRIVATE}/${source}`);
    const all = [...new Set([...record.directories, ...paths])];
    if (all.length > record.directories.length) {
      const recorded = all.length > RECORDED_DIRECTORIES_MAX ? 'many' : all;
      void this.#tasks.keep(() => records.put({ ...record, directories: recorded }));
    }
  }

  // ---- what others are told

  finding(name: UserName): FleetFinding {
    const record = this.#deps.records.byName.get(name);
    const uid = record?.uid ?? this.bindings.uidOf(name);
    const found = (outcome: FleetFinding['outcome'], reason: string): FleetFinding => ({
      ...{ outcome, reason },
      ...(uid === undefined ? {} : { uid }),
    });
    const conflict = this.conflicts.get(name);
    const why = this.#membership.reason === undefined ? '' : ` (${this.#membership.reason})`;
    if (record !== undefined && conflict !== undefined) {
      return found('conflict', conflict);
    }
    if (record !== undefined) {
      return this.#membership.mayStart
        ? found('held', 'this host holds the name, and makes its user with and without the store')
        : found('unavailable', `this host holds the name; ${BOOTED}${why}`);
    }
    if (this.#membership.state !== 'member') {
      return found('unavailable', `this host is not a member, and does not hold the name${why}`);
    }
    if (uid !== undefined) {
      return found('bound', 'the name has this UID on every host; its first use here asks the store');
    }
    const [former] = this.formerUids(name);
    const first = former === undefined ? 'chooses one' : `gets ${former} again, which cools down for it`;
    return found('free', `the name has no UID; the first host that uses it ${first}`);
  }

  /** names whose record the store contradicts, and how */
  get conflicts(): ReadonlyMap<UserName, string> {
    return this.#membership.conflicts;
  }

  status(): FleetStatus {
    const { records, identity, settings, isLive } = this.#deps;
    const { state, reason, fleet } = this.#membership;
    const why = reason ?? [...this.conflicts.values()][0];
    return {
      ...{ mode: settings().mode, state: state === 'left' ? 'off' : state, known: this.bindings.size },
      ...{ host: identity.host, hostName: identity.hostName, ranges: canonicalRange(this.range) },
      ...(why === undefined ? {} : { reason: why }),
      ...(fleet === undefined ? {} : { fleet }),
      holds: [...records.byName.values()].map(({ name, uid }) => {
        const conflict = this.conflicts.get(name);
        return { name, uid, live: isLive(name), ...(conflict === undefined ? {} : { conflict }) };
      }),
    };
  }

  // ---- how names are given back

  forget(name: UserName): Promise<void> {
    return this.#forgetting.forget(name);
  }

  leave(): Promise<void> {
    return this.#forgetting.leave();
  }

  countIdle(): Promise<void> {
    return this.#forgetting.countIdle();
  }
}

const noUid = (name: string): string => `the fleet gives no UID for ${name}`;
const notTaken = (place: SharedPlace): string => `the fleet does not say whose ${textOf(place)} is`;
const BOOTED = 'this host has booted, and must see once that it was not given up meanwhile';

function directoryFailed({ field }: SharedPlace, reason: string): DynuserError {
  return new DynuserError('DirectoryFailed', reason, { field });
}

function textOf({ storage, path }: SharedPlace): string {
  return `${storage}:${path}`;
}
