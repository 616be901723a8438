/**
 * Start after a stop or a crash: the leases that were answered live on, everything else that a former process of this
 * daemon left is taken back. What a lease lasted as long as may be gone: Lifetimes and Claims find out.
 */
import { DynuserError } from '../core/errors.ts';
import type { UserLease } from '../core/lease.ts';
import type { Registry, RegistryRecovery, UidLocks } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface RecoveryReport {
  readonly users: number;
  /** users that have to be ended by Endings.resume(): the former process did not come to it, or died over it */
  readonly ending: readonly UserLease[];
  /** users whose UID could not be locked again, each with the reason: they are kept, but are not theirs alone */
  readonly unlocked: readonly { readonly user: UserLease; readonly reason: string }[];
}

export interface RecoveryParts {
  readonly registry: Registry & RegistryRecovery;
  readonly locks: UidLocks;
  readonly users: UserTable;
}

/** Fills the table and takes the locks again. Called once, before the first request. */
export function recover({ registry, locks, users }: RecoveryParts): RecoveryReport {
  const { users: kept, ending, intended } = registry.load();
  const unlocked: { user: UserLease; reason: string }[] = [];
  for (const user of [...kept, ...ending]) {
    const reason = user.dynamic ? lockAgain(locks, user) : undefined;
    if (reason !== undefined) {
      unlocked.push({ user, reason });
    }
  }
  for (const user of kept) {
    users.put(user);
  }
  const present = new Set([...kept, ...ending].filter(user => user.dynamic).map(user => user.uid));
  for (const uid of intended) {
    if (!present.has(uid)) {
      locks.sweep(uid);
    }
  }
  // Last, since the intents say which locks a crash in the middle of this would still have to sweep.
  registry.settle(kept);
  return { users: kept.length, ending, unlocked };
}

function lockAgain(locks: UidLocks, user: UserLease): string | undefined {
  try {
    const outcome = locks.lock(user.uid, user.name);
    switch (outcome.kind) {
      case 'locked':
        return undefined;
      case 'taken':
        return 'somebody else has locked it meanwhile';
      case 'unusable':
        return outcome.reason;
    }
  } catch (error) {
    if (error instanceof DynuserError) {
      return error.message;
    }
    throw error;
  }
}
