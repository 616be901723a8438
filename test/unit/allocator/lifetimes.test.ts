/** Leases that end with a process or a unit: who may name which process, what is watched, and that nothing stays open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lifetimes } from '../../../src/allocator/lifetimes.ts';
import type { PeerPinOutcome, PinnedProcess, PinOutcome, UnitCheck } from '../../../src/allocator/ports.ts';
import { ROOT } from '../../../src/core/access.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { LeaseId, Pid } from '../../../src/core/ids.ts';
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
  const host = { open: 0, unit: { kind: 'active' } as UnitCheck, failure: undefined as Error | undefined };
  const pinned = (number: number): PinOutcome => {
    const owner = owners.get(number);
    if (owner === undefined) {
      return { kind: 'gone' };
    }
    host.open++;
    const process: PinnedProcess = {
      identity: identity(number),
      owner: () => uid(owner),
      onExit: callback => void exits.set(number, callback),
      close: () => void host.open--,
    };
    return { kind: 'running', process };
  };
  const lifetimes = new Lifetimes({
    users: built.users,
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
  return { built, host, lifetimes, owners, exits, watched, released, failed, pinned };
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
  // Claims waits for it.
  await built.acquire('d.service', { lifetime: 'connection', process: identity(9) });
  lifetimes.resume();
  assert.deepEqual(released, [gone.lease.id]);
  assert.deepEqual([...watched.keys()], ['c.service']);
  assert.equal(host.open, 1);
});
