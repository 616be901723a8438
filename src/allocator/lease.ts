/**
 * A lease that is being made: its directories are prepared, it is written by whoever knows its user, and it is dropped
 * again if it cannot be answered. Knows nothing of how a UID is found.
 */
import {
  type Cleanup,
  compactLease,
  type DynamicUser,
  type Lease,
  type LeasedRuntime,
  type RequestedRuntime,
  termsOf,
} from '../core/lease.ts';
import type { Directories, DirectoriesOfLease, DirectorySnapshot, HandoverProgress } from './directory-ports.ts';
import type { LeaseEvents } from './events.ts';
import type { Clock, NameCache, Randomness } from './ports.ts';
import { type ReleaseDeps, releaseGone } from './release.ts';
import type { AcquireRequest, LeaseOwner } from './request.ts';
import { limitReached } from './request-limits.ts';

export interface Acquired extends DirectoriesOfLease {
  readonly user: DynamicUser;
  readonly lease: Lease;
}

export interface LeaseDeps extends ReleaseDeps {
  readonly directories: Directories;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly events: LeaseEvents;
  readonly nameCache: NameCache;
}

/** A lease whose directories are prepared, and locked until the end of the scope. */
export interface PendingLease extends AsyncDisposable {
  /** how long its directories took, in milliseconds */
  readonly handoverMs: number;
  /**
   * @returns the lease, which is to be written down in the same tick
   * @throws DynuserError LimitReached if the caller has gone; DirectoryFailed if the directories are not ready any more
   */
  make(): Lease;
  /**
   * Takes up the lease when it is written, publishes its directories, and makes nscd forget what contradicts it. If this returns, the
   * lease stays.
   * @param user with the lease
   * @throws DynuserError DirectoryFailed, HostFailed
   */
  written(user: DynamicUser, lease: Lease): Promise<Acquired>;
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
  const { makesMounts, verify, directoryGid = user.gid } = request;
  const { signal, onProgress } = owner;
  const options = {
    ...{ makesMounts, verify, signal, snapshot, live: () => deps.users.directoriesInUse() },
    onProgress: onProgress && ((at: HandoverProgress) => onProgress(at, user)),
  };
  const begun = deps.clock.monotonic();
  const prepared =
    request.directories.length === 0
      ? undefined
      : await deps.directories.prepare(request.directories, { ...user, gid: directoryGid }, options);
  const { directories, environment } = prepared ?? { directories: [], environment: {} };
  const handoverMs = prepared === undefined ? 0 : deps.clock.monotonic() - begun;
  for (const directory of directories) {
    if (directory.changed > 0) {
      deps.events.tell({ kind: 'handover', user, directory });
    }
  }
  let unanswered: Lease | undefined;
  return {
    handoverMs,
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
      const isNewUser = written.dynamic && written.leases.length === 1;
      if ((isNewUser || lease.groups !== undefined) && deps.nameCache.present()) {
        // It may remember that there is no such user, or that the user is not in these groups.
        await deps.nameCache.flush();
      }
      unanswered = undefined;
      return { user: written, lease, directories, environment };
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
  return compactLease({
    ...termsOf(request),
    ...(process === undefined ? {} : { process }),
    ...(request.groups === undefined ? {} : { groups: request.groups }),
    ...(request.member === undefined ? {} : { member: request.member }),
    ...(request.runtime === undefined ? {} : { runtime: runtimeOf(request.runtime, clock, randomness) }),
    ...{ id: request.id ?? randomness.leaseId(), pid, owner: requester.uid, since: clock.now(), cleanup },
    directories: directories.map(({ kind, source, publicPath, handover, preserved, exposed, aliases }) => {
      return { kind, source, publicPath, handover, preserved, exposed, aliases };
    }),
  });
}

const UINT32_COUNT = 2 ** 32;

/** The time begins now: what is left of it when another daemon takes the lease up is known by its end. */
function runtimeOf(
  { extraMs, ...limit }: RequestedRuntime,
  clock: Pick<Clock, 'sinceBoot'>,
  randomness: Pick<Randomness, 'uint32'>,
): LeasedRuntime {
  const milliseconds = limit.milliseconds + Math.floor((extraMs * randomness.uint32()) / UINT32_COUNT);
  return { ...limit, milliseconds, until: Math.ceil(clock.sinceBoot()) + milliseconds };
}
