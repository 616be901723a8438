/**
 * What the use cases need of the outside, as types alone. Adapters in registry, host and directories implement these;
 * daemon/main.ts joins the two. Times are in milliseconds.
 */
import type { Requester } from '../core/access.ts';
import type { AccountAnswer } from '../core/account.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Gid, LeaseId, Pid, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';

/** What was found out about a name and a UID that is tried for it. */
export interface NameAndUidCheck {
  readonly account: AccountAnswer;
  /** as evidence() gives it; may be missing if the host has the name */
  readonly evidence: Evidence | undefined;
}

/** Hands out a probe for each requester: root's questions are answered first, and no other delays them. */
export interface Probes {
  for(requester: Requester): Probe;
}

export type CheckPurpose = 'take' | 'look';

/** Questions about the machine that may block or crash; each is answered in a helper process within a deadline. */
export interface Probe {
  /** Asks NSS for a user and a group of that name. @throws DynuserError ProbeFailed */
  account(name: UserName): Promise<AccountAnswer>;
  /**
   * Looks for a user or group of that number in NSS, IPC objects of that UID or GID, and processes that run with it.
   * @returns the first evidence against the number, or undefined
   * @throws DynuserError ProbeFailed
   */
  evidence(uid: Uid): Promise<Evidence | undefined>;
  /**
   * As evidence(), for who has locked the UID and is about to give it out: if nothing speaks against it, IPC objects that
   * strangers gave to it, which count for nothing, are removed.
   * @throws DynuserError ProbeFailed
   */
  take(uid: Uid): Promise<Evidence | undefined>;
  /**
   * account() and take() at once, which takes little longer than either.
   * @param purpose 'look' removes nothing: as evidence() instead of take()
   * @throws DynuserError ProbeFailed
   */
  check(name: UserName, uid: Uid, purpose?: CheckPurpose): Promise<NameAndUidCheck>;
}

/**
 * The lock of the host's account files, which useradd(8), systemd and others hold while they choose a number. Whoever holds it
 * finds no new account between its questions about a number and the moment in which that resolves as its own.
 */
export interface AccountsLock {
  /**
   * Waits for the lock, for no longer than a probe may take. Concurrent requests share it.
   * @returns lets go of it; may be called again
   * @throws DynuserError ProbeFailed, LimitReached, HostFailed
   */
  take(): Promise<() => void>;
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
  /**
   * Locks the UID of a user that a former daemon left, by what that had kept, or by the file that it left with the name in it. Makes
   * no file: if ours is gone, somebody else had the UID meanwhile, and may have left processes that are not the user's.
   */
  relock(uid: Uid, name: UserName): LockOutcome;
  /** Has a lock outlive this process, for the next daemon to take up by relock(). If that is not possible it does nothing. */
  keep(uid: Uid): void;
  /**
   * Whether a UID is locked by us now. If its file was unlinked or replaced, it is locked again, unless somebody else has it.
   * @returns 'locked', or why the UID is not ours any more: it never is again, then
   * @throws DynuserError HostFailed, LimitReached
   */
  confirm(uid: Uid): LockOutcome;
  /** Whether another holder has the lock now, without creating or keeping anything. */
  peek(uid: Uid): PeekOutcome;
  /** Unlinks the file while the lock is held, then lets go. A UID that is not locked here is left alone. */
  release(uid: Uid): void;
  /** Removes the file that a former process of this daemon may have left for a UID, unless somebody holds it. */
  sweep(uid: Uid): void;
  /** Ends what a former daemon had kept and lock() did not take up. Called once, after a start. */
  dropInherited(): void;
}

/**
 * The steps in which a user becomes durable and public, and those in which it ends. All are synchronous, so that nothing
 * runs between the last step of making and the answer.
 *
 * | step of making | by | taken back by |
 * | --- | --- | --- |
 * | 1 the intent is written down | intend | forget |
 * | 2 the UID is locked | UidLocks.lock | UidLocks.release |
 * | 3 uid → name is published | publish | unpublish |
 * | 4 name → uid is published | publish | unpublish |
 * | 5 the lock is handed to what keeps it beyond our end | UidLocks.keep | UidLocks.release |
 * | 6 the intent becomes the lease | commit | |
 *
 * | step of ending | by |
 * | --- | --- |
 * | 1 the lease becomes one that ends | revoke |
 * | 2 name and uid no longer resolve | unpublish |
 * | 3 what the user left is removed, and what was exposed is unpublished | Reaper, Directories, NameCache |
 * | 4 the UID is unlocked | UidLocks.release |
 * | 5 nothing is known of it any more | erase |
 *
 * A static user is never locked or published. After a crash, what did not reach step 6 of making is taken back, and what
 * reached step 1 of ending continues there. Step 3 of ending is for a UID that is locked by us: of a lost one nothing is
 * touched, and step 5 follows.
 */
export interface Registry {
  intend(user: DynamicUser): void;
  publish(user: DynamicUser): void;
  commit(user: DynamicUser): void;
  forget(user: DynamicUser): void;
  /** Needs no room, so that a full registry can be emptied. */
  revoke(user: DynamicUser): void;
  unpublish(user: DynamicUser): void;
  erase(user: DynamicUser): void;
}

/** What a former process of this daemon left in the registry. */
export interface RegistryContents {
  /** users that live */
  readonly users: readonly DynamicUser[];
  /** users that reached step 1 of ending, and not step 5 */
  readonly ending: readonly DynamicUser[];
  /** UIDs whose making did not reach step 6 */
  readonly intended: readonly Uid[];
}

export interface RegistryRecovery {
  /** Reads the registry; a file that is no lease is set aside and reported, never a reason not to start. Two users of one name: the second is. */
  load(): RegistryContents;
  /** Makes the links those of the given users and no others, and removes all intents. */
  reconcile(users: readonly DynamicUser[]): void;
}

/** Ends what a user leaves behind on the host. Each call ends within a bounded time, and may be made again at any time. */
export interface Reaper {
  /**
   * Ends every process that has the UID as real, effective, saved or file-system UID: SIGTERM, and SIGKILL for those that
   * are left after the grace.
   * @param graceMs how long they may take to end by themselves, in milliseconds; with 0 they are killed at once
   * @returns the first process that is left, or undefined
   * @throws DynuserError HostFailed if that cannot be found out; LimitReached
   */
  endProcesses(uid: Uid, graceMs: number): Promise<Evidence | undefined>;
  /** endProcesses(), and removeIpc() if none is left, in one step. @throws DynuserError as these */
  endAll(uid: Uid, graceMs: number): Promise<Evidence | undefined>;
  /**
   * Removes IPC objects of all kinds that the number created, or whose owner has it as UID or GID, and empties its keyrings as
   * clearKeyrings().
   * @returns the first object that is left, or undefined
   * @throws DynuserError HostFailed if that cannot be found out; LimitReached
   */
  removeIpc(uid: Uid): Promise<Evidence | undefined>;
  /**
   * Removes the IPC objects whose owner is a static user, and those of a group, as far as they can be; none of root's.
   * @throws DynuserError HostFailed if that cannot be found out; LimitReached
   */
  removeAccountIpc(uid: Uid, gid: Gid): Promise<void>;
  /**
   * Empties the keyrings that the kernel keeps for the UID itself (user-keyring(7)): they outlive its processes.
   * @throws DynuserError HostFailed if that cannot be found out; LimitReached
   */
  clearKeyrings(uid: Uid): Promise<void>;
}

/** A process that was there when it was asked for. Holds one descriptor until close(). */
export interface PinnedProcess {
  readonly identity: ProcessIdentity;
  /** Its real UID now; undefined if it has exited. @throws DynuserError HostFailed */
  owner(): Uid | undefined;
  /**
   * Calls back when it has exited, once, in a later tick; in the next one if it already has. At most once for each process.
   * @throws DynuserError LimitReached, HostFailed
   */
  onExit(callback: () => void): void;
  /** Ends all interest in it; nothing is called back any more. May be called again, and from the callback. */
  close(): void;
}

export type PinOutcome = { readonly kind: 'running'; readonly process: PinnedProcess } | { readonly kind: 'gone' };

export type PeerPinOutcome =
  | PinOutcome
  /** it runs in a PID namespace that is neither ours nor below ours: its end is seen, but not what it leaves behind */
  | { readonly kind: 'invisible' }
  /** the kernel is older than Linux 6.5 and does not say which process has connected */
  | { readonly kind: 'unsupported' };

export interface Processes {
  /** The process of a number, as the caller names it. @throws DynuserError LimitReached, HostFailed */
  open(pid: Pid): PinOutcome;
  /** The very process of an identity, if it still runs. @throws DynuserError LimitReached, HostFailed */
  adopt(identity: ProcessIdentity): PinOutcome;
}

/** The state of a unit; unavailable: systemd could not be asked, and the reason is for the caller. */
export type UnitCheck =
  | { readonly kind: 'active' }
  | { readonly kind: 'inactive' }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** systemd's units. */
export interface Units {
  /** Asks for the state of a unit, within a bounded time; one that is being started is active. */
  check(unit: string): Promise<UnitCheck>;
  /** Calls back once when the unit has ended, at once if it already has. @returns ends that */
  watch(unit: string, onInactive: () => void): () => void;
}

/** A cache of users and groups that answers programs in front of every NSS module. */
export interface NameCache {
  /** Whether there is one on this host now. */
  present(): boolean;
  /**
   * Makes it forget all users and groups.
   * @throws DynuserError HostFailed if it runs and did not do so in time: its answers may be minutes old
   */
  flush(): Promise<void>;
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
