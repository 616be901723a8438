/**
 * Release: drops one reference; the last one ends the user by the steps of its making in reverse. All in one tick, so
 * that no lookup sees half of it.
 */
import { type AccessPeer, mayRelease } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import type { LeaseId } from '../core/ids.ts';
import type { UserLease } from '../core/lease.ts';
import type { Registry, UidLocks } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface ReleaseParts {
  readonly users: UserTable;
  readonly registry: Registry;
  readonly locks: UidLocks;
}

/** Drops a reference on behalf of a peer. @throws DynuserError NoSuchLease, NotPermitted */
export function releaseFor(parts: ReleaseParts, lease: LeaseId, peer: AccessPeer): void {
  const user = parts.users.byLease(lease);
  const holder = user?.holders.find(held => held.lease === lease);
  if (user === undefined || holder === undefined) {
    throw new DynuserError('NoSuchLease', `no live lease has the id ${lease}`, { field: 'lease' });
  }
  const access = mayRelease(peer, holder.owner);
  if (!access.allowed) {
    throw new DynuserError('NotPermitted', access.reason, { field: 'lease' });
  }
  dropHolder(parts, user, lease);
}

/**
 * Drops a reference whose connection is gone; one that was released before is no error. It goes even where the registry
 * cannot be written: recovery drops references of that lifetime by itself.
 * @throws DynuserError what the registry said, once the reference is gone
 */
export function releaseGone(parts: ReleaseParts, lease: LeaseId): void {
  const user = parts.users.byLease(lease);
  if (user === undefined) {
    return;
  }
  try {
    dropHolder(parts, user, lease);
  } finally {
    if (parts.users.byLease(lease) !== undefined) {
      parts.users.put(without(user, lease));
    }
  }
}

function dropHolder(parts: ReleaseParts, user: UserLease, lease: LeaseId): void {
  const smaller = without(user, lease);
  if (smaller.holders.length === 0) {
    endUser(parts, user);
    return;
  }
  parts.registry.intend(smaller);
  parts.registry.commit(smaller);
  parts.users.put(smaller);
}

function without(user: UserLease, lease: LeaseId): UserLease {
  return { ...user, holders: user.holders.filter(held => held.lease !== lease) };
}

/** Steps 5 to 1, undone. The lock goes last but for the intent, by which recovery would find it. */
function endUser(parts: ReleaseParts, user: UserLease): void {
  parts.registry.revoke(user);
  parts.users.remove(user);
  parts.registry.unpublish(user);
  if (user.dynamic) {
    parts.locks.release(user.uid);
  }
  parts.registry.forget(user);
}
