/** What the host's own accounts mean for a name: a dynamic user may be made, a static one is used, or neither. */
import { type AccountAnswer, isKnown } from '../core/account.ts';
import { DynuserError } from '../core/errors.ts';
import type { Gid, Uid, UserName } from '../core/ids.ts';
import { inRange, type UidRange } from '../core/range.ts';
import type { UidLocks } from './ports.ts';

const OTHER_NAME = 'choose another user name';

/** A conflict's reason says what is wrong and what to do. */
export type AccountDecision =
  | { readonly kind: 'dynamic' }
  | { readonly kind: 'static'; readonly uid: Uid; readonly gid: Gid }
  | { readonly kind: 'conflict'; readonly reason: string };

/**
 * systemd's rule (systemd.exec(5), DynamicUser=): an existing user is used as it is, with its own group, whatever that is
 * called; a group without the user is refused, since half of the name would be somebody else's. Unlike there, the name of a user that systemd itself allocated a moment ago is refused
 * too: its UID ends with systemd's unit, not with our lease.
 */
export function decideAccount(
  name: UserName,
  answer: AccountAnswer,
  range: UidRange,
  locks: Pick<UidLocks, 'peek'>,
): AccountDecision {
  const { user, group } = answer;
  if (!isKnown(answer)) {
    return { kind: 'dynamic' };
  }
  if (user === undefined) {
    return {
      kind: 'conflict',
      reason: `the group ${name} (${group?.gid}) exists on this host, but no user of that name; ${OTHER_NAME}, or create the user`,
    };
  }
  if (inRange(range, user.uid) && locks.peek(user.uid).kind === 'taken') {
    const reason = `the user ${name} is a dynamic user of systemd (UID ${user.uid}); ${OTHER_NAME}, or stop its unit first`;
    return { kind: 'conflict', reason };
  }
  return { kind: 'static', uid: user.uid, gid: user.gid };
}

/** @param reason of a conflict */
export function nameConflict(reason: string): DynuserError {
  return new DynuserError('NameConflict', reason, { field: 'userName' });
}

/** A request that forbids making a user names one that the host does not have. */
export function noSuchAccount(name: UserName): DynuserError {
  const reason = `user ${name} does not exist and DynamicUser=no forbids creating it; name an existing user`;
  return new DynuserError('NameConflict', reason, { field: 'userName' });
}

/** A lease of a static user decides about its directories and what it leaves behind: that is root's. */
export function staticIsRoots(name: UserName): DynuserError {
  const reason = `the user ${name} is an account of this host, and only root may acquire it; choose another user name`;
  return new DynuserError('NotPermitted', reason, { field: 'userName' });
}
