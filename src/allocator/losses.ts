/**
 * Lost leases: the UID of a user is not locked by us any more, so that it may be somebody else's. Nothing of such a UID is ended,
 * removed or given an owner; the user does not resolve any more, is listed as lost, and goes with its last lease.
 */
import type { UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { isTold } from '../core/memberships.ts';
import { inInterval, SYSTEMD_INTERVAL } from '../core/range.ts';
import type { LeaseEvents } from './events.ts';
import { untellGroup, untellMemberships } from './memberships.ts';
import type { LockOutcome, Registry, UidLocks } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface LossDeps {
  readonly users: UserTable;
  readonly registry: Pick<Registry, 'intend' | 'commit' | 'unpublish' | 'tellMembers' | 'tellGroups'>;
  readonly locks: Pick<UidLocks, 'confirm' | 'release'>;
  readonly events: LeaseEvents;
}

/** From the end of one round of LockWatch to the beginning of the next, in milliseconds. */
const LOCK_WATCH_MS = 10_000;
/** Locks that are checked in one turn of the event loop, each with two system calls. */
const LOCKS_A_TURN = 64;

/** @returns why a UID is not ours, in words; undefined if it is locked by us */
export function lossOf(outcome: LockOutcome): string | undefined {
  if (outcome.kind === 'locked') {
    return undefined;
  }
  return outcome.kind === 'taken' ? 'somebody else has locked its UID' : `its UID cannot be locked: ${outcome.reason}`;
}

/**
 * Makes sure that the UID of a user with leases is ours; if it is not, the user is lost from now on.
 * @returns the user as it is then
 * @throws DynuserError HostFailed, LimitReached: it could not be seen
 */
export function confirmUser(deps: LossDeps, user: DynamicUser): DynamicUser {
  if (!isTold(user)) {
    return user;
  }
  const lost = lossOf(deps.locks.confirm(user.uid));
  return lost === undefined ? user : lose(deps, user, lost);
}

function lose(deps: LossDeps, user: DynamicUser, reason: string): DynamicUser {
  const { users, registry, locks } = deps;
  const lost: DynamicUser = { ...user, lost: reason };
  users.put(lost);
  locks.release(user.uid);
  recordLoss(deps, lost, () => {
    registry.unpublish(user);
    untellMemberships({ users, registry }, user);
    untellGroup({ users, registry }, user);
  });
  return lost;
}

/**
 * Writes down that a user is lost, and tells of it.
 * @param withdraw what comes first, and may fail too
 */
export function recordLoss(
  { registry, events }: Pick<LossDeps, 'registry' | 'events'>,
  lost: DynamicUser,
  withdraw = () => {},
): void {
  let cause: unknown;
  try {
    withdraw();
    registry.intend(lost);
    registry.commit(lost);
  } catch (error) {
    // Such as a full registry: the next daemon finds it out by itself.
    cause = error;
  }
  events.tell({ kind: 'lost', user: lost, ...(cause === undefined ? {} : { cause }) });
}

interface LockWatchDeps extends LossDeps {
  /** told if the locks could not be checked */
  readonly onFailure: (what: string, cause: unknown) => void;
}

/** Checks from time to time that the UIDs of live users are still locked by us, if they have lock files: root can unlink or replace one. */
export class LockWatch {
  readonly #deps: LockWatchDeps;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(deps: LockWatchDeps) {
    this.#deps = deps;
    this.#later();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #later(): void {
    if (!this.#stopped) {
      this.#timer = setTimeout(() => void this.#round(), LOCK_WATCH_MS).unref();
    }
  }

  async #round(): Promise<void> {
    const { users, onFailure } = this.#deps;
    const names: UserName[] = Array.from(users.dynamic()).flatMap(({ uid, name }) =>
      inInterval(SYSTEMD_INTERVAL, uid) ? [name] : [],
    );
    try {
      for (let index = 0; index < names.length && !this.#stopped; index += LOCKS_A_TURN) {
        for (const name of names.slice(index, index + LOCKS_A_TURN)) {
          const user = users.dynamicByName(name);
          if (user !== undefined) {
            confirmUser(this.#deps, user);
          }
        }
        await new Promise(resolve => setImmediate(resolve));
      }
    } catch (error) {
      onFailure('cannot check that the UIDs of users are still locked', error);
    }
    this.#later();
  }
}
