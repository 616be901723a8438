/** The locks on UIDs, with what keeps them beyond the end of this process. */
import type { LockStore } from './lock-store.ts';
import { type KeptLocks, openLockStore } from './open-lock-store.ts';
import { SYSTEMD_LOCK_DIRECTORY, SystemdUidLocks } from './uid-lock.ts';

export type { KeptLocks } from './open-lock-store.ts';

export interface UidLocksChoice extends KeptLocks {
  readonly runtimeDirectory: string;
  /** the path of dynuser-helper */
  readonly helper: string;
  /** told of what somebody did to the locks, and why they end with this process if they do */
  readonly report: (what: string, cause?: unknown) => void;
}

/**
 * @returns the locks, and the store that keeps them if there is one, to be closed at the end
 * @throws DynuserError HostFailed: the directory of the locks cannot be used, or a keeper does not hand over what it has
 */
export function openUidLocks(choice: UidLocksChoice): { locks: SystemdUidLocks; lockStore: LockStore | undefined } {
  const { report } = choice;
  const opened = openLockStore({ ...choice, onFailure: report });
  return { locks: SystemdUidLocks.open(SYSTEMD_LOCK_DIRECTORY, { ...opened, report }), lockStore: opened?.store };
}
