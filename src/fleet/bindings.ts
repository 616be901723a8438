/**
 * The bindings of all hosts, as this host knows them: a mirror of what the companion tells, without what contradicts the records of this
 * host; and the snapshots of it, in which users of other hosts are looked up.
 */
import type { FleetUsers } from '../allocator/fleet-port.ts';
import type { BindingsReply } from '../api/generated/io-dynuser-fleet.ts';
import type { FleetUser } from '../core/fleet.ts';
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_USERS_MAX } from '../core/fleet-snapshot.ts';
import { asUid, type Uid, type UserName } from '../core/ids.ts';
import { parseUserName } from '../core/name.ts';
import { inRange, rangeSize, type UidRange } from '../core/range.ts';
import type { FleetDeps } from './deps.ts';
import { type BindingChange, Mirror } from './mirror.ts';
import type { StorePosition } from './records.ts';
import type { Tasks } from './tasks.ts';

/** Many changes come at once: the snapshot is written this long after the first of them, and its copy on disk at most this often. */
const PUBLISH_AFTER_MS = 100;
const COPY_EVERY_MS = 10_000;

type BindingsDeps = Pick<FleetDeps, 'records' | 'companion' | 'publish' | 'log'>;

export class Bindings implements FleetUsers {
  readonly range: UidRange;
  readonly #deps: BindingsDeps;
  readonly #tasks: Tasks;
  #mirror = new Mirror();
  /** the mirror that replaces it, once all bindings are there */
  #building: { readonly mirror: Mirror; changes: number } | undefined;
  #position: StorePosition | undefined;
  #isEnded = false;

  constructor(range: UidRange, deps: BindingsDeps, tasks: Tasks) {
    this.range = range;
    this.#deps = deps;
    this.#tasks = tasks;
    for (const user of decodeSnapshot(deps.records.snapshot ?? '') ?? []) {
      if (inRange(range, user.uid)) {
        this.#mirror.apply({ ...user, state: 'bound' });
      }
    }
  }

  // ---- what is known

  /** How many names are bound. */
  get size(): number {
    return this.#mirror.size;
  }

  /** the position of the store up to which all bindings are known; undefined before the first list is complete */
  get position(): StorePosition | undefined {
    return this.#position;
  }

  uidOf(name: UserName): Uid | undefined {
    return this.#mirror.uidOf(name);
  }

  formerUids(name: UserName): readonly Uid[] {
    const uid = this.#mirror.formerUid(name);
    return uid === undefined ? [] : [uid];
  }

  ownerOf(uid: Uid, name: UserName): UserName | undefined {
    const owner = this.#deps.records.byUid.get(uid)?.name ?? this.#mirror.ownerOf(uid)?.name;
    return owner === name ? undefined : owner;
  }

  /** Which name has a UID that another name was just given; undefined if nothing contradicts that. */
  contradicting(name: UserName, uid: Uid): UserName | undefined {
    const owner = this.#mirror.ownerOf(uid);
    return owner !== undefined && owner.name !== name && !owner.cools ? owner.name : undefined;
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

  /** Those of this host as they are recorded, and all others that do not contradict them. */
  users(): readonly FleetUser[] {
    const { byName, byUid } = this.#deps.records;
    const users: FleetUser[] = [...byName.values()].map(({ name, uid }) => ({ name, uid }));
    for (const user of this.#mirror.bound()) {
      if (!byName.has(user.name) && !byUid.has(user.uid)) {
        users.push(user);
      }
    }
    return users.slice(0, SNAPSHOT_USERS_MAX);
  }

  // ---- what is told

  /** Takes a batch of bindings, as of a position. @throws Error if there are too many */
  take(batch: BindingsReply, position: StorePosition): void {
    if (this.#isEnded) {
      return;
    }
    if (batch.reset) {
      this.#building = { mirror: new Mirror(), changes: 0 };
    }
    if (this.#building !== undefined) {
      this.#building.changes += batch.changes.length;
      this.checkCount(this.#building.changes);
    }
    this.#apply(this.#building?.mirror ?? this.#mirror, batch);
    if (batch.complete && this.#building !== undefined) {
      this.#mirror = this.#building.mirror;
      this.#building = undefined;
    }
    if (this.#building === undefined) {
      this.#position = position;
      this.publishSoon();
    }
  }

  /** The rest of a list that was begun does not come. */
  interrupted(): void {
    this.#building = undefined;
  }

  /** Reads all bindings again. @throws Error that says why that failed */
  async refresh(): Promise<void> {
    const fresh = new Mirror();
    let changes = 0;
    for await (const batch of this.#deps.companion.list<BindingsReply>('Bindings', { once: true })) {
      changes += batch.changes.length;
      this.checkCount(changes);
      this.#apply(fresh, batch);
    }
    if (!this.#isEnded) {
      this.#mirror = fresh;
      this.publishSoon();
    }
  }

  /** This host has left the fleet: users of other hosts are not looked up any more, now and after the next start. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.#mirror = new Mirror();
    this.#building = undefined;
    this.#position = undefined;
    this.publish();
    await this.#tasks.keep(() => this.#copy());
  }

  /** This host holds a name from now on. */
  bind(user: FleetUser): void {
    this.#mirror.apply({ ...user, state: 'bound' });
    this.publishSoon();
  }

  #apply(mirror: Mirror, { changes }: Pick<BindingsReply, 'changes'>): void {
    for (const { name, uid, state } of changes) {
      const user = this.userOf(name, uid);
      if (user === undefined) {
        this.#tasks.trouble(
          `the fleet has a binding that is not valid: ${JSON.stringify(name).slice(0, 64)} with UID ${uid}`,
        );
        continue;
      }
      const change: BindingChange = { ...user, state };
      const owner = this.#deps.records.byUid.get(user.uid);
      if (!mirror.apply(change)) {
        this.#tasks.trouble(
          `the fleet has the UID ${uid} for ${name}, and for ${mirror.ownerOf(user.uid)?.name} as well`,
        );
      } else if (state === 'bound' && owner !== undefined && owner.name !== user.name) {
        this.#tasks.trouble(`the fleet has the UID ${uid} for ${name}, and this host holds it for ${owner.name}`);
      }
    }
  }

  /** @returns undefined if that cannot be a user of the fleet */
  userOf(text: string, number: number): FleetUser | undefined {
    const parsed = parseUserName(text);
    const uid = asUid(number);
    return 'name' in parsed && uid !== undefined && inRange(this.range, uid) ? { name: parsed.name, uid } : undefined;
  }

  /** @throws Error if there are more bindings than UIDs, each of which may cool down and be bound meanwhile */
  checkCount(count: number): void {
    if (count > 2 * rangeSize(this.range) + 1_000) {
      throw new Error('dynuser-fleetd tells of more bindings than there are UIDs');
    }
  }

  // ---- what lookups see

  publishSoon(): void {
    this.#tasks.later('publish', PUBLISH_AFTER_MS, () => this.publish());
    this.#tasks.later('copy', COPY_EVERY_MS, () => this.#copy());
  }

  /** For the next start. */
  #copy(): Promise<void> {
    return this.#deps.records.putSnapshot(encodeSnapshot(this.users()));
  }

  publish(): void {
    try {
      this.#deps.publish(encodeSnapshot(this.users()));
    } catch (error) {
      this.#deps.log.warn('the users of other hosts cannot be published', error);
    }
  }

  /** @param due the tasks that were due when everything was stopped */
  async stop(due: ReadonlySet<string>): Promise<void> {
    if (due.has('copy') || due.has('publish')) {
      await this.#tasks.keep(() => this.#copy());
    }
  }
}
