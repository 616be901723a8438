/**
 * The users in memory: a cache of the registry by which every lookup is answered. Keeps the indexes consistent and tells
 * of each lease that came or went; decides nothing. Live users resolve; lost and ending ones only keep their UID from being given out.
 */
import type { DirectoriesInUse } from '../core/directory.ts';
import type { LeaseId, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser, Lease, LeasedGroup } from '../core/lease.ts';
import { heldGroups, isTold } from '../core/memberships.ts';
import { inRange, type UidRange } from '../core/range.ts';
import type { AcquireSeconds, LeaseEvents } from './events.ts';

export class UserTable {
  readonly #byName = new Map<UserName, DynamicUser>();
  readonly #dynamicByUid = new Map<Uid, DynamicUser>();
  readonly #nameByLease = new Map<LeaseId, UserName>();
  readonly #lost = new Map<Uid, DynamicUser>();
  readonly #announced = new Map<Uid, DynamicUser>();
  readonly #ending = new Map<Uid, DynamicUser>();
  /** how many leases each UID has acquired */
  readonly #ownerships = new Map<Uid, number>();
  /** those of #byName that have directories */
  readonly #withDirectories = new Map<UserName, DynamicUser>();
  /** the shared groups of those of #byName that hold any, and the reverse */
  readonly #groups = new Map<UserName, readonly LeasedGroup[]>();
  readonly #members = new Map<UserName, Set<UserName>>();
  readonly #leaving = new Set<LeaseId>();
  readonly #events: LeaseEvents;

  constructor(events: LeaseEvents) {
    this.#events = events;
  }

  /** @returns the user of that name that has leases, a lost one too */
  byName(name: UserName): DynamicUser | undefined {
    return this.#byName.get(name);
  }

  /** @returns the live dynamic user of that UID; never a static one */
  dynamicByUid(uid: Uid): DynamicUser | undefined {
    return this.#dynamicByUid.get(uid);
  }

  /** @returns the live dynamic user of that name */
  dynamicByName(name: UserName): DynamicUser | undefined {
    const user = this.#byName.get(name);
    return user !== undefined && isTold(user) ? user : undefined;
  }

  /** @returns the shared groups of a live dynamic user that are live themselves */
  groupsOf(user: UserName): readonly LeasedGroup[] {
    const held = this.#groups.get(user);
    return held === undefined || this.dynamicByName(user) === undefined
      ? []
      : held.filter(({ name, gid }) => this.dynamicByName(name)?.gid === gid);
  }

  /** @returns the live dynamic users that are in a shared group, if that is live */
  membersOf(group: UserName): readonly UserName[] {
    const members = this.#members.get(group);
    return members === undefined || this.dynamicByName(group) === undefined
      ? []
      : [...members].filter(name => this.dynamicByName(name) !== undefined);
  }

  /** The users that hold shared groups, also those whose groups are gone. */
  inGroups(): IterableIterator<UserName> {
    return this.#groups.keys();
  }

  /** How many users are in how many shared groups. */
  get membershipCounts(): { readonly groups: number; readonly memberships: number } {
    const counts = [...this.#members.keys()].map(group => this.membersOf(group).length).filter(count => count > 0);
    return { groups: counts.length, memberships: counts.reduce((sum, count) => sum + count, 0) };
  }

  /** @returns the user that has a number, or is about to get it */
  numbered(uid: Uid): DynamicUser | undefined {
    return this.#dynamicByUid.get(uid) ?? this.#announced.get(uid);
  }

  /**
   * A user that is being made has its number from now on, before it is live: whoever chooses a number for an account has to see
   * it. @returns a function that ends this, for when the user lives or could not be made
   */
  announce(user: DynamicUser): () => void {
    this.#announced.set(user.uid, user);
    return () => this.#announced.delete(user.uid);
  }

  /** @returns the user, live, lost or ending, that keeps a UID of the range from being given out */
  holding(uid: Uid): DynamicUser | undefined {
    return this.#dynamicByUid.get(uid) ?? this.#lost.get(uid) ?? this.#ending.get(uid);
  }

  byLease(lease: LeaseId): DynamicUser | undefined {
    const name = this.#nameByLease.get(lease);
    return name === undefined ? undefined : this.#byName.get(name);
  }

  /** All users that have leases, static and lost ones too, in the order in which they came. */
  live(): IterableIterator<DynamicUser> {
    return this.#byName.values();
  }

  /** The live dynamic users, in the order in which they came. */
  dynamic(): IterableIterator<DynamicUser> {
    return this.#dynamicByUid.values();
  }

  get dynamicCount(): number {
    return this.#dynamicByUid.size;
  }

  /** How many users have leases. */
  get liveCount(): number {
    return this.#byName.size;
  }

  /** The users whose leftovers are being removed. */
  ending(): IterableIterator<DynamicUser> {
    return this.#ending.values();
  }

  /** How many UIDs are held, by live, lost and ending users. */
  get heldCount(): number {
    return this.#dynamicByUid.size + this.#lost.size + this.#ending.size;
  }

  /** Counts the UIDs of a range that are held, by live, lost and ending users. */
  countHeld(range: UidRange): number {
    const held = [this.#dynamicByUid, this.#lost, this.#ending].flatMap(users => [...users.keys()]);
    return held.filter(uid => inRange(range, uid)).length;
  }

  get leaseCount(): number {
    return this.#nameByLease.size;
  }

  /** How many leases the processes of one UID hold. */
  leasesOf(owner: Uid): number {
    return this.#ownerships.get(owner) ?? 0;
  }

  /** Who has which directories, one entry for each lease. Those of a lost user are not its own any more. */
  directoriesInUse(): DirectoriesInUse[] {
    return this.#directoriesInUse(() => true);
  }

  /** Who will have which directories once all leases that are being released have ended. */
  directoriesThatStay(): DirectoriesInUse[] {
    return this.#directoriesInUse(lease => !this.#leaving.has(lease));
  }

  /**
   * A lease is about to end: two leases released concurrently must not keep a directory alive for each other.
   * @returns a function that ends this, for when the lease has ended or could not
   */
  leave(lease: LeaseId): () => void {
    this.#leaving.add(lease);
    return () => this.#leaving.delete(lease);
  }

  #directoriesInUse(counts: (lease: LeaseId) => boolean): DirectoriesInUse[] {
    const found: DirectoriesInUse[] = [];
    for (const user of this.#withDirectories.values()) {
      for (const { id: lease, directories } of user.lost === undefined ? user.leases : []) {
        if (directories.length > 0 && counts(lease)) {
          found.push({ user: user.name, directories });
        }
      }
    }
    return found;
  }

  /**
   * Puts a live user in, in place of its former state, and tells which leases came and went.
   * @param seconds how long it took to acquire the lease that came
   */
  put(user: DynamicUser, seconds?: AcquireSeconds): void {
    const former = this.#byName.get(user.name);
    this.#index(user);
    // A group may have a thousand.
    const formerLeases = new Set(former?.leases);
    const leases = new Set(user.leases);
    const gone = [...formerLeases].filter(lease => !leases.has(lease));
    for (const lease of gone) {
      this.#forget(lease);
      this.#events.tell({ kind: 'released', user, lease, left: user.leases.length });
    }
    for (const lease of user.leases) {
      if (!formerLeases.has(lease)) {
        this.#note(lease, user);
        const joined = formerLeases.size > 0;
        this.#events.tell({ kind: 'allocated', user, lease, joined, ...(seconds === undefined ? {} : { seconds }) });
      }
    }
  }

  /** Puts in a user whose leases a former daemon gave out. */
  restore(user: DynamicUser): void {
    this.#index(user);
    for (const lease of user.leases) {
      this.#note(lease, user);
    }
    this.#events.tell({ kind: 'recovered', user });
  }

  #index(user: DynamicUser): void {
    this.#byName.set(user.name, user);
    if (this.#groups.has(user.name) || user.leases.some(({ groups }) => groups !== undefined)) {
      this.#indexGroups(user.name, heldGroups(user));
    }
    if (user.leases.some(({ directories }) => directories.length > 0)) {
      this.#withDirectories.set(user.name, user);
    } else {
      this.#withDirectories.delete(user.name);
    }
    if (isTold(user)) {
      this.#dynamicByUid.set(user.uid, user);
    } else if (user.dynamic) {
      this.#dynamicByUid.delete(user.uid);
      this.#lost.set(user.uid, user);
    }
  }

  #indexGroups(user: UserName, groups: readonly LeasedGroup[]): void {
    for (const { name } of this.#groups.get(user) ?? []) {
      const members = this.#members.get(name);
      members?.delete(user);
      if (members?.size === 0) {
        this.#members.delete(name);
      }
    }
    if (groups.length === 0) {
      this.#groups.delete(user);
      return;
    }
    this.#groups.set(user, groups);
    for (const { name } of groups) {
      this.#members.set(name, (this.#members.get(name) ?? new Set()).add(user));
    }
  }

  #note({ id, owner }: Lease, { name }: DynamicUser): void {
    this.#nameByLease.set(id, name);
    this.#ownerships.set(owner, this.leasesOf(owner) + 1);
  }

  #forget({ id, owner }: Lease): void {
    this.#nameByLease.delete(id);
    const left = this.leasesOf(owner) - 1;
    if (left > 0) {
      this.#ownerships.set(owner, left);
    } else {
      this.#ownerships.delete(owner);
    }
  }

  /** Takes a live user out, and tells that its leases went. */
  remove(user: DynamicUser): void {
    const former = this.#byName.get(user.name)?.leases ?? [];
    this.#byName.delete(user.name);
    this.#indexGroups(user.name, []);
    this.#withDirectories.delete(user.name);
    if (user.dynamic) {
      this.#dynamicByUid.delete(user.uid);
      this.#lost.delete(user.uid);
    }
    for (const [index, lease] of former.entries()) {
      this.#forget(lease);
      this.#events.tell({ kind: 'released', user, lease, left: former.length - 1 - index });
    }
  }

  /** Reserves the UID of a user that ends. */
  reserve(user: DynamicUser): void {
    this.#ending.set(user.uid, user);
  }

  /** Frees the UID of a user that has ended. */
  free(user: DynamicUser): void {
    this.#ending.delete(user.uid);
  }
}
