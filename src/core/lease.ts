/**
 * A user and the leases to it. A user lives as long as it has at least one lease; all values are immutable,
 * a change makes a new one.
 */
import type { LeasedDirectory } from './directory.ts';
import type { Gid, LeaseId, Pid, Uid, UnitName, UserName } from './ids.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { Lifetime } from './wire-names.ts';

export { LIFETIMES, type Lifetime } from './wire-names.ts';

/** One holding of a user: it lives as long as one has not ended. */
export interface Lease {
  readonly id: LeaseId;
  readonly unit: UnitName;
  readonly lifetime: Lifetime;
  /** the process that asked, as the kernel named it; undefined where it is in a PID namespace that we cannot see into */
  readonly pid: Pid | undefined;
  /**
   * lifetime `process`: the process that it is bound to. lifetime `connection`: the one that acquired it, and may claim it
   * from the next daemon; undefined where it could not be seen, or cannot come back
   */
  readonly process?: ProcessIdentity;
  /** the UID of the process that asked; it and root may release */
  readonly owner: Uid;
  /** milliseconds since the epoch */
  readonly since: number;
  readonly directories: readonly LeasedDirectory[];
  readonly cleanup: Cleanup;
  /** what of the usual isolation the process goes without, in words */
  readonly missing?: readonly string[];
}

/** What is done about the remains of a user when it ends; a caller that does it itself switches it off. */
export interface Cleanup {
  /** ends every process that runs with the UID */
  readonly processes: boolean;
  /** removes IPC objects of the UID and GID */
  readonly ipc: boolean;
  /** of a static user: its IPC objects are removed, and those of this group, which its process had; absent: they stay */
  readonly accountIpc?: Gid;
}

/** A user with at least one lease. */
export interface DynamicUser {
  readonly uid: Uid;
  readonly gid: Gid;
  readonly name: UserName;
  /** false for a static user of the host that is used as it is: it is recorded, but never locked or published */
  readonly dynamic: boolean;
  readonly leases: readonly Lease[];
  /** why the UID is not this user's any more, in words: somebody else may have it. Once lost, it is never had again */
  readonly lost?: string;
}
