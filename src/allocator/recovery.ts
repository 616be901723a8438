/**
 * Start after a stop or a crash: the leases that were answered live on, everything else that a former process of this
 * daemon left is taken back. The process or unit a lease depends on may be gone; Lifetimes checks that.
 */
import type { DynamicUser } from '../core/lease.ts';
import { isTold } from '../core/memberships.ts';
import type { LeaseEvents } from './events.ts';
import { lossOf, recordLoss } from './losses.ts';
import type { Registry, RegistryContents, RegistryRecovery, UidLocks } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface RecoveryReport {
  readonly users: number;
  /** users whose teardown the former process did not finish: Teardown.resume() does */
  readonly ending: readonly DynamicUser[];
}

export interface RecoveryDeps {
  readonly registry: Registry & RegistryRecovery;
  readonly locks: UidLocks;
  readonly users: UserTable;
  readonly events: LeaseEvents;
}

/**
 * Fills the table with what was loaded, and takes the locks again. Called once, before the first request.
 * @throws DynuserError HostFailed, LimitReached: a lock could not be tried. Nothing is lost by that: the next start tries again
 */
export function recover({ registry, locks, users, events }: RecoveryDeps, loaded: RegistryContents): RecoveryReport {
  const kept = loaded.users.map(user => lockAgain(locks, user));
  const ending = loaded.ending.map(user => lockAgain(locks, user));
  const lost = kept.filter((user, index) => user !== loaded.users[index]);
  for (const user of kept) {
    users.restore(user);
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
    recordLoss({ registry, events }, user);
  }
  return { users: kept.length, ending };
}

/** Users whose links are compared in one turn of the event loop. */
const COMPARED_A_TURN = 64;

/**
 * Compares what the links of live users say, a few in each turn. For when the daemon answers: it takes as long for very many as to read
 * their leases, and no daemon leaves a link that says anything else. Programs read the links all the while, and did between the daemons.
 */
export async function compareLinks({ registry, users }: Pick<RecoveryDeps, 'registry' | 'users'>): Promise<void> {
  const names = Array.from(users.dynamic(), ({ name }) => name);
  for (let index = 0; index < names.length; index += COMPARED_A_TURN) {
    await new Promise(resolve => setImmediate(resolve));
    // Whoever is in the table then has its links: both change in one tick.
    registry.compareLinks(names.slice(index, index + COMPARED_A_TURN).flatMap(name => users.dynamicByName(name) ?? []));
  }
}

/** @returns the user, lost unless its UID is locked then */
function lockAgain(locks: UidLocks, user: DynamicUser): DynamicUser {
  if (!isTold(user)) {
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
