/**
 * What the use cases need of the outside, as types alone. Adapters in registry, host and directories implement these;
 * daemon.ts joins the two. Times are in milliseconds.
 */
import type { Gid, LeaseId, Uid, UserName } from '../core/ids.ts';
import type { UserLease } from '../core/lease.ts';
import type { Evidence } from '../core/verdict.ts';

/** What NSS says of a name: the user and the group that carry it, each where there is one. */
export interface AccountAnswer {
  readonly user?: { readonly uid: Uid; readonly gid: Gid };
  readonly group?: { readonly gid: Gid };
}

/** Questions about the machine that may block or crash; each is answered in a helper process within a deadline. */
export interface Probe {
  /** Asks NSS for a user and a group of that name. @throws DynuserError ProbeFailed */
  account(name: UserName): Promise<AccountAnswer>;
  /**
   * Looks for a user or group of that number in NSS, IPC objects of that UID or GID, and processes that run with it.
   * @returns the first evidence against the number, or undefined where there is none
   * @throws DynuserError ProbeFailed
   */
  evidence(uid: Uid): Promise<Evidence | undefined>;
}

export type LockOutcome =
  | { readonly kind: 'locked' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'unusable'; readonly reason: string };

export type PeekOutcome = { readonly kind: 'free' } | Exclude<LockOutcome, { readonly kind: 'locked' }>;

/** The lock files that systemd and this daemon share, /run/systemd/dynamic-uid/<uid>: one of the two has a UID at a time. */
export interface UidLocks {
  /** Creates and flocks the file, writes the name; held until release() or the end of the process. Never blocks. */
  lock(uid: Uid, name: UserName): LockOutcome;
  /** Whether another holder has the lock now, without creating or keeping anything. */
  peek(uid: Uid): PeekOutcome;
  /** Unlinks the file while the lock is held, then lets go. A UID that is not locked here is left alone. */
  release(uid: Uid): void;
  /** Removes the file that a former process of this daemon may have left for a UID, unless somebody holds it. */
  sweep(uid: Uid): void;
}

/**
 * The steps in which a user becomes durable and public, and their mirror images. All are synchronous, so that nothing
 * runs between the last of them and the answer.
 *
 * | step | made by | undone by |
 * | --- | --- | --- |
 * | 1 the intent is written down | intend | forget |
 * | 2 the UID is locked | UidLocks.lock | UidLocks.release |
 * | 3 uid → name is published | publish | unpublish |
 * | 4 name → uid is published | publish | unpublish |
 * | 5 the intent becomes the lease | commit | revoke |
 *
 * A static user has steps 1 and 5 alone. After a crash, what did not reach step 5 is undone by recovery.
 */
export interface Registry {
  intend(user: UserLease): void;
  publish(user: UserLease): void;
  commit(user: UserLease): void;
  revoke(user: UserLease): void;
  unpublish(user: UserLease): void;
  forget(user: UserLease): void;
}

/** What a former process of this daemon left in the registry. */
export interface RegistryContents {
  /** users that reached step 5 */
  readonly users: readonly UserLease[];
  /** UIDs whose step 1 was done and step 5 was not */
  readonly intended: readonly Uid[];
}

export interface RegistryRecovery {
  /** Reads the registry; a file that is no lease is set aside and reported, never a reason not to start. Two users of one name: the second is. */
  load(): RegistryContents;
  /** Makes the links those of the given users and no others, and removes all intents. */
  settle(users: readonly UserLease[]): void;
}

/** The owners of directories that a request names. */
export interface DirectoryOwners {
  /** @returns the owner of the tree behind each path that exists; never throws for one that does not */
  owners(directories: DirectoryRequest): readonly Uid[];
}

export interface DirectoryRequest {
  readonly runtime: readonly string[];
  readonly state: readonly string[];
  readonly cache: readonly string[];
  readonly logs: readonly string[];
}

export interface Clock {
  /** milliseconds since the epoch */
  now(): number;
  /** milliseconds that only ever grow */
  monotonic(): number;
}

export interface Randomness {
  /** an unpredictable integer in 0 … 2^32−1 */
  uint32(): number;
  leaseId(): LeaseId;
}
