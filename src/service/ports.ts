/**
 * What the use cases need of the outside, as types alone. Adapters in registry, host and directories implement these;
 * daemon.ts joins the two. Times are in milliseconds.
 */
import type { Gid, Pid, Uid, UserName } from '../core/ids.ts';
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

/** The lock files that systemd and this daemon share, /run/systemd/dynamic-uid/<uid>: one of the two has a UID at a time. */
export interface UidLocks {
  /** Creates and flocks the file, writes the name; held until release() or the end of the process. Never blocks. */
  lock(uid: Uid, name: UserName): LockOutcome;
  /** Whether another holder has the lock now, without creating or keeping anything. */
  peek(uid: Uid): LockOutcome;
  /** Unlinks the file while the lock is held, then lets go. A UID that is not locked here is left alone. */
  release(uid: Uid): void;
  /** Removes the file that a former process of this daemon may have left for a UID, unless somebody holds it. */
  sweep(uid: Uid): void;
}

/** The numbered steps in which a user becomes durable and public, and their reverse. Every method is synchronous. */
export interface Registry {
  /** Step 1: writes down that this user is about to be made. A crash from here on is cleaned up by recovery. */
  intend(user: UserLease): void;
  /** Steps 3 and 4: publishes the links uid → name and name → uid. */
  publish(user: UserLease): void;
  /** Step 5: makes the intended or changed user durable: after a crash it is there. */
  commit(user: UserLease): void;
  /** Takes back all steps in reverse; steps that were not done are no error. */
  erase(user: UserLease): void;
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
}

export interface Randomness {
  /** an unpredictable integer in 0 … 2^32−1 */
  uint32(): number;
  /** 32 lower-case hexadecimal digits */
  leaseId(): string;
}

/** Who a request comes from, as the kernel says (unix(7), SO_PEERCRED). */
export interface PeerIdentity {
  readonly uid: Uid;
  readonly gid: Gid;
  readonly groups: readonly Gid[];
  readonly pid: Pid;
}
