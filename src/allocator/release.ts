/** Release: drops one reference; the last one ends the user. */
import { mayRelease, type Requester } from '../core/access.ts';
import { inheritDirectories, isPassing, type LeasedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import type { LeaseId } from '../core/ids.ts';
import type { Holder, UserLease } from '../core/lease.ts';
import type { Directories } from './directory-ports.ts';
import type { Registry } from './ports.ts';
import type { Endings } from './teardown.ts';
import type { UserTable } from './user-table.ts';
import { writeLease } from './write-lease.ts';

export interface ReleaseParts {
  readonly users: UserTable;
  readonly registry: Registry;
  readonly directories: Pick<Directories, 'putAway'>;
  readonly endings: Endings;
}

/**
 * Drops a reference on behalf of a peer.
 * @returns what keeps the UID reserved for now, in words; undefined where it is free, or others still hold the user
 * @throws DynuserError NoSuchLease, NotPermitted, DirectoryFailed, LimitReached; the reference is still there then
 */
export async function releaseFor(
  parts: ReleaseParts,
  lease: LeaseId,
  requester: Requester,
): Promise<string | undefined> {
  const holder = parts.users.byLease(lease)?.holders.find(held => held.lease === lease);
  if (holder === undefined) {
    throw new DynuserError('NoSuchLease', `no live lease has the id ${lease}`, { field: 'lease' });
  }
  const access = mayRelease(requester, holder.owner);
  if (!access.allowed) {
    throw new DynuserError('NotPermitted', access.reason, { field: 'lease' });
  }
  return drop(parts, lease);
}

/**
 * Drops a reference whose connection is gone; one that was released before is no error. It goes even where the registry
 * or its directories cannot be written: recovery drops references of that lifetime by itself.
 * @throws DynuserError what failed, once the reference is gone
 */
export async function releaseGone(parts: ReleaseParts, lease: LeaseId): Promise<void> {
  try {
    await drop(parts, lease);
  } finally {
    const user = parts.users.byLease(lease);
    if (user !== undefined && user.holders.length > 1) {
      parts.users.put(without(user, lease));
    }
  }
}

async function drop(parts: ReleaseParts, lease: LeaseId): Promise<string | undefined> {
  const stay = parts.users.leave(lease);
  try {
    // First, so that a crash in between leaves a lease without its directories in their places, and never the reverse.
    for (let away: readonly LeasedDirectory[] = []; ; ) {
      const passing = passingDirectories(parts.users.byLease(lease), lease).filter(one => !away.includes(one));
      if (passing.length === 0) {
        return dropNow(parts, lease);
      }
      await parts.directories.putAway(passing, () => parts.users.remainingHolders());
      // Meanwhile another lease may have left some to this one.
      away = [...away, ...passing];
    }
  } finally {
    stay();
  }
}

/** In one tick, so that the last of several references to leave sees that it is the last. */
function dropNow(parts: ReleaseParts, lease: LeaseId): Promise<string | undefined> | undefined {
  const user = parts.users.byLease(lease);
  if (user === undefined) {
    // Another request has released it meanwhile.
    return undefined;
  }
  const smaller = without(user, lease);
  if (smaller.holders.length === 0) {
    return parts.endings.begin(user);
  }
  writeLease(parts.registry, smaller);
  parts.users.put(smaller);
  return undefined;
}

/**
 * Short-lived and exposed directories of one of several holders; those of the last one go with the user, after its processes.
 * What a lost user had may be somebody else's.
 */
function passingDirectories(user: UserLease | undefined, lease: LeaseId) {
  if (user === undefined || user.holders.length === 1 || user.lost !== undefined) {
    return [];
  }
  const holder = user.holders.find(held => held.lease === lease);
  return holder?.directories.filter(isPassing) ?? [];
}

function without(user: UserLease, lease: LeaseId): UserLease {
  const left = user.holders.find(held => held.lease === lease)?.directories ?? [];
  const staying = user.holders.filter(held => held.lease !== lease);
  return { ...user, holders: staying.map(held => inherit(held, left)) };
}

function inherit(holder: Holder, left: readonly LeasedDirectory[]): Holder {
  const directories = inheritDirectories(holder.directories, left);
  return directories === holder.directories ? holder : { ...holder, directories };
}
