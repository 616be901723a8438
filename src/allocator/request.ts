/** What callers ask for, whichever interface they use. An interface checks what it reads and builds these; inward nobody checks again. */
import type { Requester } from '../core/access.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import type { Gid, LeaseId, Pid, Uid, UnitName, UserName } from '../core/ids.ts';
import type { Cleanup, DynamicUser, LeasedGroup, LeaseTerms, Membership, RequestedRuntime } from '../core/lease.ts';
import { deriveUserName } from '../core/name.ts';
import type { PacketRules } from '../core/packet-rules.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import type { HandoverOptions, HandoverProgress } from './directory-ports.ts';

/** Which user is wanted, with which directories: all that Explain needs. */
export interface UserRequest extends HandoverOptions {
  readonly unit: UnitName;
  /** absent: derived from the unit */
  readonly userName?: UserName;
  /** the derived name keeps the instance of a template */
  readonly perInstance: boolean;
  readonly directories: readonly RequestedDirectory[];
  /** the group of the directories, if it is not the user's own */
  readonly directoryGid?: Gid;
  /** groups besides the user's own; dynamic ones are held for as long as the lease */
  readonly sharedGroups?: readonly SharedGroupRequest[];
  /** tried before all others: numbers that a directory of the request has, if not as its owner */
  readonly triedFirst?: readonly Uid[];
  /** whether its UID is that of the name in the fleet; absent: if the configuration says so of the name */
  readonly fleet?: boolean;
  /** the user must be an account of the host: none is made */
  readonly staticOnly?: boolean;
  /** of a launch: what the packets of the user are held to. Absent: to nothing, or to what a launch before has brought */
  readonly packetRules?: PacketRules;
  /** a user that lives already may be held to other rules: they stay as they are */
  readonly takesPacketRules?: boolean;
}

/** A group that a request names: a dynamic one that lives or is made, or a group of the host. */
export interface SharedGroupRequest {
  readonly name: UserName;
  /** the group of the process and of the directories (Group=); the others are supplementary */
  readonly isPrimary: boolean;
  /** none is made for it */
  readonly mustExist: boolean;
}

export interface AcquireRequest extends UserRequest, LeaseTerms {
  /** of a lease that has shared groups: its id, and what is held for it (shared-groups.ts) */
  readonly id?: LeaseId;
  readonly groups?: readonly LeasedGroup[];
  /** of a lease that is a membership in a shared group */
  readonly member?: Membership;
  /** lifetime `process`: the process to end with; absent: the caller itself */
  readonly pid?: Pid;
  /** lifetime `process`: how long the process may run */
  readonly runtime?: RequestedRuntime;
  readonly cleanup: Omit<Cleanup, 'accountIpc'>;
  /** of a static user, too, IPC objects are removed when its last lease ends */
  readonly removesAccountIpc?: boolean;
}

/** @returns the name of the user that is asked for */
export function nameOfRequest({ userName, unit, perInstance }: UserRequest): UserName {
  return userName ?? deriveUserName(unit, perInstance).name;
}

/** Who gets the lease. */
export interface LeaseOwner {
  readonly requester: Requester;
  /** the process that asks, if its number can be seen */
  readonly pid: Pid | undefined;
  /** the process that the lease is bound to, or that may claim it */
  readonly process?: ProcessIdentity;
  /** aborted if the caller is gone, so that nobody would learn of the lease */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: HandoverProgress, user: Pick<DynamicUser, 'name' | 'uid' | 'gid'>) => void;
}
