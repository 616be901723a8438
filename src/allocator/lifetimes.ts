/**
 * Leases that end with a process or with a systemd unit: watches each, and stops when it is released otherwise.
 * Connections are watched by api/connection-leases.ts.
 */
import type { Requester } from '../core/access.ts';
import { DynuserError, type ErrorCode } from '../core/errors.ts';
import type { LeaseId, Pid, UnitName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import type { PeerPinOutcome, PinnedProcess, Processes, Units } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface LifetimeDeps {
  readonly users: UserTable;
  readonly processes: Processes;
  readonly units: Units;
  /** ends a lease whose process or unit is gone */
  readonly release: (lease: LeaseId) => Promise<void>;
  /** told of failures that have no caller to answer */
  readonly onFailure: (what: string, cause: unknown) => void;
}

export class Lifetimes {
  readonly #deps: LifetimeDeps;
  readonly #stop = new Map<LeaseId, () => void>();

  constructor(deps: LifetimeDeps) {
    this.#deps = deps;
    deps.users.watch(({ kind, lease }) => {
      if (kind === 'released') {
        this.#stop.get(lease.id)?.();
        this.#stop.delete(lease.id);
      }
    });
  }

  /**
   * The process that a request names, for a peer that may speak for it: root for every process, others for those that
   * run as them.
   * @throws DynuserError NotPermitted, LifetimeEnded
   */
  processOf(pid: Pid, { uid, isRoot }: Requester): PinnedProcess {
    const outcome = this.#deps.processes.open(pid);
    if (outcome.kind === 'gone') {
      throw refused('LifetimeEnded', 'pid', `there is no process ${pid}; name one that runs`);
    }
    if (!isRoot && outcome.process.owner() !== uid) {
      outcome.process.close();
      throw refused('NotPermitted', 'pid', `the process ${pid} is not the user ${uid}'s: name one of your own`);
    }
    return outcome.process;
  }

  /**
   * The process that asks.
   * @param pin how the kernel knows it, from its connection
   * @param pid its number, if the daemon can see it; used if the kernel is too old to pin the process
   * @throws DynuserError NotPermitted, LifetimeEnded
   */
  callerOf(pin: () => PeerPinOutcome, pid: Pid | undefined): PinnedProcess {
    const outcome = this.#pin(pin, pid);
    switch (outcome.kind) {
      case 'running':
        return outcome.process;
      case 'gone':
        throw refused('LifetimeEnded', 'lifetime', 'the process that asks is gone');
      case 'invisible':
      case 'unsupported':
        throw refused(
          'NotPermitted',
          'lifetime',
          'dynuserd cannot see the process that asks, which is in another PID namespace: use the lifetime "connection"',
        );
    }
  }

  /**
   * Who asks, for a lease that is not bound to it.
   * @returns undefined if it cannot be seen, or has exited
   * @throws DynuserError LimitReached, HostFailed
   */
  identityOf(pin: () => PeerPinOutcome, pid: Pid | undefined): ProcessIdentity | undefined {
    const outcome = this.#pin(pin, pid);
    if (outcome.kind !== 'running') {
      return undefined;
    }
    outcome.process.close();
    return outcome.process.identity;
  }

  /** @throws DynuserError LifetimeEnded if the unit is not active, ProbeFailed if systemd cannot be asked */
  async checkUnit(unit: UnitName): Promise<void> {
    const found = await this.#deps.units.check(unit);
    switch (found.kind) {
      case 'active':
        return;
      case 'inactive':
        throw refused(
          'LifetimeEnded',
          'lifetime',
          `the unit ${unit} is not active: a lease bound to it would end at once`,
        );
      case 'unavailable':
        throw refused('ProbeFailed', 'lifetime', `leases cannot be bound to units: ${found.reason}`);
    }
  }

  /** Watches over a lease that was just made. Takes over the process. */
  bind(lease: Lease, process: PinnedProcess | undefined): void {
    const end = () => {
      this.#deps.release(lease.id).catch((error: unknown) => {
        this.#deps.onFailure(`cannot end the lease ${lease.id}, whose ${lease.lifetime} is gone`, error);
      });
    };
    if (process !== undefined) {
      this.#stop.set(lease.id, () => process.close());
      process.onExit(end);
    } else if (lease.lifetime === 'unit') {
      this.#stop.set(lease.id, this.#deps.units.watch(lease.unit, end));
    }
  }

  /** Takes up the leases that a former daemon left: those whose process is gone end. */
  resume(): void {
    for (const user of [...this.#deps.users.live()]) {
      for (const lease of user.leases) {
        this.#resumeOne(lease);
      }
    }
  }

  /** By its number if the kernel is too old for more. */
  #pin(pin: () => PeerPinOutcome, pid: Pid | undefined): PeerPinOutcome {
    const pinned = pin();
    return pinned.kind === 'unsupported' && pid !== undefined ? this.#deps.processes.open(pid) : pinned;
  }

  #resumeOne(lease: Lease): void {
    if (lease.lifetime === 'connection') {
      return;
    }
    if (lease.process === undefined) {
      this.bind(lease, undefined);
      return;
    }
    const outcome = this.#deps.processes.adopt(lease.process);
    if (outcome.kind === 'running') {
      this.bind(lease, outcome.process);
      return;
    }
    this.#deps.release(lease.id).catch((error: unknown) => {
      this.#deps.onFailure(`cannot end the lease ${lease.id}, whose process is gone`, error);
    });
  }
}

function refused(code: ErrorCode, field: string, reason: string): DynuserError {
  return new DynuserError(code, reason, { field });
}
