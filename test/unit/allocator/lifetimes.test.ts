/** Leases that end with a process or a unit: who may name which process, what is watched, and that nothing stays open. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Lifetimes } from '../../../src/allocator/lifetimes.ts';
import type { PeerPinOutcome, PinnedProcess, PinOutcome, UnitCheck } from '../../../src/allocator/ports.ts';
import { ROOT } from '../../../src/core/access.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { LeaseId, Pid } from '../../../src/core/ids.ts';
import type { RequestedRuntime } from '../../../src/core/lease.ts';
import type { ProcessIdentity } from '../../../src/core/process-identity.ts';
import { uid, unitName } from './fakes.ts';
import { buildUseCases } from './use-cases.ts';

const pid = (number: number) => number as Pid;
const identity = (number: number): ProcessIdentity => {
  return { boot: 'b', pid: pid(number), startTime: 1, inode: String(number) };
};

/** A host with some processes and units, and the lifetimes of leases on it. */
function lifetimesOf(built = buildUseCases()) {
  const owners = new Map<number, number>();
  const exits = new Map<number, () => void>();
  const watched = new Map<string, () => void>();
  const released: LeaseId[] = [];
  const failed: string[] = [];
  const signals: (readonly [pid: number, signal: number])[] = [];
  const host = {
    open: 0,
    unit: { kind: 'active' } as UnitCheck,
    failure: undefined as Error | undefined,
    now: 1_000,
    sinceBoot: 0,
    signalFailure: undefined as Error | undefined,
    looks: 0,
    lookFailure: undefined as Error | undefined,
    /** the process that a look names, whatever there is */
    named: undefined as Pid | undefined,
  };
  const pinned = (number: number): PinOutcome => {
    const owner = owners.get(number);
    if (owner === undefined) {
      return { kind: 'gone' };
    }
    host.open++;
    let isOpen = true;
    const process: PinnedProcess = {
      identity: identity(number),
      owner: () => uid(owner),
      runsAs: asked => asked === owners.get(number),
      onExit: callback => void exits.set(number, callback),
      signal: signal => {
        if (host.signalFailure !== undefined) {
          throw host.signalFailure;
        }
        signals.push([number, signal]);
      },
      close: () => {
        host.open -= isOpen ? 1 : 0;
        isOpen = false;
      },
    };
    return { kind: 'running', process };
  };
  const lifetimes = new Lifetimes({
    events: built.events,
    users: built.users,
    graceMs: 60_000,
    clock: { now: () => host.now, sinceBoot: () => host.sinceBoot },
    userProcesses: {
      findProcess: async asked => {
        host.looks++;
        if (host.lookFailure !== undefined) {
          throw host.lookFailure;
        }
        return host.named ?? [...owners].filter(([, owner]) => owner === asked).map(([number]) => pid(number))[0];
      },
    },
    processes: { open: number => pinned(number), adopt: ({ pid: number }) => pinned(number) },
    units: {
      check: async () => host.unit,
      watch: (unit, onInactive) => {
        watched.set(unit, onInactive);
        return () => watched.delete(unit);
      },
    },
    release: async lease => {
      released.push(lease);
      if (host.failure !== undefined) {
        throw host.failure;
      }
    },
    onFailure: what => failed.push(what),
  });
  return { built, host, lifetimes, owners, exits, watched, released, failed, signals, pinned };
}

const code = (expected: string) => (error: unknown) => error instanceof DynuserError && error.code === expected;

test('root names any process, others only one that runs as them', () => {
  const { host, lifetimes, owners } = lifetimesOf();
  owners.set(7, 1000);
  const user = { uid: uid(1000), isRoot: false };
  const stranger = { uid: uid(1001), isRoot: false };
  for (const requester of [ROOT, user]) {
    const process = lifetimes.processOf(pid(7), requester);
    assert.equal(process.identity.pid, 7);
    process.close();
  }
  assert.throws(() => lifetimes.processOf(pid(7), stranger), code('NotPermitted'));
  // The UID alone is not root of this host.
  assert.throws(() => lifetimes.processOf(pid(7), { uid: uid(0), isRoot: false }), code('NotPermitted'));
  assert.throws(() => lifetimes.processOf(pid(8), ROOT), code('LifetimeEnded'));
  assert.equal(host.open, 0, 'a process that is refused is not kept open');
});

test('the caller is who the kernel says; by its number only if the kernel says nothing', () => {
  const { host, lifetimes, owners, pinned } = lifetimesOf();
  owners.set(7, 0);
  const pins = (outcome: PeerPinOutcome) => () => outcome;
  const seen = lifetimes.callerOf(() => pinned(7), undefined);
  seen.close();
  assert.throws(() => lifetimes.callerOf(pins({ kind: 'gone' }), pid(7)), code('LifetimeEnded'));
  assert.throws(() => lifetimes.callerOf(pins({ kind: 'invisible' }), pid(7)), code('NotPermitted'));
  assert.throws(() => lifetimes.callerOf(pins({ kind: 'unsupported' }), undefined), code('NotPermitted'));
  lifetimes.callerOf(pins({ kind: 'unsupported' }), pid(7)).close();
  assert.deepEqual(
    lifetimes.identityOf(() => pinned(7), undefined),
    identity(7),
  );
  assert.equal(lifetimes.identityOf(pins({ kind: 'gone' }), pid(7)), undefined);
  assert.equal(host.open, 0, 'who is only identified is not kept open');
});

test('a unit has to be active, and systemd has to answer', async () => {
  const { host, lifetimes } = lifetimesOf();
  await lifetimes.checkUnit(unitName('a.service'));
  host.unit = { kind: 'inactive' };
  await assert.rejects(lifetimes.checkUnit(unitName('a.service')), code('LifetimeEnded'));
  host.unit = { kind: 'unavailable', reason: 'there is no bus' };
  await assert.rejects(lifetimes.checkUnit(unitName('a.service')), /there is no bus/);
});

test('a lease ends with its process; one that is released before lets go of it', async () => {
  const { built, host, lifetimes, owners, exits, released, failed } = lifetimesOf();
  owners.set(7, 0).set(8, 0);
  for (const number of [7, 8]) {
    const process = lifetimes.processOf(pid(number), ROOT);
    const more = { lifetime: 'process', process: process.identity } as const;
    const { lease } = await built.acquire(`a${number}.service`, more);
    lifetimes.bind(lease, process);
  }
  assert.equal(host.open, 2);
  const [first, second] = [...built.users.live()].flatMap(({ leases }) => leases);
  assert.ok(first && second);
  await built.release(first.id);
  assert.equal(host.open, 1);
  exits.get(8)?.();
  assert.deepEqual(released, [second.id]);
  host.failure = new Error('full');
  exits.get(8)?.();
  await new Promise(resolve => setImmediate(resolve));
  assert.match(failed[0] ?? '', /whose process is gone/);
});

test('a lease ends with its unit; one that is released before is not watched any more', async () => {
  const { built, lifetimes, watched, released } = lifetimesOf();
  const { lease } = await built.acquire('a.service', { lifetime: 'unit' });
  const other = await built.acquire('b.service', { lifetime: 'unit' });
  const explicit = await built.acquire('c.service');
  for (const one of [lease, other.lease, explicit.lease]) {
    lifetimes.bind(one, undefined);
  }
  assert.deepEqual([...watched.keys()], ['a.service', 'b.service']);
  await built.release(other.lease.id);
  assert.deepEqual([...watched.keys()], ['a.service']);
  watched.get('a.service')?.();
  assert.deepEqual(released, [lease.id]);
});

test('after a restart leases are watched again, and those whose process is gone end', async () => {
  const { built, host, lifetimes, owners, watched, released } = lifetimesOf();
  owners.set(7, 0);
  await built.acquire('a.service', { lifetime: 'process', process: identity(7) });
  const gone = await built.acquire('b.service', { lifetime: 'process', process: identity(9) });
  await built.acquire('c.service', { lifetime: 'unit' });
  await built.acquire('d.service', { lifetime: 'connection', process: identity(7) });
  assert.equal(lifetimes.resume(), 1, 'a lease whose connection was to the former daemon waits to be claimed');
  assert.deepEqual(released, [gone.lease.id]);
  assert.deepEqual([...watched.keys()], ['c.service']);
  assert.equal(host.open, 2);
});

const said = (expected: string, field: string, message: string) => (error: unknown) => {
  assert.ok(error instanceof DynuserError);
  assert.deepEqual([error.code, error.detail.field, error.message], [expected, field, message]);
  return true;
};

test('each refusal says what to do, by the name of the parameter', async () => {
  const { host, lifetimes, owners } = lifetimesOf();
  owners.set(7, 1000);
  const stranger = { uid: uid(1001), isRoot: false };
  assert.throws(
    () => lifetimes.processOf(pid(8), ROOT),
    said('LifetimeEnded', 'pid', 'there is no process 8; name one that runs'),
  );
  assert.throws(
    () => lifetimes.processOf(pid(7), stranger),
    said('NotPermitted', 'pid', "the process 7 is not the user 1001's: name one of your own"),
  );
  assert.throws(
    () => lifetimes.callerOf(() => ({ kind: 'gone' }), pid(7)),
    said('LifetimeEnded', 'lifetime', 'the process that asks is gone'),
  );
  assert.throws(
    () => lifetimes.callerOf(() => ({ kind: 'invisible' }), undefined),
    said(
      ...(['NotPermitted', 'lifetime'] as const),
      'dynuserd cannot see the process that asks, which is in another PID namespace: use the lifetime "connection"',
    ),
  );
  host.unit = { kind: 'inactive' };
  await assert.rejects(
    lifetimes.checkUnit(unitName('a.service')),
    said('LifetimeEnded', 'lifetime', 'the unit a.service is not active: a lease bound to it would end at once'),
  );
  host.unit = { kind: 'unavailable', reason: 'there is no bus' };
  await assert.rejects(
    lifetimes.checkUnit(unitName('a.service')),
    said('ProbeFailed', 'lifetime', 'leases cannot be bound to units: there is no bus'),
  );
});

test('a caller that the kernel says is gone is not looked for by its number', () => {
  const { lifetimes, owners } = lifetimesOf();
  owners.set(7, 0);
  assert.equal(
    lifetimes.identityOf(() => ({ kind: 'invisible' }), pid(7)),
    undefined,
  );
  assert.deepEqual(
    lifetimes.identityOf(() => ({ kind: 'unsupported' }), pid(7)),
    identity(7),
  );
  assert.equal(
    lifetimes.identityOf(() => ({ kind: 'unsupported' }), pid(8)),
    undefined,
  );
  assert.equal(
    lifetimes.identityOf(() => ({ kind: 'unsupported' }), undefined),
    undefined,
  );
});

test('of several leases of one user, each ends by itself', async () => {
  const { built, host, lifetimes, owners, exits, watched, released } = lifetimesOf();
  owners.set(7, 0);
  const process = lifetimes.processOf(pid(7), ROOT);
  const first = await built.acquire('a.service', { lifetime: 'process', process: process.identity });
  const second = await built.acquire('a.service', { lifetime: 'unit' });
  lifetimes.bind(first.lease, process);
  lifetimes.bind(second.lease, undefined);
  await built.release(second.lease.id);
  assert.deepEqual([host.open, [...watched.keys()]], [1, []]);
  exits.get(7)?.();
  assert.deepEqual(released, [first.lease.id]);
  await built.release(first.lease.id);
  assert.equal(host.open, 0);
});

test('a failure to end a lease is told with its id and its lifetime', async () => {
  const { built, host, lifetimes, watched, failed } = lifetimesOf();
  host.failure = new Error('full');
  const { lease } = await built.acquire('a.service', { lifetime: 'unit' });
  lifetimes.bind(lease, undefined);
  watched.get('a.service')?.();
  await new Promise(resolve => setImmediate(resolve));
  assert.deepEqual(failed, [`cannot end the lease ${lease.id}, whose unit is gone`]);
});

test('a timed lease ends after its seconds, and not if it was released before', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { built, lifetimes, released } = lifetimesOf();
    const first = await built.acquire('a.service', { lifetime: 'timed', seconds: 60 });
    const second = await built.acquire('b.service', { lifetime: 'timed', seconds: 30 });
    lifetimes.bind(first.lease, undefined);
    lifetimes.bind(second.lease, undefined);
    mock.timers.tick(29_999);
    await built.release(second.lease.id);
    mock.timers.tick(30_000);
    assert.deepEqual(released, []);
    mock.timers.tick(1);
    assert.deepEqual(released, [first.lease.id]);
  } finally {
    mock.timers.reset();
  }
});

test('after a restart a timed lease lasts for what is left of its time, whatever was done to the clock', async () => {
  const ends: readonly (readonly [elapsedMs: number, leftMs: number])[] = [
    [0, 60_000],
    [59_999, 1],
    [60_000, 0],
    [1e9, 0],
    // A clock that was set back makes it no longer.
    [-1e9, 60_000],
  ];
  for (const [elapsedMs, leftMs] of ends) {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const { built, host, lifetimes, released } = lifetimesOf();
      const { lease } = await built.acquire('a.service', { lifetime: 'timed', seconds: 60 });
      host.now = lease.since + elapsedMs;
      assert.equal(lifetimes.resume(), 0);
      if (leftMs > 1) {
        mock.timers.tick(leftMs - 1);
        assert.deepEqual(released, [], String(elapsedMs));
      }
      mock.timers.tick(1);
      assert.deepEqual(released, [lease.id], String(elapsedMs));
    } finally {
      mock.timers.reset();
    }
  }
});

test('the failure to end a timed lease says that its time is over', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { built, host, lifetimes, failed } = lifetimesOf();
    host.failure = new Error('full');
    const { lease } = await built.acquire('a.service', { lifetime: 'timed', seconds: 1 });
    lifetimes.bind(lease, undefined);
    mock.timers.tick(1_000);
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(failed, [`cannot end the lease ${lease.id}, whose time is over`]);
  } finally {
    mock.timers.reset();
  }
});

/** Lets what is awaited go on, with timers that are not Node's. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await new Promise(resolve => setImmediate(resolve));
  }
}

/** A lease that lasts as long as its user has processes, on a host with mocked timers. */
async function withRunning(
  use: (
    world: ReturnType<typeof lifetimesOf> & {
      readonly lease: LeaseId;
      readonly user: number;
      tick(ms: number): Promise<void>;
    },
  ) => Promise<void>,
): Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const world = lifetimesOf();
    const { lease, user } = await world.built.acquire('a.service', { lifetime: 'running' });
    world.host.now = lease.since;
    world.lifetimes.bind(lease, undefined);
    await turns();
    const tick = async (ms: number) => {
      world.host.now += ms;
      world.host.sinceBoot += ms;
      mock.timers.tick(ms);
      await turns();
    };
    await use({ ...world, lease: lease.id, user: user.uid, tick });
    await world.built.release(lease.id).catch(() => undefined);
    assert.equal(world.host.open, 0, 'no process is kept open');
  } finally {
    mock.timers.reset();
  }
}

/** A process has exited: nobody has its number any more. */
async function exit({ owners, exits }: Pick<ReturnType<typeof lifetimesOf>, 'owners' | 'exits'>, number: number) {
  owners.delete(number);
  exits.get(number)?.();
  exits.delete(number);
  await turns();
}

test('a lease of running processes ends with the last of them, and asks nothing while one runs', () =>
  withRunning(async ({ host, owners, exits, released, lease, user, tick }) => {
    owners.set(7, user);
    await tick(500);
    assert.deepEqual([host.open, [...exits.keys()]], [1, [7]]);
    const { looks } = host;
    await tick(1e7);
    assert.equal(host.looks, looks);
    // It ends by starting another one, and that starts two.
    owners.set(8, user);
    await exit({ owners, exits }, 7);
    await tick(50);
    assert.deepEqual([host.open, [...exits.keys()]], [1, [8]]);
    owners.set(9, user);
    owners.set(10, 0);
    await tick(2_001);
    await exit({ owners, exits }, 8);
    await tick(50);
    assert.deepEqual([[...exits.keys()], released], [[9], []]);
    await tick(2_001);
    await exit({ owners, exits }, 9);
    assert.deepEqual(released, []);
    await tick(50);
    assert.deepEqual(released, [lease]);
    await tick(1e6);
    assert.deepEqual(released, [lease], 'once');
  }));

test('a lease of running processes waits for the first one for 60 seconds', () =>
  withRunning(async ({ released, lease, tick }) => {
    await tick(59_500);
    assert.deepEqual(released, []);
    await tick(500);
    assert.deepEqual(released, [lease]);
  }));

test('after a restart a lease of running processes waits for what is left of that, and ends if its time is over', async () => {
  for (const [elapsedMs, isOver] of [
    [59_999, false],
    [60_000, true],
  ] as const) {
    const { built, host, lifetimes, released } = lifetimesOf();
    const { lease } = await built.acquire('a.service', { lifetime: 'running' });
    host.now = lease.since + elapsedMs;
    assert.equal(lifetimes.resume(), 0);
    await turns();
    assert.deepEqual(released, isOver ? [lease.id] : []);
    await built.release(lease.id);
  }
});

test('the number of a process that has passed to another one is not an end, and that is not followed', () =>
  withRunning(async ({ host, owners, exits, released, tick }) => {
    host.named = pid(7);
    await tick(500);
    owners.set(7, 0);
    await tick(500);
    assert.deepEqual([host.open, [...exits.keys()], released], [0, [], []]);
    const { looks } = host;
    await tick(2_000);
    assert.ok(host.looks > looks, 'it looks again');
  }));

test('a user that forks and ends all the time is looked at ever more seldom, until a process stays', () =>
  withRunning(async ({ host, owners, exits, released, user, tick }) => {
    owners.set(1, user);
    await tick(500);
    const pauses: number[] = [];
    for (let number = 1; number <= 9; number++) {
      owners.set(number + 1, user);
      await exit({ owners, exits }, number);
      const { looks } = host;
      let pause = 0;
      while (host.looks === looks) {
        await tick(50);
        pause += 50;
      }
      pauses.push(pause);
      await tick(number === 8 ? 2_001 : 0);
    }
    assert.deepEqual(pauses, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 50]);
    assert.deepEqual(released, []);
  }));

test('a failure to look for processes is told, ends nothing, and is tried again', () =>
  withRunning(async ({ host, owners, exits, released, failed, lease, user, tick }) => {
    host.lookFailure = new Error('hidepid');
    await tick(500);
    assert.deepEqual(failed, ['cannot see whether the user of a.service has processes']);
    await tick(9_999);
    assert.equal(failed.length, 1);
    host.lookFailure = undefined;
    owners.set(7, user);
    await tick(1);
    assert.deepEqual([[...exits.keys()], released], [[7], []]);
    await exit({ owners, exits }, 7);
    await tick(50);
    assert.deepEqual(released, [lease]);
  }));

test('a lease of running processes that is released is not looked after any more', () =>
  withRunning(async ({ built, host, owners, exits, lease, user, tick }) => {
    owners.set(7, user);
    await tick(500);
    await built.release(lease);
    assert.equal(host.open, 0);
    const { looks } = host;
    await exit({ owners, exits }, 7);
    await tick(1e6);
    assert.equal(host.looks, looks);
  }));

const RUNTIME = {
  milliseconds: 60_000,
  extraMs: 0,
  signal: 15,
  hangup: false,
  graceMs: 5_000,
  finalSignal: 9,
} as const;

/** What a process gets whose time is over, in seconds of the same clock for several daemons. */
function timesOf(runtime: RequestedRuntime, sinceBoot = 0) {
  const built = buildUseCases();
  const world = lifetimesOf(built);
  const { host, lifetimes, owners, signals } = world;
  built.now = sinceBoot;
  host.sinceBoot = sinceBoot;
  owners.set(7, 0);
  return {
    ...world,
    async start() {
      const process = lifetimes.processOf(pid(7), ROOT);
      const more = { lifetime: 'process', process: process.identity, runtime } as const;
      const { lease } = await built.acquire('a.service', more);
      lifetimes.bind(lease, process);
      return lease;
    },
    pass(milliseconds: number) {
      host.sinceBoot += milliseconds;
      mock.timers.tick(milliseconds);
      return signals.splice(0);
    },
  };
}

async function withTimers(work: () => Promise<void>): Promise<void> {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    await work();
  } finally {
    mock.timers.reset();
  }
}

test('a process that may not run for ever is signalled when its time is over, and killed after the grace', () =>
  withTimers(async () => {
    const { start, pass, built, host } = timesOf(RUNTIME, 123_456);
    const told: string[] = [];
    built.events.on(['overtime'], ({ lease, process }) => told.push(`${lease.unit} ${process.pid}`));
    await start();
    assert.deepEqual(pass(59_999), []);
    assert.deepEqual(told, []);
    assert.deepEqual(pass(1), [[7, 15]]);
    assert.deepEqual(told, ['a.service 7']);
    assert.deepEqual(pass(4_999), []);
    assert.deepEqual(pass(1), [[7, 9]]);
    assert.deepEqual(pass(1e9), []);
    assert.equal(host.open, 1, 'its lease ends with the process, and not before');
  }));

test('the signals are those of the limit, and there need not be a last one', () =>
  withTimers(async () => {
    for (const [more, expected] of [
      [{ signal: 2, hangup: true, finalSignal: 6 }, [[2, 1], [6]]],
      [{ graceMs: undefined }, [[15], []]],
      [{ finalSignal: undefined }, [[15], []]],
    ] as const) {
      const { start, pass } = timesOf({ ...RUNTIME, ...more } as RequestedRuntime);
      await start();
      const seen = [pass(60_000), pass(1e6)].map(list => list.map(([, signal]) => signal));
      assert.deepEqual(seen, expected);
    }
  }));

test('a limit of years is waited for in parts, none of which is too long for a timer', () =>
  withTimers(async () => {
    const year = 365 * 86_400_000;
    const { start, pass } = timesOf({ ...RUNTIME, milliseconds: year });
    await start();
    // As long as Node waits.
    const most = 2 ** 31 - 1;
    for (let left = year - 1; left > 0; left -= most) {
      assert.deepEqual(pass(Math.min(left, most)), [], String(left));
    }
    assert.deepEqual(pass(1), [[7, 15]]);
  }));

test('a process that has ended, or whose lease was released, gets no signal', () =>
  withTimers(async () => {
    const { start, pass, built, host } = timesOf(RUNTIME);
    const lease = await start();
    await built.release(lease.id);
    assert.deepEqual(pass(1e9), []);
    assert.equal(host.open, 0);
  }));

test('a random part of a time is added', () =>
  withTimers(async () => {
    for (const [drawn, milliseconds] of [
      [0, 60_000],
      [2 ** 31, 65_000],
      [2 ** 32 - 1, 69_999],
    ] as const) {
      const { start, pass, built } = timesOf({ ...RUNTIME, extraMs: 10_000 });
      built.draw = () => drawn;
      const { runtime } = await start();
      assert.deepEqual([runtime?.milliseconds, runtime?.until], [milliseconds, milliseconds]);
      assert.deepEqual(pass(milliseconds - 1), []);
      assert.deepEqual(pass(1), [[7, 15]]);
    }
  }));

test('after a restart the time continues, and what was missed comes at once', () =>
  withTimers(async () => {
    for (const [elapsed, first, second] of [
      [0, 60_000, 5_000],
      [59_000, 1_000, 5_000],
      [62_000, 0, 3_000],
      [1e9, 0, 0],
    ] as const) {
      const { pass, built, host, lifetimes } = timesOf(RUNTIME);
      // Of the former daemon, which is no more.
      await built.acquire('a.service', { lifetime: 'process', process: identity(7), runtime: RUNTIME });
      host.sinceBoot = elapsed;
      // Whatever was done to the time of day meanwhile.
      host.now = -1e12;
      lifetimes.resume();
      if (first > 0) {
        assert.deepEqual(pass(first - 1), [], String(elapsed));
      }
      if (second === 0) {
        assert.deepEqual(
          pass(0),
          [
            [7, 15],
            [7, 9],
          ],
          'both are late',
        );
        continue;
      }
      assert.deepEqual(pass(Math.min(first, 1)), [[7, 15]], String(elapsed));
      assert.deepEqual(pass(second - 1), [], String(elapsed));
      assert.deepEqual(pass(1), [[7, 9]], String(elapsed));
    }
  }));

test('a process that cannot be signalled is told of, and its end is still waited for', () =>
  withTimers(async () => {
    const { start, pass, host, failed, exits, released } = timesOf(RUNTIME);
    const lease = await start();
    host.signalFailure = new Error('not permitted');
    pass(65_000);
    assert.equal(failed[0], 'cannot end the process 7, whose time is over');
    exits.get(7)?.();
    assert.deepEqual(released, [lease.id]);
  }));
