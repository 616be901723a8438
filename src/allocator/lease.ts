/**
 * A lease of a user: the directories of a request made ready, and in one tick with that what says that the user is
 * held. Whatever fails after it takes the lease back. Knows nothing of how a UID is found.
 */
import type { RequestedDirectory } from '../core/directory.ts';
import type { Gid, LeaseId, Pid, Uid, UnitName, UserName } from '../core/ids.ts';
import type { Cleanup, DynamicUser, Lease, Lifetime } from '../core/lease.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import type {
  Directories,
  DirectoriesOfLease,
  DirectorySnapshot,
  HandoverOptions,
  HandoverProgress,
} from './directory-ports.ts';
import type { Clock, Randomness } from './ports.ts';
import { limitReached } from './refusals.ts';
import { type ReleaseDeps, releaseGone } from './release.ts';

export interface AcquireRequest extends HandoverOptions {
  readonly unit: UnitName;
  readonly userName?: UserName;
  readonly perInstance: boolean;
  readonly lifetime: Lifetime;
  readonly pid: Pid | undefined;
  /** lifetime `process`: the process that the lease is bound to */
  readonly process?: ProcessIdentity;
  /** the UID of the peer that asks */
  readonly owner: Uid;
  /** whether that is root of this host */
  readonly isRoot: boolean;
  readonly directories: readonly RequestedDirectory[];
  readonly cleanup: Cleanup;
  /** of a static user, too, IPC objects are removed when its last lease ends */
  readonly removesAccountIpc?: boolean;
  /** the user has to be an account of the host: none is made */
  readonly staticOnly?: boolean;
  /** the group of the directories, where it is not the user's own */
  readonly directoryGid?: Gid;
  /** what of the usual isolation the caller goes without, in words */
  readonly missing?: readonly string[];
  /** aborted when the caller is gone, so that nobody would learn of the lease */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: HandoverProgress, user: Pick<DynamicUser, 'name' | 'uid' | 'gid'>) => void;
  /** at these directories, where there was one already */
  readonly snapshot?: DirectorySnapshot;
}

export interface Acquired extends DirectoriesOfLease {
  readonly user: DynamicUser;
  readonly lease: Lease;
}

export interface LeaseDeps extends ReleaseDeps {
  readonly directories: Directories;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/**
 * Prepares the directories of a request, and in the tick in which all are ready makes the lease. Where they cannot be
 * exposed after that, it is dropped again.
 * @param make writes the lease down; it is not called where the caller is gone
 */
export async function withLease<Result>(
  deps: LeaseDeps,
  user: DynamicUser,
  request: AcquireRequest,
  make: (lease: Lease, prepared: DirectoriesOfLease) => Result,
): Promise<Result> {
  const { directories, users } = deps;
  const { makesMounts, verify, signal, onProgress, snapshot } = request;
  const options = {
    ...{ makesMounts, verify, signal, live: () => users.directoriesInUse() },
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(onProgress === undefined ? {} : { onProgress: (at: HandoverProgress) => onProgress(at, user) }),
  };
  const owner = request.directoryGid === undefined ? user : { ...user, gid: request.directoryGid };
  // Disposed of after the directories, which are locked until then, and which it needs to put them away.
  await using written = new WrittenLease(deps);
  await using prepared =
    request.directories.length === 0 ? undefined : await directories.prepare(request.directories, owner, options);
  if (signal.aborted) {
    throw limitReached('the caller has gone before it was answered');
  }
  const ready = prepared ?? { directories: [], environment: {} };
  const lease = leaseOf(deps, user, request, ready);
  prepared?.commit();
  const result = make(lease, ready);
  if (result !== undefined && prepared !== undefined) {
    written.lease = lease.id;
    await prepared.publish();
    written.lease = undefined;
  }
  return result;
}

/** Drops a lease that was written, but could not be answered with. */
class WrittenLease implements AsyncDisposable {
  lease: LeaseId | undefined;
  readonly #deps: LeaseDeps;

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.lease !== undefined) {
      await releaseGone(this.#deps, this.lease);
    }
  }
}

function leaseOf(
  { randomness, clock }: LeaseDeps,
  user: DynamicUser,
  request: AcquireRequest,
  { directories }: DirectoriesOfLease,
): Lease {
  const { unit, lifetime, pid, process, owner, missing = [] } = request;
  const ofAccount = !user.dynamic && request.removesAccountIpc === true;
  const cleanup: Cleanup = {
    ...request.cleanup,
    ...(ofAccount ? { accountIpc: request.directoryGid ?? user.gid } : {}),
  };
  return {
    ...(process === undefined ? {} : { process }),
    ...(missing.length === 0 ? {} : { missing }),
    ...{ id: randomness.leaseId(), unit, lifetime, pid, owner, since: clock.now(), cleanup },
    directories: directories.map(({ kind, source, publicPath, handover, preserved, exposed, aliases }) => {
      return { kind, source, publicPath, handover, preserved, exposed, aliases };
    }),
  };
}
