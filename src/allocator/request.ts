/** What callers ask for, whichever interface they use. An interface checks what it reads and builds these; inward nobody checks again. */
import type { Requester } from '../core/access.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import type { Gid, Pid, UnitName, UserName } from '../core/ids.ts';
import type { Cleanup, DynamicUser, LeaseTerms } from '../core/lease.ts';
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
  /** the user must be an account of the host: none is made */
  readonly staticOnly?: boolean;
}

export interface AcquireRequest extends UserRequest, LeaseTerms {
  /** lifetime `process`: the process to end with; absent: the caller itself */
  readonly pid?: Pid;
  readonly cleanup: Omit<Cleanup, 'accountIpc'>;
  /** of a static user, too, IPC objects are removed when its last lease ends */
  readonly removesAccountIpc?: boolean;
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
