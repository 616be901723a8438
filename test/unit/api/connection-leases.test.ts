/** Leases that end with a connection: what is told to the connection, and what a daemon that stops leaves to the next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLeases } from '../../../src/api/connection-leases.ts';
import type { Pid } from '../../../src/core/ids.ts';
import { buildUseCases } from '../allocator/use-cases.ts';
import { FakeConnection } from './world.ts';

function connectionLeases() {
  const built = buildUseCases();
  const failed: string[] = [];
  return { built, failed, leases: new ConnectionLeases(built, built.events, what => failed.push(what)) };
}

const nextTurn = () => new Promise(resolve => setImmediate(resolve));
const BY = { boot: 'b', pid: 7 as Pid, startTime: 1, inode: '7' };

test('a connection is held for as long as its lease, which ends with it', async () => {
  const { built, leases } = connectionLeases();
  const connection = new FakeConnection();
  const { lease } = await built.acquire('a.service', { lifetime: 'connection' });
  leases.bind(lease.id, connection);
  assert.equal(connection.holds, 1);
  connection.close();
  await nextTurn();
  assert.equal(built.users.leaseCount, 0);
  assert.equal(connection.holds, 0);
});

test('a lease that is released before lets go of its connection', async () => {
  const { built, leases } = connectionLeases();
  const connection = new FakeConnection();
  const { lease } = await built.acquire('a.service', { lifetime: 'connection' });
  leases.bind(lease.id, connection);
  await built.release(lease.id);
  assert.deepEqual([connection.holds, connection.listeners.size], [0, 0]);
});

test('a connection that is closed already ends the lease at once', async () => {
  const { built, leases } = connectionLeases();
  const connection = new FakeConnection();
  connection.close();
  const { lease } = await built.acquire('a.service', { lifetime: 'connection' });
  leases.bind(lease.id, connection);
  await nextTurn();
  assert.deepEqual([built.users.leaseCount, connection.holds], [0, 0]);
});

test('a daemon that stops leaves to the next what can be claimed there, and nothing else', async () => {
  const { built, leases } = connectionLeases();
  const connection = new FakeConnection();
  const claimable = await built.acquire('a.service', { lifetime: 'connection', process: BY });
  for (const more of [{ lifetime: 'connection' }, { lifetime: 'process', process: BY }] as const) {
    const { lease } = await built.acquire(`${more.lifetime}.service`, more);
    leases.bind(lease.id, connection);
  }
  leases.bind(claimable.lease.id, connection);
  leases.stop();
  connection.close();
  await nextTurn();
  assert.deepEqual(
    [...built.users.live()].map(({ name }) => name),
    [claimable.user.name],
  );
});

test('a lease whose end cannot be written is gone, and it is said', async () => {
  const { built, failed, leases } = connectionLeases();
  const connection = new FakeConnection();
  const { lease } = await built.acquire('a.service', { lifetime: 'connection' });
  await built.acquire('a.service');
  leases.bind(lease.id, connection);
  built.registry.failure = { step: 'intend', error: new Error('full') };
  connection.close();
  await nextTurn();
  assert.equal(built.users.leaseCount, 1);
  assert.match(failed[0] ?? '', new RegExp(lease.id));
});
