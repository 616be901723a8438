/** Release: ends one lease; the last one ends the user. */
import { mayRelease, type Requester } from '../core/access.ts';
import { inheritDirectories, isTransient, type LeasedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import type { LeaseId } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import type { Directories } from './directory-ports.ts';
import type { AcquireSeconds } from './events.ts';
import { tellMemberships } from './memberships.ts';
import type { Registry } from './ports.ts';
import type { Teardown } from './teardown.ts';
import type { UserTable } from './user-table.ts';

export interface ReleaseDeps {
  readonly users: UserTable;
  readonly registry: Registry;
  readonly directories: Pick<Directories, 'cleanUp'>;
  readonly teardown: Teardown;
}

/**
 * Changes the leases of a live user. Intent and commit, as in making; the user that was there stays if either fails, and no
 * intent is left beside it.
 * @param seconds how long it took to acquire the lease that came, if one did
 * @throws DynuserError LimitReached, HostFailed: the registry's
 */
export function rewriteUser(
  { registry, users }: Pick<ReleaseDeps, 'registry' | 'users'>,
  user: DynamicUser,
  seconds?: AcquireSeconds,
): void {
  registry.intend(user);
  try {
    tellMemberships({ registry, users }, user);
    registry.commit(user);
  } catch (error) {
    registry.forget(user);
    const former = users.byName(user.name);
    if (former !== undefined) {
      tellMemberships({ registry, users }, former);
    }
    throw error;
  }
  users.put(user, seconds);
}

/**
 * Ends a lease on behalf of a peer.
 * @returns what keeps the UID reserved for now, in words; undefined if it is free, or the user has other leases
 * @throws DynuserError NoSuchLease, NotPermitted, DirectoryFailed, LimitReached; the lease is still there then
 */
export async function releaseFor(deps: ReleaseDeps, id: LeaseId, requester: Requester): Promise<string | undefined> {
  const lease = deps.users.byLease(id)?.leases.find(held => held.id === id);
  if (lease === undefined) {
    throw new DynuserError('NoSuchLease', `no live lease has the id ${id}`, { field: 'lease' });
  }
  if (lease.member !== undefined) {
    const { user, lease: primary } = lease.member;
    const reason = `the lease ${id} is the membership of ${user} in a shared group, and ends with the lease ${primary}: release that`;
    throw new DynuserError('NotPermitted', reason, { field: 'lease' });
  }
  const access = mayRelease(requester, lease.owner);
  if (!access.allowed) {
    throw new DynuserError('NotPermitted', access.reason, { field: 'lease' });
  }
  return drop(deps, id);
}

/**
 * Ends a lease whose connection is gone; a lease that was released before is not an error. It goes even if the registry
 * or its directories cannot be written: recovery ends leases of that lifetime by itself.
 * @throws DynuserError what failed, once the lease is gone
 */
export async function releaseGone(deps: ReleaseDeps, lease: LeaseId): Promise<void> {
  try {
    await drop(deps, lease);
  } finally {
    const user = deps.users.byLease(lease);
    if (user !== undefined && user.leases.length > 1) {
      deps.users.put(without(user, lease));
    }
  }
}

async function drop(deps: ReleaseDeps, lease: LeaseId): Promise<string | undefined> {
  const stay = deps.users.leave(lease);
  try {
    // First, so that a crash in between leaves a lease without its directories in their places, and never the reverse.
    for (let away: readonly LeasedDirectory[] = []; ; ) {
      const transient = transientDirectories(deps.users.byLease(lease), lease).filter(one => !away.includes(one));
      if (transient.length === 0) {
        return dropNow(deps, lease);
      }
      await deps.directories.cleanUp(transient, () => deps.users.directoriesThatStay());
      // Meanwhile another lease may have left some to this one.
      away = [...away, ...transient];
    }
  } finally {
    stay();
  }
}

/** In one tick, so that the last of several leases to leave sees that it is the last. */
function dropNow(deps: ReleaseDeps, lease: LeaseId): Promise<string | undefined> | undefined {
  const user = deps.users.byLease(lease);
  if (user === undefined) {
    // Another request has released it meanwhile.
    return undefined;
  }
  const smaller = without(user, lease);
  if (smaller.leases.length === 0) {
    return deps.teardown.begin(user);
  }
  rewriteUser(deps, smaller);
  return undefined;
}

/**
 * Short-lived and exposed directories of one of several leases; those of the last one go with the user, after its processes.
 * What a lost user had may be somebody else's.
 */
function transientDirectories(user: DynamicUser | undefined, id: LeaseId) {
  if (user === undefined || user.leases.length === 1 || user.lost !== undefined) {
    return [];
  }
  const lease = user.leases.find(held => held.id === id);
  return lease?.directories.filter(isTransient) ?? [];
}

function without(user: DynamicUser, lease: LeaseId): DynamicUser {
  const left = user.leases.find(held => held.id === lease)?.directories ?? [];
  const staying = user.leases.filter(held => held.id !== lease);
  const leases = staying.map(held => {
    const directories = inheritDirectories(held.directories, left);
    return directories === held.directories ? held : { ...held, directories };
  });
  return { ...user, leases };
}
