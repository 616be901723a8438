/**
 * Leases of lifetime `connection` whose connection was to a former daemon: each waits for a grace time, and the very
 * process that acquired it may take it back on a new connection. Nobody else can, and nobody is told why.
 */
import { DynuserError } from '../core/errors.ts';
import type { LeaseId, Uid } from '../core/ids.ts';
import type { DynamicUser, Lease } from '../core/lease.ts';
import { isSameProcess, type ProcessIdentity } from '../core/process-identity.ts';
import type { PinnedProcess, Processes } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface ClaimDeps {
  readonly users: UserTable;
  readonly processes: Pick<Processes, 'adopt'>;
  /** how long a lease waits, in milliseconds */
  readonly graceMs: number;
  /** ends a lease that nobody has claimed */
  readonly release: (lease: LeaseId) => Promise<void>;
  /** told of failures that have no caller to answer */
  readonly onFailure: (what: string, cause: unknown) => void;
}

/** What was taken back. */
export interface ClaimedLease {
  readonly user: DynamicUser;
  readonly lease: Lease;
}

export class Claims {
  readonly #deps: ClaimDeps;
  /** the leases that wait, each with what ends the wait */
  readonly #waiting = new Map<LeaseId, () => void>();

  constructor(deps: ClaimDeps) {
    this.#deps = deps;
    deps.users.watch(({ kind, lease }) => {
      if (kind === 'released') {
        this.#endWait(lease.id);
      }
    });
  }

  /**
   * Takes up the leases that a former daemon left; called before there is a connection to this one. Those whose process is
   * gone, or was never seen, end at once.
   * @returns how many wait
   */
  resume(): number {
    for (const user of [...this.#deps.users.live()]) {
      for (const lease of user.leases) {
        if (lease.lifetime === 'connection') {
          this.#resumeOne(lease);
        }
      }
    }
    return this.#waiting.size;
  }

  /**
   * @param owner the UID of the process that claims
   * @param process the process that claims; undefined if it cannot be seen
   * @throws DynuserError NoSuchLease, whatever the reason: who may not have a lease learns nothing of it
   */
  claim(id: LeaseId, owner: Uid, process: ProcessIdentity | undefined): ClaimedLease {
    const user = this.#deps.users.byLease(id);
    const lease = user?.leases.find(held => held.id === id);
    if (
      user === undefined ||
      user.lost !== undefined ||
      lease?.process === undefined ||
      process === undefined ||
      lease.owner !== owner ||
      !isSameProcess(lease.process, process) ||
      !this.#endWait(id)
    ) {
      const reason =
        `no lease with the id ${id} waits for this process: only the process that acquired it can claim it, once, ` +
        'within the grace time after a start of the daemon';
      throw new DynuserError('NoSuchLease', reason, { field: 'lease' });
    }
    return { user, lease };
  }

  #resumeOne({ id: lease, process }: Lease): void {
    const outcome = process === undefined ? undefined : this.#adopt(process);
    if (outcome?.kind !== 'running') {
      this.#release(lease);
      return;
    }
    const pinned: PinnedProcess = outcome.process;
    if (this.#deps.graceMs <= 0) {
      // Now, and not with the next timers: somebody may claim it before.
      pinned.close();
      this.#release(lease);
      return;
    }
    // The wait keeps no daemon from stopping: the next one grants it anew.
    const timer = setTimeout(() => this.#release(lease), this.#deps.graceMs).unref();
    this.#waiting.set(lease, () => {
      clearTimeout(timer);
      pinned.close();
    });
    pinned.onExit(() => this.#release(lease));
  }

  #adopt(process: ProcessIdentity) {
    try {
      return this.#deps.processes.adopt(process);
    } catch (error) {
      this.#deps.onFailure(`cannot see whether the process ${process.pid} is still there`, error);
      return undefined;
    }
  }

  #release(lease: LeaseId): void {
    this.#endWait(lease);
    this.#deps.release(lease).catch((error: unknown) => {
      this.#deps.onFailure(`cannot end the lease ${lease}, whose connection is gone`, error);
    });
  }

  /** @returns whether it was waiting */
  #endWait(lease: LeaseId): boolean {
    this.#waiting.get(lease)?.();
    return this.#waiting.delete(lease);
  }
}
