/**
 * The live users in memory: a cache of the registry by which every lookup is answered. Holds the indexes together and
 * tells watchers of each change; decides nothing.
 */
import type { LeaseId, Uid, UserName } from '../core/ids.ts';
import type { Holder, UserLease } from '../core/lease.ts';

/** One reference that came or went. */
export interface LeaseChange {
  readonly kind: 'allocated' | 'released';
  readonly user: UserLease;
  readonly holder: Holder;
}

export class UserTable {
  readonly #byName = new Map<UserName, UserLease>();
  readonly #dynamicByUid = new Map<Uid, UserLease>();
  readonly #nameByLease = new Map<LeaseId, UserName>();
  readonly #watchers = new Set<(change: LeaseChange) => void>();

  byName(name: UserName): UserLease | undefined {
    return this.#byName.get(name);
  }

  /** @returns the dynamic user of that UID; a static user that is in use is none */
  dynamicByUid(uid: Uid): UserLease | undefined {
    return this.#dynamicByUid.get(uid);
  }

  byLease(lease: LeaseId): UserLease | undefined {
    const name = this.#nameByLease.get(lease);
    return name === undefined ? undefined : this.#byName.get(name);
  }

  /** All users, static ones too, in the order in which they came. */
  all(): IterableIterator<UserLease> {
    return this.#byName.values();
  }

  /** The dynamic users, in the order in which they came. */
  dynamic(): IterableIterator<UserLease> {
    return this.#dynamicByUid.values();
  }

  get dynamicCount(): number {
    return this.#dynamicByUid.size;
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

  /** Puts a user in, in place of its former state, and tells watchers which references came and went. */
  put(user: UserLease): void {
    const former = this.#byName.get(user.name)?.holders ?? [];
    this.#byName.set(user.name, user);
    if (user.dynamic) {
      this.#dynamicByUid.set(user.uid, user);
    }
    this.#tell(user, former, user.holders);
  }

  /** Takes a user out, and tells watchers that its references went. */
  remove(user: UserLease): void {
    const former = this.#byName.get(user.name)?.holders ?? [];
    this.#byName.delete(user.name);
    if (user.dynamic) {
      this.#dynamicByUid.delete(user.uid);
    }
    this.#tell(user, former, []);
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
