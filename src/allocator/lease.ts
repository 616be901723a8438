/**
 * A lease that is being made: its directories are prepared, it is written by whoever knows its user, and it is dropped
 * again if it cannot be answered. Knows nothing of how a UID is found.
 */
import { type Cleanup, type DynamicUser, type Lease, termsOf } from '../core/lease.ts';
import type { Directories, DirectoriesOfLease, DirectorySnapshot, PreparedDirectories } from './directory-ports.ts';
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

export class PendingLease implements AsyncDisposable {
  readonly #deps: LeaseDeps;
  readonly #user: DynamicUser;
  readonly #request: AcquireRequest;
  readonly #owner: LeaseOwner;
  readonly #prepared: PreparedDirectories | undefined;
  /** written down, and not answered */
  #unanswered: Lease | undefined;

  private constructor(
    deps: LeaseDeps,
    user: DynamicUser,
    request: AcquireRequest,
    owner: LeaseOwner,
    prepared: PreparedDirectories | undefined,
  ) {
    this.#deps = deps;
    this.#user = user;
    this.#request = request;
    this.#owner = owner;
    this.#prepared = prepared;
  }

  /**
   * Prepares the directories of a request, which stay locked until the end of the scope.
   * @param snapshot of these directories, if there was one
   * @throws DynuserError DirectoryFailed, LimitReached, ProbeFailed
   */
  static async prepare(
    deps: LeaseDeps,
    user: DynamicUser,
    request: AcquireRequest,
    owner: LeaseOwner,
    snapshot?: DirectorySnapshot,
  ): Promise<PendingLease> {
    const { directories, makesMounts, verify } = request;
    const { signal, onProgress } = owner;
    if (directories.length === 0) {
      return new PendingLease(deps, user, request, owner, undefined);
    }
    const directoryUser = { ...user, gid: request.directoryGid ?? user.gid };
    const prepared = await deps.directories.prepare(directories, directoryUser, {
      ...{ makesMounts, verify, signal, live: () => deps.users.directoriesInUse() },
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(onProgress === undefined ? {} : { onProgress: at => onProgress(at, user) }),
    });
    return new PendingLease(deps, user, request, owner, prepared);
  }

  /**
   * @returns the lease, which is to be written down in the same tick
   * @throws DynuserError LimitReached if the caller has gone; DirectoryFailed if the directories are not ready any more
   */
  make(): Lease {
    if (this.#owner.signal.aborted) {
      throw limitReached('the caller has gone before it was answered');
    }
    this.#prepared?.commit();
    return leaseOf(this.#deps, this.#user, this.#request, this.#owner, this.#prepared?.directories ?? []);
  }

  /**
   * Takes up the lease when it is written, and publishes its directories.
   * @param user with the lease
   * @throws DynuserError DirectoryFailed
   */
  async written(user: DynamicUser, lease: Lease): Promise<Acquired> {
    this.#unanswered = lease;
    await this.#prepared?.publish();
    const { directories, environment } = this.#prepared ?? { directories: [], environment: {} };
    return { user, lease, directories, environment };
  }

  /** The caller is told of the lease: it stays. */
  answered(): void {
    this.#unanswered = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // First, since a lease that is dropped has its directories put away under the same locks.
    await this.#prepared?.[Symbol.asyncDispose]();
    if (this.#unanswered !== undefined) {
      await releaseGone(this.#deps, this.#unanswered.id);
    }
  }
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
