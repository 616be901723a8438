import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import { RawPeer } from './raw-peer.ts';
import { startService, type TestService } from './service.ts';

const PING = 'org.example.ping.Ping';
const PONG = '{"parameters":{"text":"x"}}\0';
const ROOT = { key: 0, privileged: true };

function connectMany(service: TestService, count: number): Promise<RawPeer[]> {
  return Promise.all(Array.from({ length: count }, () => RawPeer.connect(service.path)));
}

test('a peer that cannot be identified is closed, and nothing else', async t => {
  const service = await startService(t);
  service.identity = 'unknown';
  const peer = await RawPeer.connect(service.path);
  assert.equal(await peer.rest(), '');
  assert.match(String(service.failures[0]?.cause), /nobody knows this peer/);
  service.identity = ROOT;
  const known = await RawPeer.connect(service.path);
  assert.equal(await known.call(PING, '{"text":"x"}'), PONG);
  known.close();
});

test('thousands of idle connections of one peer: the others and root are answered', { timeout: 60_000 }, async t => {
  const service = await startService(t);
  const idle: RawPeer[] = [];
  for (let hundred = 0; hundred < 50; hundred++) {
    idle.push(...(await connectMany(service, 100)));
    // The test and the server take turns in one process: connections are made faster than they can be accepted.
    const kept = Math.min(idle.length, 512);
    await until('one peer keeps its part', () => idle.filter(peer => !peer.isClosed).length === kept);
  }
  assert.equal(service.server.connections, 512);
  service.identity = { key: 1001, privileged: false };
  const other = await RawPeer.connect(service.path);
  assert.equal(await other.call(PING, '{"text":"x"}'), PONG);
  service.identity = ROOT;
  const root = await RawPeer.connect(service.path);
  assert.equal(await root.call(PING, '{"text":"x"}'), PONG);
  for (const peer of [...idle, other, root]) {
    peer.close();
  }
  await until('every place is free again', () => service.server.connections === 0);
});

test('where every place is taken, root displaces the longest idle, never one that is held or busy', async t => {
  const limits = { maxConnections: 4, reservedConnections: 1, maxConnectionsPerPeer: 4 };
  const service = await startService(t, limits);
  const [busy, first, second] = await connectMany(service, 3);
  assert.ok(busy && first && second);
  busy.send('{"method":"org.example.ping.Count","parameters":{"to":1,"wait":true},"more":true}\0');
  await busy.frame();
  assert.equal(await second.call(PING, '{"text":"x"}'), PONG);
  assert.equal(await first.call(PING, '{"text":"x"}'), PONG);
  const surplus = await RawPeer.connect(service.path);
  assert.equal(await surplus.rest(), '');
  service.identity = ROOT;
  const roots = await connectMany(service, 2);
  for (const root of roots) {
    assert.equal(await root.call(PING, '{"text":"x"}'), PONG);
  }
  assert.equal(await second.rest(), '');
  assert.ok(!first.isClosed && !busy.isClosed);
  for (const peer of [busy, first, ...roots]) {
    peer.close();
  }
});

test('idle connections end, those with a call under way do not', { timeout: 30_000 }, async t => {
  const service = await startService(t, { idleTimeoutMs: 200 });
  const idle = await RawPeer.connect(service.path);
  const asking = await RawPeer.connect(service.path);
  const waiting = await RawPeer.connect(service.path);
  waiting.send('{"method":"org.example.ping.Count","parameters":{"to":1,"wait":true},"more":true}\0');
  assert.equal(await asking.call(PING, '{"text":"x"}'), PONG);
  assert.equal(await idle.rest(), '');
  assert.equal(await asking.rest(), '', 'after its answer it is idle again');
  await sleep(1_500);
  assert.ok(!waiting.isClosed);
  waiting.close();
  await until('the handler learns of the end', () => service.ended.length === 1);
});

test('a connection that is held stays open until the hold ends', { timeout: 30_000 }, async t => {
  const limits = { idleTimeoutMs: 200, maxConnections: 2, reservedConnections: 0 };
  const service = await startService(t, limits);
  const held = await RawPeer.connect(service.path);
  for (const keep of [true, true, false]) {
    assert.equal(await held.call('org.example.ping.Keep', `{"keep":${keep}}`), '{}\0');
  }
  await sleep(1_500);
  assert.ok(!held.isClosed, 'one of two holds is left');
  assert.equal(await held.call(PING, '{"text":"x"}'), PONG);
  service.identity = ROOT;
  for (let round = 0; round < 3; round++) {
    const root = await RawPeer.connect(service.path);
    assert.equal(await root.call(PING, '{"text":"x"}'), PONG);
  }
  assert.ok(!held.isClosed, 'others are displaced, it is not');
  held.close();
});

test('a connection whose hold has ended is idle again', { timeout: 30_000 }, async t => {
  const service = await startService(t, { idleTimeoutMs: 200 });
  const peer = await RawPeer.connect(service.path);
  for (const keep of [true, false]) {
    assert.equal(await peer.call('org.example.ping.Keep', `{"keep":${keep}}`), '{}\0');
  }
  assert.equal(await peer.rest(), '');
});

test('a request that is begun must be completed in time', { timeout: 30_000 }, async t => {
  const service = await startService(t, { frameTimeoutMs: 300 });
  const slow = await RawPeer.connect(service.path);
  const dripping = setInterval(() => slow.send(' '), 20);
  t.after(() => clearInterval(dripping));
  const patient = await RawPeer.connect(service.path);
  assert.equal(await slow.rest(), '');
  assert.match(service.failures[0]?.what ?? '', /not completed in time/);
  assert.equal(await patient.call(PING, '{"text":"x"}'), PONG, 'to have begun nothing is not an offence');
  patient.close();
});

test('a request in pieces is answered, and its time is its own', async t => {
  const service = await startService(t, { frameTimeoutMs: 500 });
  const peer = await RawPeer.connect(service.path);
  for (const byte of Buffer.from(`{"method":"${PING}","parameters":{"text":"x"}}\0`)) {
    peer.send(Buffer.from([byte]));
    await new Promise(resolve => setImmediate(resolve));
  }
  assert.equal(await peer.frame(), PONG);
  await sleep(2_000);
  assert.equal(await peer.call(PING, '{"text":"x"}'), PONG);
  peer.close();
});

test('a peer that leaves during a call is noticed at once, and one that only sends no more is not taken for gone', async t => {
  const service = await startService(t);
  const request = '{"method":"org.example.ping.Count","parameters":{"to":1,"wait":true},"more":true}\0';
  const leaving = await RawPeer.connect(service.path);
  const listening = await RawPeer.connect(service.path);
  for (const peer of [leaving, listening]) {
    peer.send(request);
    await peer.frame();
  }
  listening.halfClose();
  leaving.close();
  // Sooner than the next sweep, which is a second after the start.
  await sleep(500);
  assert.deepEqual(service.ended, [1]);
  await sleep(1_200);
  assert.deepEqual(service.ended, [1]);
  listening.close();
  await until('the end of the other, which has no event of its own', () => service.ended.length === 2);
});

test('close() lets calls under way finish, then ends all', async t => {
  const service = await startService(t);
  const working = await RawPeer.connect(service.path);
  const idle = await RawPeer.connect(service.path);
  working.send(
    '{"method":"org.example.ping.PingLater","parameters":{"text":"x"}}\0{"method":"org.example.ping.Missing"}\0',
  );
  await until('both are there', () => service.server.connections === 2);
  await sleep(5);
  const before = Date.now();
  await service.server.close(5_000);
  assert.ok(Date.now() - before < 2_500, 'no longer than the calls take');
  assert.equal(await working.rest(), PONG);
  assert.equal(await idle.rest(), '');
  await assert.rejects(RawPeer.connect(service.path), /ENOENT|ECONNREFUSED/);
});

test('close() waits no longer than it is told', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  peer.send('{"method":"org.example.ping.Count","parameters":{"to":1,"wait":true},"more":true}\0');
  await peer.frame();
  const before = Date.now();
  await service.server.close(100);
  assert.ok(Date.now() - before < 2_000);
  assert.deepEqual(service.ended, [1]);
});
