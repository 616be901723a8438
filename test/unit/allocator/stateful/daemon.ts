/** A daemon on a host in memory: the use cases, joined as daemon/main.ts joins them, from its start to its kill. */

import { Allocator } from '../../../../src/allocator/allocate.ts';
import { CoolDown } from '../../../../src/allocator/cool-down.ts';
import type { Acquired } from '../../../../src/allocator/lease.ts';
import { Lifetimes } from '../../../../src/allocator/lifetimes.ts';
import type { PinOutcome, Reaper } from '../../../../src/allocator/ports.ts';
import { recover } from '../../../../src/allocator/recovery.ts';
import { releaseFor, releaseGone } from '../../../../src/allocator/release.ts';
import { Reservations } from '../../../../src/allocator/search.ts';
import { Teardown } from '../../../../src/allocator/teardown.ts';
import { UserTable } from '../../../../src/allocator/user-table.ts';
import type { Requester } from '../../../../src/core/access.ts';
import type { Evidence } from '../../../../src/core/evidence.ts';
import type { LeaseId, Pid, Uid, UnitName } from '../../../../src/core/ids.ts';
import type { Lifetime } from '../../../../src/core/lease.ts';
import { isSameProcess, type ProcessIdentity } from '../../../../src/core/process-identity.ts';
import type { UidRange } from '../../../../src/core/range.ts';
import { FakeDirectories, FakePacketFilter, leaseEvents } from '../fakes.ts';
import type { Host } from './host.ts';
import { HostLocks, HostProbe, HostRegistry } from './host-ports.ts';

export const COOL_DOWN_MS = 60_000;
/** Longer than any test runs: what waits for it does not end by itself. */
const GRACE_MS = 3_600_000;

/** Ends what a UID has, and notes if that was somebody else's. */
class HostReaper implements Reaper {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async endProcesses(uid: Uid): Promise<Evidence | undefined> {
    this.#check('the processes', uid);
    await this.#host.answer();
    return this.#host.stubborn.has(uid) ? { kind: 'process', pid: 9, command: 'stubborn', as: 'user' } : undefined;
  }

  async endAll(uid: Uid): Promise<Evidence | undefined> {
    return (await this.endProcesses(uid)) ?? this.removeIpc(uid);
  }

  async removeIpc(uid: Uid): Promise<Evidence | undefined> {
    this.#check('the objects', uid);
    await this.#host.answer();
    return undefined;
  }

  async clearKeyrings(uid: Uid): Promise<void> {
    this.#check('the keyrings', uid);
  }

  async removeAccountIpc(uid: Uid): Promise<void> {
    if (this.#host.held.has(uid)) {
      this.#host.violations.push(`the objects of ${uid}, a dynamic user, are removed as those of an account`);
    }
  }

  #check(what: string, uid: Uid): void {
    if (!this.#host.held.has(uid) || this.#host.lockOwner.get(uid) !== 'dynuserd') {
      this.#host.violations.push(`${what} of ${uid}, which is not locked by us, are ended`);
    }
    if (this.#host.strangers.has(uid)) {
      this.#host.violations.push(`${what} of ${uid} that are ended are somebody else's`);
    }
  }
}

export class Daemon {
  readonly events = leaseEvents();
  readonly users = new UserTable(this.events);
  readonly teardown: Teardown;
  readonly allocator: Allocator;
  readonly lifetimes: Lifetimes;
  readonly coolDown: CoolDown;
  readonly #deps: Parameters<typeof releaseFor>[0];
  readonly #exits = new Map<number, Set<() => void>>();

  /**
   * Starts: takes up what a former daemon left.
   * @param isRunning whether a process is there
   * @throws Killed if the host says so
   */
  constructor(host: Host, range: UidRange, isRunning: (process: ProcessIdentity) => boolean, leaseId: () => LeaseId) {
    const { users, events } = this;
    const registry = host.portOf(new HostRegistry(host));
    const locks = host.portOf(new HostLocks(host));
    const reaper = host.portOf(new HostReaper(host));
    const probes = host.portOf(new HostProbe(host));
    const clock = { now: () => host.now, monotonic: () => host.now, sinceBoot: () => host.now };
    const directories = new FakeDirectories();
    const nameCache = { present: () => false, flush: async () => undefined };
    const report = recover({ registry, locks, users, events }, registry.load());
    this.coolDown = new CoolDown(clock, { durationMs: COOL_DOWN_MS });
    const { coolDown } = this;
    const packetFilter = new FakePacketFilter();
    const ports = { events, users, registry, locks, directories, nameCache, packetFilter, coolDown };
    this.teardown = new Teardown({ ...ports, reaper, graceMs: 5 });
    this.#deps = { users, registry, directories, teardown: this.teardown };
    let drawn = host.daemon;
    this.allocator = new Allocator({
      ...{ ...ports, rangeOf: () => range, probes, clock, teardown: this.teardown },
      reservations: new Reservations(),
      accounts: { take: async () => () => undefined },
      randomness: { uint32: () => drawn++, leaseId },
    });
    const adopt = (identity: ProcessIdentity): PinOutcome => {
      if (!isRunning(identity)) {
        return { kind: 'gone' };
      }
      const told = new Set<() => void>();
      this.#exits.set(identity.pid, told);
      const process = {
        ...{ identity, owner: () => 0 as Uid, runsAs: () => false, signal: () => undefined, close: () => told.clear() },
        onExit: (callback: () => void) => void told.add(callback),
      };
      return { kind: 'running', process };
    };
    this.lifetimes = new Lifetimes({
      ...{
        events,
        users,
        userProcesses: { findProcess: async () => undefined },
        processes: { open: () => ({ kind: 'gone' }), adopt },
        graceMs: GRACE_MS,
        onFailure: () => undefined,
      },
      clock: { now: () => 0, sinceBoot: () => host.now },
      units: { check: async () => ({ kind: 'inactive' }), watch: () => () => undefined },
      release: lease => releaseGone(this.#deps, lease),
    });
    for (const user of report.ending) {
      void this.teardown.resume(user).catch(() => undefined);
    }
    this.lifetimes.resume();
  }

  acquire(
    unit: string,
    by: Requester,
    more: { lifetime: Lifetime; process?: ProcessIdentity; signal: AbortSignal },
  ): Promise<Acquired> {
    const { lifetime, ...owner } = more;
    const request = {
      ...{ unit: `${unit}.service` as UnitName, perInstance: false, lifetime, directories: [] },
      ...{ makesMounts: false, verify: false, cleanup: { processes: true, ipc: true } },
    };
    return this.allocator.acquire(request, { requester: by, pid: 100 as Pid, ...owner });
  }

  release(lease: LeaseId, by: Requester): Promise<string | undefined> {
    return releaseFor(this.#deps, lease, by);
  }

  /** What a connection that closes does. */
  releaseGone(lease: LeaseId): Promise<void> {
    return releaseGone(this.#deps, lease);
  }

  /** A process has ended that a lease waits for. */
  exited({ pid }: ProcessIdentity): void {
    for (const told of [...(this.#exits.get(pid) ?? [])]) {
      told();
    }
  }

  /** Tries nothing again by itself from now on. */
  stop(): void {
    this.teardown.stop();
  }
}

export function sameProcess(one: ProcessIdentity | undefined, other: ProcessIdentity): boolean {
  return one !== undefined && isSameProcess(one, other);
}
