/**
 * Leases that end with a process, with the last process of their user, with a systemd unit, after a time, or with a connection that was to a
 * former daemon: watches each, and stops when it is released otherwise. Connections to this daemon are watched by api/connection-leases.ts.
 */
import type { Requester } from '../core/access.ts';
import { DynuserError, type ErrorCode } from '../core/errors.ts';
import type { LeaseId, Pid, Uid, UnitName } from '../core/ids.ts';
import { type Lease, type LeasedRuntime, type Lifetime, RUNNING_START_SECONDS } from '../core/lease.ts';
import { isSameProcess, type ProcessIdentity } from '../core/process-identity.ts';
import type { LeaseEvents } from './events.ts';
import type { Acquired } from './lease.ts';
import type { Clock, PeerPinOutcome, PinnedProcess, Processes, Units, UserProcesses } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface LifetimeDeps {
  readonly users: UserTable;
  readonly events: LeaseEvents;
  readonly processes: Processes;
  readonly units: Units;
  readonly userProcesses: UserProcesses;
  readonly clock: Pick<Clock, 'now' | 'sinceBoot'>;
  /** how long a lease whose connection was to a former daemon waits to be claimed, in milliseconds */
  readonly graceMs: number;
  /** ends a lease whose process, unit or connection is gone */
  readonly release: (lease: LeaseId) => Promise<void>;
  /** told of failures that have no caller to answer */
  readonly onFailure: (what: string, cause: unknown) => void;
}

/** signal(7) */
const SIGHUP = 1;
/**
 * Pauses between two looks for a process of a user: before the first process, after the end of one, and after a failure. If it forks and ends
 * all the time, the pause after an end doubles up to a bound: a look reads all processes of the host.
 */
const LOOK_MS = 500;
const LOOK_AGAIN_MS = 50;
const LOOK_AGAIN_MAX_MS = 2_000;
const LOOK_AFTER_FAILURE_MS = 10_000;
/** How the end of a lease is reported, if not by its lifetime being gone. */
const ENDS: Readonly<Partial<Record<Lifetime, string>>> = { timed: 'time is over', running: 'last process has ended' };
/** The longest that a timer of Node waits. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What was taken back. */
export type ClaimedLease = Pick<Acquired, 'user' | 'lease'>;

export class Lifetimes {
  readonly #deps: LifetimeDeps;
  /** what ends the watch on each lease */
  readonly #stop = new Map<LeaseId, () => void>();
  /** those that wait to be claimed */
  readonly #waiting = new Set<LeaseId>();

  constructor(deps: LifetimeDeps) {
    this.#deps = deps;
    deps.events.on(['released'], ({ lease }) => this.#forget(lease.id));
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
    if (outcome.kind === 'running') {
      return outcome.process;
    }
    if (outcome.kind === 'gone') {
      throw refused('LifetimeEnded', 'lifetime', 'the process that asks is gone');
    }
    const reason =
      'dynuserd cannot see the process that asks, which is in another PID namespace: use the lifetime "connection"';
    throw refused('NotPermitted', 'lifetime', reason);
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
    if (found.kind === 'inactive') {
      const reason = `the unit ${unit} is not active: a lease bound to it would end at once`;
      throw refused('LifetimeEnded', 'lifetime', reason);
    }
    if (found.kind === 'unavailable') {
      throw refused('ProbeFailed', 'lifetime', `leases cannot be bound to units: ${found.reason}`);
    }
  }

  /** Watches over a lease that was just made. Takes over the process. */
  bind(lease: Lease, process: PinnedProcess | undefined): void {
    const end = () => this.#end(lease);
    if (process !== undefined) {
      const stopLimit = lease.runtime && this.#limit(lease, lease.runtime, process);
      this.#stop.set(lease.id, () => {
        stopLimit?.();
        process.close();
      });
      process.onExit(end);
    } else if (lease.lifetime === 'unit') {
      this.#stop.set(lease.id, this.#deps.units.watch(lease.unit, end));
    } else if (lease.lifetime === 'running') {
      this.#stop.set(lease.id, this.#followUser(lease, end));
    } else if (lease.seconds !== undefined) {
      const timer = setTimeout(end, this.#left(lease.seconds * 1_000, lease.since)).unref();
      this.#stop.set(lease.id, () => clearTimeout(timer));
    }
  }

  /**
   * Follows one process of the user after the other: nothing is asked while one runs. A process that ends by starting another is not an end, since
   * that one is there by then.
   * @param end called once when no process is left, or none has come in its time
   * @returns a function that stops it
   */
  #followUser(lease: Lease, end: () => void): () => void {
    let followed: PinnedProcess | undefined;
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    let hasStarted = false;
    let pause = 0;
    let foundAt = 0;
    const later = (ms: number): void => {
      timer = setTimeout(() => void look(), ms).unref();
    };
    const again = (): void => {
      followed?.close();
      const lasted = this.#deps.clock.sinceBoot() - foundAt;
      const isShort = lasted <= LOOK_AGAIN_MAX_MS;
      pause = isShort ? Math.min(Math.max(2 * pause, LOOK_AGAIN_MS), LOOK_AGAIN_MAX_MS) : LOOK_AGAIN_MS;
      later(pause);
    };
    const look = async (): Promise<void> => {
      const uid = this.#deps.users.byLease(lease.id)?.uid;
      try {
        const pid = uid === undefined ? undefined : await this.#deps.userProcesses.findProcess(uid);
        if (isOver) {
          return;
        }
        if (uid !== undefined && pid !== undefined) {
          hasStarted = true;
          foundAt = this.#deps.clock.sinceBoot();
          followed = this.#openOf(uid, pid);
          followed?.onExit(again);
          if (followed === undefined) {
            again();
          }
        } else if (hasStarted || this.#left(RUNNING_START_SECONDS * 1_000, lease.since) <= 0) {
          end();
        } else {
          later(LOOK_MS);
        }
      } catch (error) {
        if (!isOver) {
          this.#deps.onFailure(`cannot see whether the user of ${lease.unit} has processes`, error);
          followed?.close();
          later(LOOK_AFTER_FAILURE_MS);
        }
      }
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
      followed?.close();
    };
  }

  /** @returns undefined if the process has ended, and its number may be another's */
  #openOf(uid: Uid, pid: Pid): PinnedProcess | undefined {
    const outcome = this.#deps.processes.open(pid);
    if (outcome.kind === 'running' && !outcome.process.runsAs(uid)) {
      outcome.process.close();
      return undefined;
    }
    return outcome.kind === 'running' ? outcome.process : undefined;
  }

  /**
   * Ends a process that may not run for ever when its time is over: by one signal, and after the grace by another. A daemon that comes
   * in between sends the first one again, since it cannot know whether that was sent.
   * @returns a function that stops it
   */
  #limit(lease: Lease, runtime: LeasedRuntime, process: PinnedProcess): () => void {
    const { until, signal, hangup, graceMs, finalSignal } = runtime;
    let timer: NodeJS.Timeout | undefined;
    const at = (time: number, then: () => void): void => {
      const left = time - this.#deps.clock.sinceBoot();
      const isOver = left <= TIMER_MS_MAX;
      timer = setTimeout(() => (isOver ? then() : at(time, then)), Math.min(Math.max(left, 0), TIMER_MS_MAX)).unref();
    };
    const send = (...numbers: readonly number[]): void => {
      try {
        for (const number of numbers) {
          process.signal(number);
        }
      } catch (error) {
        this.#deps.onFailure(`cannot end the process ${process.identity.pid}, whose time is over`, error);
      }
    };
    at(until, () => {
      this.#deps.events.tell({ kind: 'overtime', lease, runtime, process: process.identity });
      send(signal, ...(hangup ? [SIGHUP] : []));
      if (graceMs !== undefined && finalSignal !== undefined) {
        at(until + graceMs, () => send(finalSignal));
      }
    });
    return () => clearTimeout(timer);
  }

  /** @returns what is left of a time, in milliseconds; a clock that was set back does not make it longer */
  #left(wholeMs: number, since: number): number {
    return Math.min(Math.max(since + wholeMs - this.#deps.clock.now(), 0), wholeMs);
  }

  /**
   * Takes up the leases that a former daemon left; called before there is a connection to this one. Those whose process is gone end.
   * @returns how many wait to be claimed
   */
  resume(): number {
    for (const user of [...this.#deps.users.live()]) {
      for (const lease of user.leases) {
        // A membership ends with the lease of its member.
        if (lease.member === undefined) {
          this.#resumeOne(lease);
        }
      }
    }
    return this.#waiting.size;
  }

  /**
   * Takes back a lease that waits: the very process that acquired it may, once, and nobody else.
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
      !this.#waiting.has(id)
    ) {
      const reason =
        `no lease with the id ${id} waits for this process: only the process that acquired it can claim it, once, ` +
        'within the grace time after a start of the daemon';
      throw refused('NoSuchLease', 'lease', reason);
    }
    this.#forget(id);
    return { user, lease };
  }

  /** By its number if the kernel is too old for more. */
  #pin(pin: () => PeerPinOutcome, pid: Pid | undefined): PeerPinOutcome {
    const pinned = pin();
    return pinned.kind === 'unsupported' && pid !== undefined ? this.#deps.processes.open(pid) : pinned;
  }

  #resumeOne(lease: Lease): void {
    if (lease.lifetime === 'connection') {
      this.#awaitClaim(lease);
      return;
    }
    const outcome = lease.process && this.#deps.processes.adopt(lease.process);
    if (outcome?.kind === 'gone') {
      this.#end(lease);
    } else {
      this.bind(lease, outcome?.process);
    }
  }

  #awaitClaim(lease: Lease): void {
    const process = lease.process && this.#adopt(lease.process);
    if (process === undefined || this.#deps.graceMs <= 0) {
      // Now, and not with the next timers: somebody may claim it before.
      process?.close();
      this.#end(lease);
      return;
    }
    const end = () => {
      this.#forget(lease.id);
      this.#end(lease);
    };
    // The wait keeps no daemon from stopping: the next one grants it anew.
    const timer = setTimeout(end, this.#deps.graceMs).unref();
    this.#stop.set(lease.id, () => {
      clearTimeout(timer);
      process.close();
    });
    this.#waiting.add(lease.id);
    process.onExit(end);
  }

  #adopt(process: ProcessIdentity): PinnedProcess | undefined {
    try {
      const outcome = this.#deps.processes.adopt(process);
      return outcome.kind === 'running' ? outcome.process : undefined;
    } catch (error) {
      this.#deps.onFailure(`cannot see whether the process ${process.pid} is still there`, error);
      return undefined;
    }
  }

  #end({ id, lifetime }: Lease): void {
    this.#deps.release(id).catch((error: unknown) => {
      const end = ENDS[lifetime] ?? `${lifetime} is gone`;
      this.#deps.onFailure(`cannot end the lease ${id}, whose ${end}`, error);
    });
  }

  #forget(lease: LeaseId): void {
    this.#stop.get(lease)?.();
    this.#stop.delete(lease);
    this.#waiting.delete(lease);
  }
}

function refused(code: ErrorCode, field: string, reason: string): DynuserError {
  return new DynuserError(code, reason, { field });
}
