/** A UID that is being given out: steps 1 to 6 of making (ARCHITECTURE.md), taken back in reverse order at the end of the scope if the last was not reached. */
import type { Gid, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser, Lease } from '../core/lease.ts';
import type { AcquireSeconds } from './events.ts';
import { tellMemberships, untellMemberships } from './memberships.ts';
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
  #isAnnounced = false;
  #isGivenOut = false;
  /** with its lease, of whose groups others were told */
  #told: DynamicUser | undefined;

  constructor(deps: HeldUidDeps, candidate: Uid, name: UserName) {
    this.#deps = deps;
    // V8 keeps what was computed from a hash as a double, which is an object for each field that has it.
    const uid = (candidate >>> 0) as Uid;
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

  /**
   * Waits for something with the account files locked, but lets others change accounts if it takes longer than that.
   * @returns what it gave, and whether lockAccounts() and another look at the UID have to follow
   */
  async lockedAtMost<Result>(
    ms: number,
    task: () => Promise<Result>,
  ): Promise<{ result: Result; wasUnlocked: boolean }> {
    let wasUnlocked = false;
    const late = setTimeout(() => {
      wasUnlocked = true;
      for (const end of this.#ends.splice(0)) {
        end();
      }
    }, ms);
    try {
      const result = await task();
      return { result, wasUnlocked };
    } finally {
      clearTimeout(late);
    }
  }

  /** Makes the UID resolve before there is a lease, and lets others change accounts: preparing directories may take minutes. */
  announce(): void {
    this.#ends.push(this.#deps.users.announce(this.user));
    this.#deps.registry.publish(this.user);
    this.#isAnnounced = true;
    // It may be called again at the end.
    this.#ends[0]?.();
  }

  /**
   * Steps 3 to 6: from now on the user lives.
   * @param more what it has besides its lease
   * @throws DynuserError the registry's
   */
  giveOut(lease: Lease, more: Pick<DynamicUser, 'packetRules'>, seconds: AcquireSeconds): DynamicUser {
    const { registry, locks, users } = this.#deps;
    const user: DynamicUser = { ...this.user, ...more, leases: [lease] };
    registry.intend(user);
    if (!this.#isAnnounced) {
      registry.publish(user);
    }
    this.#told = user;
    tellMemberships(this.#deps, user);
    locks.keep(user.uid);
    registry.commit(user);
    this.#isGivenOut = true;
    users.put(user, seconds);
    return user;
  }

  [Symbol.dispose](): void {
    const { registry, locks } = this.#deps;
    for (const end of this.#ends) {
      end();
    }
    if (!this.#isGivenOut) {
      if (this.#told !== undefined) {
        untellMemberships(this.#deps, this.#told);
      }
      registry.unpublish(this.user);
      locks.release(this.user.uid);
      registry.forget(this.user);
    }
  }
}
