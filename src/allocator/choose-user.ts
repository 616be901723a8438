/**
 * Which user a request gets: the live one of its name, a new one, or the host's account. The decisions and refusals that
 * Acquire, which carries them out, and Explain, which only says them, have in common.
 */
import { mayJoin, type Requester } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import type { UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { LEASES_PER_USER_MAX } from '../core/limits.ts';
import type { UidRange } from '../core/range.ts';
import { decideAccount, nameConflict, noSuchAccount, staticIsRoots } from './account.ts';
import type { NameLookup } from './name-lookup.ts';
import type { UidLocks } from './ports.ts';
import { limitReached } from './refusals.ts';

/** @throws DynuserError NotPermitted, LimitReached if a requester cannot have one more lease of a user */
export function checkJoin({ name, leases }: DynamicUser, requester: Requester): void {
  const owners = leases.map(lease => lease.owner);
  const access = mayJoin(requester, name, owners);
  if (!access.allowed) {
    throw new DynuserError('NotPermitted', access.reason, { field: 'userName' });
  }
  if (leases.length >= LEASES_PER_USER_MAX) {
    const { code, message } = limitReached(`the user ${name} has ${LEASES_PER_USER_MAX} leases already`);
    throw new DynuserError(code, message, { field: 'userName' });
  }
}

/**
 * The host's account of a name, for which no user is made. No UID that was tried may be locked any more: a lock that is
 * seen now is not ours.
 * @returns the account as a user without a lease
 * @throws DynuserError NameConflict, NotPermitted; ProbeFailed, LimitReached
 */
export async function hostAccount(
  { range, locks }: { readonly range: UidRange; readonly locks: Pick<UidLocks, 'peek'> },
  name: UserName,
  requester: Requester,
  lookup: NameLookup,
): Promise<DynamicUser> {
  const decision = decideAccount(name, await lookup.account(), range, locks);
  switch (decision.kind) {
    case 'conflict':
      throw nameConflict(decision.reason);
    case 'static':
      if (!requester.isRoot) {
        throw staticIsRoots(name);
      }
      return { name, uid: decision.uid, gid: decision.gid, dynamic: false, leases: [] };
    case 'dynamic':
      throw noSuchAccount(name);
  }
}
