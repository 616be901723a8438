/** The use cases built on the fakes, joined as daemon/main.ts joins them. */
import assert from 'node:assert/strict';
import { Allocator, type AllocatorDeps } from '../../../src/allocator/allocate.ts';
import { CoolDown } from '../../../src/allocator/cool-down.ts';
import type { Directories } from '../../../src/allocator/directory-ports.ts';
import type { LeaseEvents } from '../../../src/allocator/events.ts';
import type { ExplainDeps } from '../../../src/allocator/explain.ts';
import { releaseFor } from '../../../src/allocator/release.ts';
import type { AcquireRequest, LeaseOwner } from '../../../src/allocator/request.ts';
import { Reservations } from '../../../src/allocator/search.ts';
import { SharedGroups } from '../../../src/allocator/shared-groups.ts';
import { Teardown } from '../../../src/allocator/teardown.ts';
import { UserTable } from '../../../src/allocator/user-table.ts';
import { ROOT } from '../../../src/core/access.ts';
import { DynuserError, type ErrorCode } from '../../../src/core/errors.ts';
import type { LeaseId, Pid, Uid } from '../../../src/core/ids.ts';
import type { Lifetime } from '../../../src/core/lease.ts';
import { parseRange, type UidRange } from '../../../src/core/range.ts';
import { FakeAccountsLock, FakeLocks } from './fake-locks.ts';
import {
  FakeDirectories,
  FakePacketFilter,
  FakeProbe,
  FakeReaper,
  FakeRegistry,
  leaseEvents,
  uid,
  unitName,
} from './fakes.ts';

/** What a request says beyond its unit, and who asks: root unless there is an owner. */
export type AskedOf = Partial<AcquireRequest & Omit<LeaseOwner, 'requester'>> & {
  readonly owner?: Uid;
  readonly isRoot?: boolean;
};

export interface UseCases {
  /** what explains, joined as daemon/main.ts joins it */
  readonly explainDeps: ExplainDeps;
  /** the next unpredictable number */
  draw: () => number;
  readonly allocator: Allocator;
  readonly sharedGroups: SharedGroups;
  readonly events: LeaseEvents;
  readonly users: UserTable;
  readonly probe: FakeProbe;
  readonly locks: FakeLocks;
  readonly accounts: FakeAccountsLock;
  readonly registry: FakeRegistry;
  readonly reaper: FakeReaper;
  readonly directories: FakeDirectories;
  readonly packetFilter: FakePacketFilter;
  readonly teardown: Teardown;
  readonly coolDown: CoolDown;
  readonly range: UidRange;
  /** what Teardown said of leftovers */
  readonly left: string[];
  /** the names of users that lost their UID, as they were told of */
  readonly lost: string[];
  /** the clock, in milliseconds */
  now: number;
  acquire(unit: string, more?: AskedOf): ReturnType<SharedGroups['acquire']>;
  release(lease: LeaseId): Promise<string | undefined>;
}

/**
 * @param text the range, such as "61184-61186"
 * @param room real directories, instead of the fake ones
 * @param more how many leases there may be, and a name cache, if there is one
 */
export function buildUseCases(
  text = '61184-65519',
  room?: Directories,
  more: Pick<AllocatorDeps, 'capacity' | 'limits' | 'fleet'> & Partial<Pick<AllocatorDeps, 'nameCache' | 'clock'>> = {},
): UseCases {
  const range = parseRange(text);
  if (typeof range === 'string') {
    throw new TypeError(range);
  }
  let drawn = 0;
  const randomness = {
    uint32: () => built.draw(),
    leaseId: () => (leases++).toString(16).padStart(32, '0') as LeaseId,
  };
  let leases = 0;
  const clock = more.clock ?? { now: () => 1_000, monotonic: () => built.now, sinceBoot: () => built.now };
  const events = leaseEvents();
  const users = new UserTable(events);
  const registry = new FakeRegistry();
  const locks = new FakeLocks();
  const accounts = new FakeAccountsLock();
  const directories = new FakeDirectories();
  const used = room ?? directories;
  const reaper = new FakeReaper();
  const coolDown = new CoolDown(clock, { durationMs: 60_000 });
  const nameCache = { present: () => false, flush: async () => undefined };
  const packetFilter = new FakePacketFilter();
  const left: string[] = [];
  const lost: string[] = [];
  const teardown = new Teardown({
    ...{ events, users, registry, locks, reaper, directories: used, coolDown, nameCache, packetFilter, graceMs: 5 },
  });
  tellLeftoversAndLosses(events, left, lost);
  const probe = new FakeProbe();
  const choice = {
    rangeOf: () => range,
    ...{ events, users, locks, directories: used, teardown, coolDown, clock, randomness },
    reservations: new Reservations(),
  };
  const allocator = new Allocator({
    ...{ ...choice, probes: probe, accounts, registry, nameCache, packetFilter },
    ...more,
  });
  const release = { users, registry, directories: used, teardown };
  const sharedGroups = new SharedGroups({
    ...{ allocator, release, directories: used, locks, probes: probe, randomness, events },
    onFailure: (what, cause) => assert.fail(`${what}: ${cause}`),
  });
  const built: UseCases = {
    sharedGroups,
    explainDeps: { ...choice, allocator },
    draw: () => drawn++,
    ...{
      allocator,
      events,
      users,
      probe,
      locks,
      accounts,
      registry,
      reaper,
      directories,
      packetFilter,
      teardown,
      coolDown,
      range,
      left,
      lost,
      now: 0,
    },
    acquire: (
      unit,
      { owner = uid(0), isRoot = owner === 0, pid = 100 as Pid, process, signal, onProgress, ...more } = {},
    ) =>
      sharedGroups.acquire(
        {
          unit: unitName(unit),
          perInstance: false,
          lifetime: 'explicit' as Lifetime,
          directories: [],
          makesMounts: false,
          verify: false,
          cleanup: { processes: true, ipc: true },
          ...more,
        },
        {
          requester: { uid: owner, isRoot },
          pid,
          signal: signal ?? new AbortController().signal,
          ...(process === undefined ? {} : { process }),
          ...(onProgress === undefined ? {} : { onProgress }),
        },
      ),
    release: lease => releaseFor({ users, registry, directories: used, teardown: teardown }, lease, ROOT),
  };
  return built;
}

/** @param left gets what could not be removed. @param lost gets the names of users that lost their UID */
export function tellLeftoversAndLosses(events: LeaseEvents, left: string[], lost: string[]): void {
  events.on(['leftovers'], ({ user, left: words }) => left.push(`${user.name}: ${words}`));
  events.on(['lost'], ({ user }) => lost.push(user.name));
  events.on(['ended'], ({ user }) => {
    if (user.lost !== undefined) {
      lost.push(user.name);
    }
  });
}

export function fails(promise: Promise<unknown>, code: ErrorCode, pattern = /./): Promise<void> {
  return assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof DynuserError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    return true;
  });
}

/** Nothing is held, and nothing was left behind. */
export function assertEmpty({ registry, locks, accounts, users, directories }: UseCases): void {
  assert.equal(accounts.holders, 0);
  assert.equal(users.leaseCount, 0);
  assert.equal(directories.snapshots, 0);
  assert.equal(directories.preparing, 0);
  const { intents, leases, ending, byName, byUid, members, groups } = registry;
  for (const left of [intents, leases, ending, byName, byUid, members, groups, locks.files, locks.held]) {
    assert.equal(left.size, 0);
  }
}
