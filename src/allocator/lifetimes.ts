/**
 * References that end by themselves: with a process, or with a systemd unit. Watches over each for as long as it lives,
 * and lets go of it when it was released otherwise. What ends with a connection is the business of who has connections.
 */
import type { Requester } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import type { LeaseId, Pid, UnitName } from '../core/ids.ts';
import type { Holder } from '../core/lease.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import type { PeerPinOutcome, PinnedProcess, Processes, Units } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface LifetimeParts {
  readonly users: UserTable;
  readonly processes: Processes;
  readonly units: Units;
  /** drops a reference whose process or unit is gone */
  readonly release: (lease: LeaseId) => Promise<void>;
  /** told of what failed with nobody left to answer */
  readonly onFailure: (what: string, cause: unknown) => void;
}

export class Lifetimes {
  readonly #parts: LifetimeParts;
  readonly #stop = new Map<LeaseId, () => void>();

  constructor(parts: LifetimeParts) {
    this.#parts = parts;
    parts.users.watch(({ kind, holder }) => {
      if (kind === 'released') {
        this.#stop.get(holder.lease)?.();
        this.#stop.delete(holder.lease);
      }
    });
  }

  /**
   * The process that a request names, for a peer that may speak for it: root for every process, others for those that
   * run as them.
   * @throws DynuserError NotPermitted, ProbeFailed
   */
  processOf(pid: Pid, { uid, isRoot }: Requester): PinnedProcess {
    const outcome = this.#parts.processes.open(pid);
    if (outcome.kind === 'gone') {
      throw refused('ProbeFailed', 'pid', `there is no process ${pid}`);
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
   * @param pid its number, where the daemon can see it: an older kernel says nothing more
   * @throws DynuserError NotPermitted, ProbeFailed
   */
  callerOf(pin: () => PeerPinOutcome, pid: Pid | undefined): PinnedProcess {
    const outcome = this.#pin(pin, pid);
    switch (outcome.kind) {
      case 'running':
        return outcome.process;
      case 'gone':
        throw refused('ProbeFailed', 'lifetime', 'the process that asks is gone');
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
   * @returns undefined where it cannot be seen, or has exited
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

  /** @throws DynuserError ProbeFailed where the unit is not active, or systemd cannot be asked */
  async checkUnit(unit: UnitName): Promise<void> {
    const found = await this.#parts.units.check(unit);
    switch (found.kind) {
      case 'active':
        return;
      case 'inactive':
        throw refused(
          'ProbeFailed',
          'lifetime',
          `the unit ${unit} is not active: a lease bound to it would end at once`,
        );
      case 'unavailable':
        throw refused('ProbeFailed', 'lifetime', `leases cannot be bound to units: ${found.reason}`);
    }
  }

  /** Watches over a reference that was just made. Takes over the process. */
  bind(holder: Holder, process: PinnedProcess | undefined): void {
    const end = () => {
      this.#parts.release(holder.lease).catch((error: unknown) => {
        this.#parts.onFailure(`cannot end the lease ${holder.lease}, whose ${holder.lifetime} is gone`, error);
      });
    };
    if (process !== undefined) {
      this.#stop.set(holder.lease, () => process.close());
      process.onExit(end);
    } else if (holder.lifetime === 'unit') {
      this.#stop.set(holder.lease, this.#parts.units.watch(holder.unit, end));
    }
  }

  /** Takes up the references that a former daemon left: those whose process is gone end. */
  resume(): void {
    for (const user of [...this.#parts.users.live()]) {
      for (const holder of user.holders) {
        this.#resumeOne(holder);
      }
    }
  }

  /** By its number where the kernel says no more: an older one. */
  #pin(pin: () => PeerPinOutcome, pid: Pid | undefined): PeerPinOutcome {
    const pinned = pin();
    return pinned.kind === 'unsupported' && pid !== undefined ? this.#parts.processes.open(pid) : pinned;
  }

  #resumeOne(holder: Holder): void {
    if (holder.lifetime === 'connection') {
      return;
    }
    if (holder.process === undefined) {
      this.bind(holder, undefined);
      return;
    }
    const outcome = this.#parts.processes.adopt(holder.process);
    if (outcome.kind === 'running') {
      this.bind(holder, outcome.process);
      return;
    }
    this.#parts.release(holder.lease).catch((error: unknown) => {
      this.#parts.onFailure(`cannot end the lease ${holder.lease}, whose process is gone`, error);
    });
  }
}

function refused(code: 'NotPermitted' | 'ProbeFailed', field: string, reason: string): DynuserError {
  return new DynuserError(code, reason, { field });
}
