/** What happens to leases and users is told once, at the moment when it is done, with what a listener needs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LeaseEvent, LeaseEvents } from '../../../src/allocator/events.ts';
import type { FleetPort } from '../../../src/allocator/fleet-port.ts';
import { parseRange, type UidRange } from '../../../src/core/range.ts';
import { until } from '../../support/until.ts';
import { directory, leaseEvents, uid, userName } from './fakes.ts';
import { restart } from './restart.ts';
import { buildUseCases, fails, type UseCases } from './use-cases.ts';

const ALL = [
  ...(['allocated', 'released', 'ended', 'lost', 'leftovers', 'recovered'] as const),
  ...(['handover', 'refused', 'passedOver', 'skipped'] as const),
];

/** An event in a few words. */
function words(event: LeaseEvent): string {
  switch (event.kind) {
    case 'allocated':
      return `allocated ${event.user.name} ${event.joined ? 'joined' : 'new'}`;
    case 'released':
      return `released ${event.user.name} ${event.left}`;
    case 'leftovers':
      return `leftovers ${event.user.name}: ${event.left}`;
    case 'handover':
      return `handover ${event.user.name} ${event.directory.publicPath}`;
    case 'refused':
      return `refused ${event.code}`;
    case 'passedOver':
    case 'skipped':
      return `${event.kind} ${event.name} ${event.uid} ${event.evidence.kind}`;
    case 'overtime':
      return `overtime ${event.lease.unit}`;
    case 'fleetAway':
      return `${event.kind} ${event.name}`;
    default:
      return `${event.kind} ${event.user.name}`;
  }
}

function listen({ events }: Pick<UseCases, 'events'>) {
  const told: LeaseEvent[] = [];
  events.on(ALL, event => told.push(event));
  return { told, taken: () => told.splice(0).map(words) };
}

test('the life of a user is told in its order', async () => {
  const built = buildUseCases();
  const { taken } = listen(built);
  const first = await built.acquire('web.service', { directories: [directory('state', 'web')] });
  const second = await built.acquire('web.service');
  assert.deepEqual(taken(), ['handover web /state/web', 'allocated web new', 'allocated web joined']);
  await built.release(first.lease.id);
  await built.release(second.lease.id);
  assert.deepEqual(taken(), ['released web 1', 'released web 0', 'ended web']);
});

test('what has come to a UID while the fleet was asked is told of as what was there before', async () => {
  const range = parseRange('61184-61185') as UidRange;
  const fleet: FleetPort = {
    ...{
      range,
      concerns: () => 'required',
      begin: async () => ({ [Symbol.dispose]() {} }),
      uidOf: async () => undefined,
    },
    ...{ checkJoin() {}, formerUids: () => [], ownerOf: () => undefined, refresh: async () => {} },
    ...{ takeDirectories: async () => {}, hasShared: () => false, used() {} },
    finding: () => assert.fail('nobody asks for words'),
    async hold(_, number) {
      if (built.probe.against.size === 0) {
        await until('the account files are unlocked', () => built.accounts.holders === 0);
        built.probe.against.set(number, { kind: 'user', name: 'bob' });
      }
      return { kind: 'held' };
    },
  };
  const built = buildUseCases('61184-65519', undefined, { fleet });
  const { taken } = listen(built);
  await built.acquire('web.service');
  const [passedOver, ...others] = taken();
  assert.match(passedOver ?? '', /^passedOver web 6118[45] user$/);
  assert.deepEqual(others, ['allocated web new']);
});

test('an acquisition says how long its parts took', async () => {
  const built = buildUseCases();
  const { told } = listen(built);
  const takes = (ms: number) => async () => {
    built.now += ms;
  };
  built.probe.gate = takes(1_000);
  built.directories.gate = takes(200);
  await built.acquire('web.service', { directories: [directory('state', 'web')] });
  await built.acquire('web.service', { directories: [directory('state', 'web')] });
  const seconds = told.flatMap(event => (event.kind === 'allocated' ? [event.seconds] : []));
  assert.deepEqual(seconds, [
    { acquire: 1.2, check: 1, handover: 0.2 },
    { acquire: 0.2, check: 0, handover: 0.2 },
  ]);
});

test('candidates that are not free are told of, with what speaks against them; Explain tells of none', async () => {
  const built = buildUseCases('61184-61186');
  built.probe.against.set(61184, { kind: 'group', name: 'staff' });
  built.probe.against.set(61185, { kind: 'user', name: 'bob' });
  await built.acquire('first.service');
  const { told, taken } = listen(built);
  await fails(built.acquire('second.service'), 'RangeExhausted');
  assert.deepEqual(taken().sort(), [
    'passedOver second 61184 group',
    'passedOver second 61185 user',
    'skipped second 61186 lease',
  ]);
  assert.equal(told.length, 0);
});

test('leftovers are told of at each attempt, and the end when they are gone', async () => {
  const built = buildUseCases();
  const { lease, user } = await built.acquire('web.service');
  built.reaper.processes.set(user.uid, { kind: 'process', pid: 7, command: 'stuck', as: 'user' });
  const { taken } = listen(built);
  await built.release(lease.id);
  built.reaper.processes.clear();
  built.teardown.stop();
  await built.teardown.resume({ ...user, leases: [] });
  assert.deepEqual(taken(), ['released web 0', 'leftovers web: process 7 (stuck) runs with it', 'ended web']);
});

test('a user that is lost is told of once, and its end says that it was', async () => {
  const built = buildUseCases();
  const { lease, user } = await built.acquire('web.service');
  built.locks.foreign.add(user.uid);
  const { told, taken } = listen(built);
  await fails(built.acquire('web.service'), 'NameConflict');
  await built.release(lease.id);
  const [end] = told.slice(-1);
  assert.equal(end?.kind === 'ended' && end.user.lost, 'somebody else has locked its UID');
  assert.deepEqual(taken(), ['lost web', 'released web 0', 'ended web']);
});

test('the next daemon tells which users live on, and that one was lost meanwhile', async () => {
  const built = buildUseCases();
  await built.acquire('web.service');
  const { user } = await built.acquire('gone.service');
  built.locks.foreign.add(user.uid);
  const { told } = await restart(built);
  assert.deepEqual(told.map(words), ['recovered web', 'recovered gone', 'lost gone']);
});

test('who ends listening is told nothing more, and nobody else misses anything', () => {
  const events = leaseEvents();
  const told: string[] = [];
  const end = events.on(['skipped', 'passedOver'], ({ kind }) => told.push(`first ${kind}`));
  events.on(['passedOver'], ({ kind }) => told.push(`second ${kind}`));
  const tell = (kind: 'skipped' | 'passedOver') =>
    events.tell({ kind, name: userName('a'), uid: uid(61_184), evidence: { kind: 'reserved' } });
  assert.deepEqual([events.isHeard('skipped'), events.isHeard('lost')], [true, false]);
  tell('skipped');
  tell('passedOver');
  end();
  tell('skipped');
  tell('passedOver');
  assert.deepEqual(told, ['first skipped', 'first passedOver', 'second passedOver', 'second passedOver']);
  assert.equal(events.isHeard('skipped'), false);
});

test('a listener that fails is reported, and the others are told', () => {
  const failures: string[] = [];
  const events = new LeaseEvents((what, cause) => failures.push(`${what}: ${cause}`));
  const told: string[] = [];
  events.on(['skipped'], () => {
    throw new Error('full');
  });
  events.on(['skipped'], ({ kind }) => told.push(kind));
  events.tell({ kind: 'skipped', name: userName('a'), uid: uid(61_184), evidence: { kind: 'reserved' } });
  assert.deepEqual(told, ['skipped']);
  assert.deepEqual(failures, ['a listener to the event "skipped" failed: Error: full']);
});
