/**
 * Start after a stop or a crash: the leases that were answered live on, everything else that a former process of this
 * daemon left is taken back. The process or unit a lease depends on may be gone; Lifetimes and Claims check that.
 */
import type { DynamicUser } from '../core/lease.ts';
import { lossOf } from './losses.ts';
import type { Registry, RegistryRecovery, UidLocks } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface RecoveryReport {
  readonly users: number;
  /** users whose teardown the former process did not finish: Teardown.resume() does */
  readonly ending: readonly DynamicUser[];
  /** users that were found to be lost: their UID could not be locked again */
  readonly lost: readonly DynamicUser[];
}

export interface RecoveryDeps {
  readonly registry: Registry & RegistryRecovery;
  readonly locks: UidLocks;
  readonly users: UserTable;
}

/**
 * Fills the table and takes the locks again. Called once, before the first request.
 * @throws DynuserError HostFailed, LimitReached: a lock could not be tried. Nothing is lost by that: the next start tries again
 */
export function recover({ registry, locks, users }: RecoveryDeps): RecoveryReport {
  const loaded = registry.load();
  const kept = loaded.users.map(user => lockAgain(locks, user));
  const ending = loaded.ending.map(user => lockAgain(locks, user));
  const lost = kept.filter((user, index) => user !== loaded.users[index]);
  for (const user of kept) {
    users.put(user);
  }
  const present = new Set([...kept, ...ending].filter(user => user.dynamic).map(user => user.uid));
  for (const uid of loaded.intended) {
    if (!present.has(uid)) {
      locks.sweep(uid);
    }
  }
  locks.dropInherited();
  // Last, since the intents say which locks a crash in the middle of this would still have to sweep.
  registry.reconcile(kept);
  for (const user of lost) {
    try {
      registry.intend(user);
      registry.commit(user);
    } catch {
      // A full registry: the next start finds it out again.
    }
  }
  return { users: kept.length, ending, lost };
}

/** @returns the user, lost unless its UID is locked then */
function lockAgain(locks: UidLocks, user: DynamicUser): DynamicUser {
  if (!user.dynamic || user.lost !== undefined) {
    return user;
  }
  const lost = lossOf(locks.relock(user.uid, user.name));
  if (lost !== undefined) {
    return { ...user, lost };
  }
  // Also one of a daemon that had nothing to keep it.
  locks.keep(user.uid);
  return user;
}
