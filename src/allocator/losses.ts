/**
 * Lost leases: the UID of a user is not locked by us any more, so that it may be somebody else's. Nothing of such a UID is ended,
 * removed or given an owner; the user does not resolve any more, is listed as lost, and goes with its last lease.
 */
import { DynuserError } from '../core/errors.ts';
import type { DynamicUser } from '../core/lease.ts';
import type { LockOutcome, Registry, UidLocks } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface LossDeps {
  readonly users: UserTable;
  readonly registry: Pick<Registry, 'intend' | 'commit' | 'unpublish'>;
  readonly locks: Pick<UidLocks, 'confirm' | 'release'>;
  /** told of each user that was lost; the cause is why that could not be written down */
  readonly onLost: (user: DynamicUser, cause?: unknown) => void;
}

/** @returns why a UID is not ours, in words; undefined if it is locked by us */
export function lossOf(outcome: LockOutcome): string | undefined {
  switch (outcome.kind) {
    case 'locked':
      return undefined;
    case 'taken':
      return 'somebody else has locked its UID';
    case 'unusable':
      return `its UID cannot be locked: ${outcome.reason}`;
  }
}

/**
 * Makes sure that the UID of a user with leases is ours; if it is not, the user is lost from now on.
 * @returns the user as it is then
 * @throws DynuserError HostFailed, LimitReached: it could not be seen
 */
export function confirmUser(deps: LossDeps, user: DynamicUser): DynamicUser {
  if (!user.dynamic || user.lost !== undefined) {
    return user;
  }
  const lost = lossOf(deps.locks.confirm(user.uid));
  return lost === undefined ? user : lose(deps, user, lost);
}

function lose({ users, registry, locks, onLost }: LossDeps, user: DynamicUser, reason: string): DynamicUser {
  const lost: DynamicUser = { ...user, lost: reason };
  users.put(lost);
  locks.release(user.uid);
  let cause: unknown;
  try {
    registry.unpublish(user);
    registry.intend(lost);
    registry.commit(lost);
  } catch (error) {
    // The next daemon will find it out by itself.
    cause = error;
  }
  onLost(lost, cause);
  return lost;
}

/** @returns what a request for the name of a lost user is told */
export function lostConflict({ name, uid, lost }: DynamicUser): DynuserError {
  const reason = `the user ${name} has lost its UID ${uid}: ${lost}; release its leases ('dynuserctl release ${name}'), then acquire it anew`;
  return new DynuserError('NameConflict', reason, { field: 'userName' });
}
