/** Stand-ins for the ports of the use cases, each as simple as its contract allows, and a house built on them. */
import type { Gid, LeaseId, Pid, Uid, UnitName, UserName } from '../../../src/core/ids.ts';
import type { Lifetime, UserLease } from '../../../src/core/lease.ts';
import { parseUnitName, parseUserName } from '../../../src/core/name.ts';
import { parseRange, type UidRange } from '../../../src/core/range.ts';
import type { Evidence } from '../../../src/core/verdict.ts';
import { type AcquireRequest, Allocator } from '../../../src/service/allocator.ts';
import { KeyedQueue } from '../../../src/service/keyed-queue.ts';
import type {
  AccountAnswer,
  LockOutcome,
  PeekOutcome,
  Probe,
  Registry,
  RegistryContents,
  RegistryRecovery,
  UidLocks,
} from '../../../src/service/ports.ts';
import { Reservations } from '../../../src/service/reservations.ts';
import { UserTable } from '../../../src/service/user-table.ts';

export const uid = (number: number) => number as Uid;

export function unitName(text: string): UnitName {
  const parsed = parseUnitName(text);
  if (!('unit' in parsed)) {
    throw new TypeError(parsed.reason);
  }
  return parsed.unit;
}

export function userName(text: string): UserName {
  const parsed = parseUserName(text);
  if (!('name' in parsed)) {
    throw new TypeError(parsed.reason);
  }
  return parsed.name;
}

export class FakeProbe implements Probe {
  readonly accounts = new Map<string, AccountAnswer>();
  readonly against = new Map<number, Evidence>();
  /** awaited before each answer about a number, so that a test can hold requests in the middle */
  gate: () => Promise<void> = async () => undefined;

  async account(name: UserName): Promise<AccountAnswer> {
    return this.accounts.get(name) ?? {};
  }

  async evidence(number: Uid): Promise<Evidence | undefined> {
    await this.gate();
    return this.against.get(number);
  }
}

/** Locks as the kernel has them: others' locks outlive a daemon, ours are gone when it is killed, files stay. */
export class FakeLocks implements UidLocks {
  readonly files = new Set<Uid>();
  readonly foreign = new Set<Uid>();
  readonly strange = new Map<Uid, string>();
  readonly held = new Set<Uid>();

  lock(number: Uid): LockOutcome {
    const peeked = this.peek(number);
    if (peeked.kind !== 'free') {
      return peeked;
    }
    this.files.add(number);
    this.held.add(number);
    return { kind: 'locked' };
  }

  peek(number: Uid): PeekOutcome {
    const reason = this.strange.get(number);
    if (reason !== undefined) {
      return { kind: 'unusable', reason };
    }
    return this.foreign.has(number) || this.held.has(number) ? { kind: 'taken' } : { kind: 'free' };
  }

  release(number: Uid): void {
    if (this.held.delete(number)) {
      this.files.delete(number);
    }
  }

  sweep(number: Uid): void {
    if (this.peek(number).kind === 'free') {
      this.files.delete(number);
    }
  }

  /** What a SIGKILL does: the locks are gone, the files stay. */
  crash(): void {
    this.held.clear();
  }
}

export class FakeRegistry implements Registry, RegistryRecovery {
  readonly intents = new Map<string, UserLease>();
  readonly leases = new Map<string, UserLease>();
  readonly byUid = new Map<Uid, UserName>();
  readonly byName = new Map<UserName, Uid>();
  /** thrown by the step of that name, once */
  failure: { step: keyof Registry; error: Error } | undefined;

  intend(user: UserLease): void {
    this.#step('intend');
    this.intents.set(user.name, user);
  }

  publish(user: UserLease): void {
    this.#step('publish');
    if (user.dynamic) {
      this.byUid.set(user.uid, user.name);
      this.byName.set(user.name, user.uid);
    }
  }

  commit(user: UserLease): void {
    this.#step('commit');
    this.intents.delete(user.name);
    this.leases.set(user.name, user);
  }

  revoke(user: UserLease): void {
    this.#step('revoke');
    this.leases.delete(user.name);
    this.intents.set(user.name, user);
  }

  unpublish(user: UserLease): void {
    this.#step('unpublish');
    this.byName.delete(user.name);
    this.byUid.delete(user.uid);
  }

  forget(user: UserLease): void {
    this.#step('forget');
    this.intents.delete(user.name);
  }

  load(): RegistryContents {
    return { users: [...this.leases.values()], intended: [...this.intents.values()].map(user => user.uid) };
  }

  settle(users: readonly UserLease[]): void {
    this.intents.clear();
    this.byUid.clear();
    this.byName.clear();
    for (const user of users) {
      this.publish(user);
    }
  }

  #step(step: keyof Registry): void {
    if (this.failure?.step === step) {
      const { error } = this.failure;
      this.failure = undefined;
      throw error;
    }
  }
}

export interface House {
  readonly allocator: Allocator;
  readonly users: UserTable;
  readonly probe: FakeProbe;
  readonly locks: FakeLocks;
  readonly registry: FakeRegistry;
  readonly range: UidRange;
  owners: readonly Uid[];
  acquire(unit: string, more?: Partial<AcquireRequest>): ReturnType<Allocator['acquire']>;
}

/** @param text the range, such as "61184-61186" */
export function house(text = '61184-65519'): House {
  const range = parseRange(text);
  if (typeof range === 'string') {
    throw new TypeError(range);
  }
  let drawn = 0;
  let leases = 0;
  const users = new UserTable();
  const probe = new FakeProbe();
  const locks = new FakeLocks();
  const registry = new FakeRegistry();
  const allocator = new Allocator({
    range,
    users,
    queue: new KeyedQueue(),
    reservations: new Reservations(),
    probe,
    locks,
    registry,
    owners: { owners: () => built.owners },
    clock: { now: () => 1_000, monotonic: () => 0 },
    randomness: {
      uint32: () => drawn++,
      leaseId: () => (leases++).toString(16).padStart(32, '0') as LeaseId,
    },
  });
  const built: House = {
    allocator,
    users,
    probe,
    locks,
    registry,
    range,
    owners: [],
    acquire: (unit, more = {}) =>
      allocator.acquire({
        unit: unitName(unit),
        perInstance: false,
        lifetime: 'explicit' as Lifetime,
        pid: 100 as Pid,
        owner: uid(0),
        directories: { runtime: [], state: [], cache: [], logs: [] },
        abandoned: () => false,
        ...more,
      }),
  };
  return built;
}

export const gid = (number: number) => number as Gid;
