/** A UID that is being given out: steps 1 to 6 of ports.ts, taken back in reverse order at the end of the scope if the last was not reached. */
import type { Gid, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser, Lease } from '../core/lease.ts';
import type { AccountsLock, LockOutcome, Registry, UidLocks } from './ports.ts';
import type { UidHold } from './search.ts';
import type { UserTable } from './user-table.ts';

export interface HeldUidDeps {
  readonly registry: Registry;
  readonly locks: UidLocks;
  readonly users: UserTable;
  readonly accounts: AccountsLock;
}

export class HeldUid implements UidHold, Disposable {
  /** without a lease yet */
  readonly user: DynamicUser;
  readonly #deps: HeldUidDeps;
  readonly #ends: (() => void)[] = [];
  #isGivenOut = false;

  constructor(deps: HeldUidDeps, uid: Uid, name: UserName) {
    this.#deps = deps;
    this.user = { uid, gid: uid as number as Gid, name, dynamic: true, leases: [] };
  }

  /** Steps 1 and 2. @throws DynuserError the registry's, the locks' */
  lock(): LockOutcome {
    this.#deps.registry.intend(this.user);
    return this.#deps.locks.lock(this.user.uid, this.user.name);
  }

  async lockAccounts(): Promise<void> {
    this.#ends.push(await this.#deps.accounts.take());
  }

  /** Has the UID resolve before there is a lease, and lets others change accounts: to get directories ready may take minutes. */
  announce(): void {
    this.#ends.push(this.#deps.users.announce(this.user));
    this.#deps.registry.publish(this.user);
    // It may be called again at the end.
    this.#ends[0]?.();
  }

  /** Steps 3 to 6: from now on the user lives. @throws DynuserError the registry's */
  giveOut(lease: Lease): DynamicUser {
    const { registry, locks, users } = this.#deps;
    const user: DynamicUser = { ...this.user, leases: [lease] };
    registry.intend(user);
    registry.publish(user);
    locks.keep(user.uid);
    registry.commit(user);
    this.#isGivenOut = true;
    users.put(user);
    return user;
  }

  [Symbol.dispose](): void {
    const { registry, locks } = this.#deps;
    for (const end of this.#ends) {
      end();
    }
    if (!this.#isGivenOut) {
      registry.unpublish(this.user);
      locks.release(this.user.uid);
      registry.forget(this.user);
    }
  }
}
