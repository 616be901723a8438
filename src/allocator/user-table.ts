/**
 * The users in memory: a cache of the registry by which every lookup is answered. Holds the indexes together and tells
 * watchers of each change; decides nothing. Live users resolve; lost and ending ones only keep their UID from being given out.
 */
import type { DirectoryHolder } from '../core/directory.ts';
import type { LeaseId, Uid, UserName } from '../core/ids.ts';
import type { Holder, UserLease } from '../core/lease.ts';

/** One reference that came or went, or whose user has lost its UID. */
export interface LeaseChange {
  readonly kind: 'allocated' | 'released' | 'lost';
  readonly user: UserLease;
  readonly holder: Holder;
}

export class UserTable {
  readonly #byName = new Map<UserName, UserLease>();
  readonly #dynamicByUid = new Map<Uid, UserLease>();
  readonly #nameByLease = new Map<LeaseId, UserName>();
  readonly #lost = new Map<Uid, UserLease>();
  readonly #announced = new Map<Uid, UserLease>();
  readonly #ending = new Map<Uid, UserLease>();
  readonly #leaving = new Set<LeaseId>();
  readonly #watchers = new Set<(change: LeaseChange) => void>();

  /** @returns the user of that name that has references, a lost one too */
  byName(name: UserName): UserLease | undefined {
    return this.#byName.get(name);
  }

  /** @returns the live dynamic user of that UID; a static user that is in use is none */
  dynamicByUid(uid: Uid): UserLease | undefined {
    return this.#dynamicByUid.get(uid);
  }

  /** @returns the live dynamic user of that name */
  dynamicByName(name: UserName): UserLease | undefined {
    const user = this.#byName.get(name);
    return user?.dynamic === true && user.lost === undefined ? user : undefined;
  }

  /** @returns the user that has a number, or is about to */
  numbered(uid: Uid): UserLease | undefined {
    return this.#dynamicByUid.get(uid) ?? this.#announced.get(uid);
  }

  /**
   * A user that is being made has its number from now on, before it is live: whoever chooses a number for an account has to see
   * it. @returns ends that, once it is live or is none
   */
  announce(user: UserLease): () => void {
    this.#announced.set(user.uid, user);
    return () => this.#announced.delete(user.uid);
  }

  /** @returns the user, live, lost or ending, that keeps a UID of the range from being given out */
  holding(uid: Uid): UserLease | undefined {
    return this.#dynamicByUid.get(uid) ?? this.#lost.get(uid) ?? this.#ending.get(uid);
  }

  byLease(lease: LeaseId): UserLease | undefined {
    const name = this.#nameByLease.get(lease);
    return name === undefined ? undefined : this.#byName.get(name);
  }

  /** All users that have references, static and lost ones too, in the order in which they came. */
  live(): IterableIterator<UserLease> {
    return this.#byName.values();
  }

  /** The live dynamic users, in the order in which they came. */
  dynamic(): IterableIterator<UserLease> {
    return this.#dynamicByUid.values();
  }

  /** The users whose remains are being removed. */
  ending(): IterableIterator<UserLease> {
    return this.#ending.values();
  }

  /** How many UIDs of the range are held, by live, lost and ending users. */
  get heldCount(): number {
    return this.#dynamicByUid.size + this.#lost.size + this.#ending.size;
  }

  get holderCount(): number {
    return this.#nameByLease.size;
  }

  /** How many references the processes of one UID hold. */
  holdersOf(owner: Uid): number {
    let count = 0;
    for (const user of this.#byName.values()) {
      count += user.holders.filter(holder => holder.owner === owner).length;
    }
    return count;
  }

  /** Who has which directories, one entry for each reference. Those of a lost user are not its own any more. */
  directoryHolders(): DirectoryHolder[] {
    return this.#directoryHolders(() => true);
  }

  /** Who will have which directories once all references that are leaving have left. */
  remainingHolders(): DirectoryHolder[] {
    return this.#directoryHolders(lease => !this.#leaving.has(lease));
  }

  /**
   * A reference is about to be dropped: of two that leave at a time, neither keeps a directory for the other.
   * @returns ends that, once it was dropped or could not be
   */
  leave(lease: LeaseId): () => void {
    this.#leaving.add(lease);
    return () => this.#leaving.delete(lease);
  }

  #directoryHolders(counts: (lease: LeaseId) => boolean): DirectoryHolder[] {
    const found: DirectoryHolder[] = [];
    for (const user of this.#byName.values()) {
      for (const { lease, directories } of user.lost === undefined ? user.holders : []) {
        if (directories.length > 0 && counts(lease)) {
          found.push({ user: user.name, directories });
        }
      }
    }
    return found;
  }

  /** Puts a live user in, in place of its former state, and tells watchers which references came and went. */
  put(user: UserLease): void {
    const former = this.#byName.get(user.name);
    this.#byName.set(user.name, user);
    if (user.dynamic && user.lost === undefined) {
      this.#dynamicByUid.set(user.uid, user);
    } else if (user.dynamic) {
      this.#dynamicByUid.delete(user.uid);
      this.#lost.set(user.uid, user);
    }
    this.#tell(user, former?.holders ?? [], user.holders);
    if (former !== undefined && former.lost === undefined && user.lost !== undefined) {
      for (const holder of user.holders) {
        this.#notify({ kind: 'lost', user, holder });
      }
    }
  }

  /** Takes a live user out, and tells watchers that its references went. */
  remove(user: UserLease): void {
    const former = this.#byName.get(user.name)?.holders ?? [];
    this.#byName.delete(user.name);
    if (user.dynamic) {
      this.#dynamicByUid.delete(user.uid);
      this.#lost.delete(user.uid);
    }
    this.#tell(user, former, []);
  }

  /** Reserves the UID of a user that ends. */
  reserve(user: UserLease): void {
    this.#ending.set(user.uid, user);
  }

  /** Makes the UID of a user that has ended free. */
  free(user: UserLease): void {
    this.#ending.delete(user.uid);
  }

  /** @returns a function that ends the watch */
  watch(watcher: (change: LeaseChange) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #tell(user: UserLease, former: readonly Holder[], present: readonly Holder[]): void {
    for (const holder of former) {
      if (!present.includes(holder)) {
        this.#nameByLease.delete(holder.lease);
        this.#notify({ kind: 'released', user, holder });
      }
    }
    for (const holder of present) {
      if (!former.includes(holder)) {
        this.#nameByLease.set(holder.lease, user.name);
        this.#notify({ kind: 'allocated', user, holder });
      }
    }
  }

  #notify(change: LeaseChange): void {
    for (const watcher of this.#watchers) {
      watcher(change);
    }
  }
}
