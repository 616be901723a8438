/**
 * A lease that is being made: its directories are prepared, it is written by whoever knows its user, and it is dropped
 * again if it cannot be answered. Knows nothing of how a UID is found.
 */
import { type Cleanup, type DynamicUser, type Lease, termsOf } from '../core/lease.ts';
import type {
  Directories,
  DirectoriesOfLease,
  DirectorySnapshot,
  HandoverProgress,
  PreparedDirectories,
} from './directory-ports.ts';
import type { Clock, Randomness } from './ports.ts';
import { limitReached } from './refusals.ts';
import { type ReleaseDeps, releaseGone } from './release.ts';
import type { AcquireRequest, LeaseOwner } from './request.ts';

export interface Acquired extends DirectoriesOfLease {
  readonly user: DynamicUser;
  readonly lease: Lease;
}

export interface LeaseDeps extends ReleaseDeps {
  readonly directories: Directories;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** A lease whose directories are prepared, and locked until the end of the scope. */
export interface PendingLease extends AsyncDisposable {
  /**
   * @returns the lease, which is to be written down in the same tick
   * @throws DynuserError LimitReached if the caller has gone; DirectoryFailed if the directories are not ready any more
   */
  make(): Lease;
  /**
   * Takes up the lease when it is written, and publishes its directories.
   * @param user with the lease
   * @throws DynuserError DirectoryFailed
   */
  written(user: DynamicUser, lease: Lease): Promise<Acquired>;
  /** The caller is told of the lease: it stays. */
  answered(): void;
}

/**
 * @param snapshot of the directories of the request, if there is one
 * @throws DynuserError DirectoryFailed, LimitReached, ProbeFailed
 */
export async function prepareLease(
  deps: LeaseDeps,
  user: DynamicUser,
  request: AcquireRequest,
  owner: LeaseOwner,
  snapshot?: DirectorySnapshot,
): Promise<PendingLease> {
  const prepared = await prepareDirectories(deps, user, request, owner, snapshot);
  const { directories, environment } = prepared ?? { directories: [], environment: {} };
  let unanswered: Lease | undefined;
  return {
    make() {
      if (owner.signal.aborted) {
        throw limitReached('the caller has gone before it was answered');
      }
      prepared?.commit();
      return leaseOf(deps, user, request, owner, directories);
    },
    async written(written, lease) {
      unanswered = lease;
      await prepared?.publish();
      return { user: written, lease, directories, environment };
    },
    answered() {
      unanswered = undefined;
    },
    async [Symbol.asyncDispose]() {
      // First, since a lease that is dropped has its directories cleaned up under the same locks.
      await prepared?.[Symbol.asyncDispose]();
      if (unanswered !== undefined) {
        await releaseGone(deps, unanswered.id);
      }
    },
  };
}

async function prepareDirectories(
  deps: LeaseDeps,
  user: DynamicUser,
  { directories, makesMounts, verify, directoryGid = user.gid }: AcquireRequest,
  { signal, onProgress }: LeaseOwner,
  snapshot: DirectorySnapshot | undefined,
): Promise<PreparedDirectories | undefined> {
  if (directories.length === 0) {
    return undefined;
  }
  const options = {
    ...{ makesMounts, verify, signal, live: () => deps.users.directoriesInUse() },
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(onProgress === undefined ? {} : { onProgress: (at: HandoverProgress) => onProgress(at, user) }),
  };
  return deps.directories.prepare(directories, { ...user, gid: directoryGid }, options);
}

function leaseOf(
  { randomness, clock }: LeaseDeps,
  user: DynamicUser,
  request: AcquireRequest,
  { pid, process, requester }: LeaseOwner,
  directories: DirectoriesOfLease['directories'],
): Lease {
  const ofAccount = !user.dynamic && request.removesAccountIpc === true;
  const cleanup: Cleanup = {
    ...request.cleanup,
    ...(ofAccount ? { accountIpc: request.directoryGid ?? user.gid } : {}),
  };
  return {
    ...termsOf(request),
    ...(process === undefined ? {} : { process }),
    ...{ id: randomness.leaseId(), pid, owner: requester.uid, since: clock.now(), cleanup },
    directories: directories.map(({ kind, source, publicPath, handover, preserved, exposed, aliases }) => {
      return { kind, source, publicPath, handover, preserved, exposed, aliases };
    }),
  };
}
