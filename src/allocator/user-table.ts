/**
 * The users in memory: a cache of the registry by which every lookup is answered. Keeps the indexes consistent and tells
 * watchers of each change; decides nothing. Live users resolve; lost and ending ones only keep their UID from being given out.
 */
import type { DirectoriesInUse } from '../core/directory.ts';
import type { LeaseId, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser, Lease } from '../core/lease.ts';

/** One lease that came or went, or whose user has lost its UID. */
export interface LeaseChange {
  readonly kind: 'allocated' | 'released' | 'lost';
  readonly user: DynamicUser;
  readonly lease: Lease;
}

export class UserTable {
  readonly #byName = new Map<UserName, DynamicUser>();
  readonly #dynamicByUid = new Map<Uid, DynamicUser>();
  readonly #nameByLease = new Map<LeaseId, UserName>();
  readonly #lost = new Map<Uid, DynamicUser>();
  readonly #announced = new Map<Uid, DynamicUser>();
  readonly #ending = new Map<Uid, DynamicUser>();
  readonly #leaving = new Set<LeaseId>();
  readonly #watchers = new Set<(change: LeaseChange) => void>();

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
    return user?.dynamic === true && user.lost === undefined ? user : undefined;
  }

  /** @returns the user that has a number, or is about to */
  numbered(uid: Uid): DynamicUser | undefined {
    return this.#dynamicByUid.get(uid) ?? this.#announced.get(uid);
  }

  /**
   * A user that is being made has its number from now on, before it is live: whoever chooses a number for an account has to see
   * it. @returns ends that, once the user lives or could not be made
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

  /** The users whose leftovers are being removed. */
  ending(): IterableIterator<DynamicUser> {
    return this.#ending.values();
  }

  /** How many UIDs of the range are held, by live, lost and ending users. */
  get heldCount(): number {
    return this.#dynamicByUid.size + this.#lost.size + this.#ending.size;
  }

  get leaseCount(): number {
    return this.#nameByLease.size;
  }

  /** How many leases the processes of one UID hold. */
  leasesOf(owner: Uid): number {
    let count = 0;
    for (const user of this.#byName.values()) {
      count += user.leases.filter(lease => lease.owner === owner).length;
    }
    return count;
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
   * @returns ends that, once the lease has ended or could not
   */
  leave(lease: LeaseId): () => void {
    this.#leaving.add(lease);
    return () => this.#leaving.delete(lease);
  }

  #directoriesInUse(counts: (lease: LeaseId) => boolean): DirectoriesInUse[] {
    const found: DirectoriesInUse[] = [];
    for (const user of this.#byName.values()) {
      for (const { id: lease, directories } of user.lost === undefined ? user.leases : []) {
        if (directories.length > 0 && counts(lease)) {
          found.push({ user: user.name, directories });
        }
      }
    }
    return found;
  }

  /** Puts a live user in, in place of its former state, and tells watchers which leases came and went. */
  put(user: DynamicUser): void {
    const former = this.#byName.get(user.name);
    this.#byName.set(user.name, user);
    if (user.dynamic && user.lost === undefined) {
      this.#dynamicByUid.set(user.uid, user);
    } else if (user.dynamic) {
      this.#dynamicByUid.delete(user.uid);
      this.#lost.set(user.uid, user);
    }
    this.#tell(user, former?.leases ?? [], user.leases);
    if (former !== undefined && former.lost === undefined && user.lost !== undefined) {
      for (const lease of user.leases) {
        this.#notify({ kind: 'lost', user, lease });
      }
    }
  }

  /** Takes a live user out, and tells watchers that its leases went. */
  remove(user: DynamicUser): void {
    const former = this.#byName.get(user.name)?.leases ?? [];
    this.#byName.delete(user.name);
    if (user.dynamic) {
      this.#dynamicByUid.delete(user.uid);
      this.#lost.delete(user.uid);
    }
    this.#tell(user, former, []);
  }

  /** Reserves the UID of a user that ends. */
  reserve(user: DynamicUser): void {
    this.#ending.set(user.uid, user);
  }

  /** Frees the UID of a user that has ended. */
  free(user: DynamicUser): void {
    this.#ending.delete(user.uid);
  }

  /** @returns a function that ends the watch */
  watch(watcher: (change: LeaseChange) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #tell(user: DynamicUser, former: readonly Lease[], present: readonly Lease[]): void {
    for (const lease of former) {
      if (!present.includes(lease)) {
        this.#nameByLease.delete(lease.id);
        this.#notify({ kind: 'released', user, lease });
      }
    }
    for (const lease of present) {
      if (!former.includes(lease)) {
        this.#nameByLease.set(lease.id, user.name);
        this.#notify({ kind: 'allocated', user, lease });
      }
    }
  }

  #notify(change: LeaseChange): void {
    for (const watcher of this.#watchers) {
      watcher(change);
    }
  }
}
