/**
 * What the use cases need of the outside, as types alone. Adapters in registry, host and directories implement these;
 * daemon/main.ts joins the two. Times are in milliseconds.
 */
import type { Requester } from '../core/access.ts';
import type { AccountAnswer } from '../core/account.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Gid, LeaseId, Pid, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import type { PacketRules } from '../core/packet-rules.ts';
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

/**
 * Questions about the machine that may block or crash; each is answered in a helper process within a deadline. All throw
 * DynuserError ProbeFailed, LimitReached.
 */
export interface Probe {
  /** Asks NSS for a user and a group of that name. */
  account(name: UserName): Promise<AccountAnswer>;
  /**
   * Looks for a user or group of that number in NSS, IPC objects of that UID or GID, and processes that run with it.
   * @returns the first evidence against the number, or undefined
   */
  evidence(uid: Uid): Promise<Evidence | undefined>;
  /**
   * As evidence(), for who has locked the UID and is about to give it out: if nothing speaks against it, IPC objects that
   * strangers gave to it, which count for nothing, are removed.
   */
  take(uid: Uid): Promise<Evidence | undefined>;
  /**
   * account() and take() at once, which takes little longer than either.
   * @param purpose 'look' removes nothing: as evidence() instead of take()
   */
  check(name: UserName, uid: Uid, purpose?: CheckPurpose): Promise<NameAndUidCheck>;
}

/** Drops packets by the UID of the process that they are of. */
export interface PacketFilter {
  /** @returns why rules cannot be had on this host, in words; undefined if nothing is known against it */
  problem(): string | undefined;
  /**
   * Holds the packets of a UID to rules from now on, in place of former ones, until they are dropped: also after the daemon's end.
   * @throws DynuserError HostFailed
   */
  hold(uid: Uid, rules: PacketRules): Promise<PacketHold>;
  /** Takes the rules of a UID away; there need not be any. @throws DynuserError HostFailed */
  drop(uid: Uid): Promise<void>;
}

export interface PacketHold {
  /** Takes the rules away, unless the UID has others by now. @throws DynuserError HostFailed */
  undo(): Promise<void>;
}

/**
 * The lock of the host's account files, which useradd(8), systemd and others hold while they choose a number. Whoever holds it
 * finds no new account between its questions about a number and the moment in which that resolves as its own.
 */
export interface AccountsLock {
  /**
   * Waits for the lock, for no longer than a probe may take. Concurrent requests share it.
   * @returns a function that unlocks it; may be called again
   * @throws DynuserError ProbeFailed, LimitReached, HostFailed
   */
  take(): Promise<() => void>;
}

export type LockOutcome =
  | { readonly kind: 'locked' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'unusable'; readonly reason: string };

export type PeekOutcome = { readonly kind: 'free' } | Exclude<LockOutcome, { readonly kind: 'locked' }>;

/**
 * The lock files that systemd and this daemon share, /run/systemd/dynamic-uid/<uid>: one of the two has a UID at a time. A UID outside
 * of systemd's range has no file: to lock it is to note that it is locked, and nobody else can.
 */
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
 * The steps of making and of ending a user, as ARCHITECTURE.md numbers them ("The life of a user"), but for the lock and what
 * is removed of the user. All are synchronous, so that nothing runs between the last step of making and the answer. A static
 * user is never published.
 */
export interface Registry {
  /** making 1: the intent is written down */
  intend(user: DynamicUser): void;
  /** making 3 and 4: number and name resolve */
  publish(user: DynamicUser): void;
  /** making 6: the intent becomes the lease */
  commit(user: DynamicUser): void;
  /** takes back making 1 */
  forget(user: DynamicUser): void;
  /** ending 1: the lease becomes one that ends. Needs no room, so that a full registry can be emptied. */
  revoke(user: DynamicUser): void;
  /** ending 2, and takes back making 3 and 4 */
  unpublish(user: DynamicUser): void;
  /** Says who is in a shared group: nobody any more, if there are no names. What is told before step 6 of making is taken back with 3 and 4. */
  tellMembers(gid: Gid, members: readonly UserName[]): void;
  /** Says which shared groups a dynamic user is in. */
  tellGroups(user: UserName, gids: readonly Gid[]): void;
  /** ending 5: nothing is known of it any more */
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
  /**
   * Reads the registry. A file that is not a lease is set aside and reported, never a reason not to start; so is the second of two
   * users of one name.
   */
  load(): RegistryContents;
  /** Removes all intents, and makes and removes links until exactly the given users have them. Does not read links that exist. */
  reconcile(users: readonly DynamicUser[]): void;
  /** Corrects the links of live users that say something else than they should. */
  compareLinks(users: readonly DynamicUser[]): void;
}

/**
 * Ends what a user leaves behind on the host. Each call ends within a bounded time, and may be made again at any time. All
 * throw DynuserError HostFailed if what is left cannot be found out, and LimitReached.
 */
export interface Reaper {
  /**
   * Ends every process that has the UID as real, effective, saved or file-system UID: SIGTERM, and SIGKILL for those that
   * are left after the grace.
   * @param graceMs how long they may take to end by themselves, in milliseconds; with 0 they are killed at once
   * @returns the first process that is left, or undefined
   */
  endProcesses(uid: Uid, graceMs: number): Promise<Evidence | undefined>;
  /** endProcesses(), and removeIpc() if none is left, in one step. */
  endAll(uid: Uid, graceMs: number): Promise<Evidence | undefined>;
  /**
   * Removes IPC objects of all kinds that the number created, or whose owner has it as UID or GID, and empties its keyrings as
   * clearKeyrings().
   * @returns the first object that is left, or undefined
   */
  removeIpc(uid: Uid): Promise<Evidence | undefined>;
  /** Removes the IPC objects whose owner is a static user, and those of a group, as far as they can be; none of root's. */
  removeAccountIpc(uid: Uid, gid: Gid): Promise<void>;
  /** Empties the keyrings that the kernel keeps for the UID itself (user-keyring(7)): they outlive its processes. */
  clearKeyrings(uid: Uid): Promise<void>;
}

/** A process that was there when it was asked for. Holds one descriptor until close(). */
export interface PinnedProcess {
  readonly identity: ProcessIdentity;
  /** Its real UID now; undefined if it has exited. @throws DynuserError HostFailed */
  owner(): Uid | undefined;
  /** Whether it has the UID as real, effective, saved or file-system UID now; false if it has exited. @throws DynuserError HostFailed */
  runsAs(uid: Uid): boolean;
  /**
   * Calls back when it has exited, once, in a later tick; in the next one if it already has. At most once for each process.
   * @throws DynuserError LimitReached, HostFailed
   */
  onExit(callback: () => void): void;
  /** Sends it a signal, unless it has exited: nobody else gets it. @throws DynuserError HostFailed */
  signal(number: number): void;
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

/** The processes of users. */
export interface UserProcesses {
  /**
   * Looks for one that has the UID as real, effective, saved or file-system UID.
   * @returns its number, which may be another's by now
   * @throws DynuserError HostFailed, LimitReached
   */
  findProcess(uid: Uid): Promise<Pid | undefined>;
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
  /** Calls back once when the unit has ended, at once if it already has. @returns a function that ends the watch */
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
  /** milliseconds since the boot in which the host did not sleep: the same for each daemon of a boot, whatever is done to the time of day */
  sinceBoot(): number;
}

export interface Randomness {
  /** an unpredictable integer in 0 … 2^32−1 */
  uint32(): number;
  leaseId(): LeaseId;
}

/** A name that this host holds in its fleet. */
export interface FleetHold {
  readonly name: UserName;
  readonly uid: Uid;
  /** its user lives on this host */
  readonly live: boolean;
  /** how the store contradicts it, so that nothing more is started as the user, and what to do */
  readonly conflict?: string;
}

/** As FleetStatus of io.dynuser.Allocator says it. */
export interface FleetStatus {
  readonly mode: 'off' | 'preferred' | 'required';
  readonly state: 'off' | 'waiting' | 'member' | 'fenced' | 'cloned' | 'refused' | 'restoring';
  /** why this host is not a member, and what to do */
  readonly reason?: string;
  /** the name of the fleet, this host's id there, and its name */
  readonly fleet?: string;
  readonly host?: string;
  readonly hostName?: string;
  readonly ranges?: string;
  /** names of the fleet that can be looked up on this host */
  readonly known?: number;
  readonly holds: readonly FleetHold[];
}

/** What operators ask of the fleet on this host. */
export interface FleetOperations {
  status(): FleetStatus;
  /** Gives up the hold on a name. @throws DynuserError FleetUnavailable, or FleetConflict while the user lives */
  forget(name: UserName): Promise<void>;
  /** Gives up all holds, and leaves the fleet. @throws as forget() does */
  leave(): Promise<void>;
}
