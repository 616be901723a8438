/** Release: ends one lease; the last one ends the user. */
import { mayRelease, type Requester } from '../core/access.ts';
import { inheritDirectories, isTransient, type LeasedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import type { LeaseId } from '../core/ids.ts';
import type { DynamicUser, Lease } from '../core/lease.ts';
import type { Directories } from './directory-ports.ts';
import type { Registry } from './ports.ts';
import type { Teardown } from './teardown.ts';
import type { UserTable } from './user-table.ts';
import { writeLease } from './write-lease.ts';

export interface ReleaseDeps {
  readonly users: UserTable;
  readonly registry: Registry;
  readonly directories: Pick<Directories, 'cleanUp'>;
  readonly teardown: Teardown;
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
  writeLease(deps.registry, smaller);
  deps.users.put(smaller);
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
  return { ...user, leases: staying.map(held => inherit(held, left)) };
}

function inherit(lease: Lease, left: readonly LeasedDirectory[]): Lease {
  const directories = inheritDirectories(lease.directories, left);
  return directories === lease.directories ? lease : { ...lease, directories };
}
