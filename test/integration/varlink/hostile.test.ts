import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../../src/varlink/client.ts';
import { Turns } from '../../../src/varlink/turns.ts';
import { until } from '../../support/until.ts';
import { RawPeer } from './raw-peer.ts';
import { startService, type TestService } from './service.ts';

const PING = 'org.example.ping.Ping';
const PONG = '{"parameters":{"text":"x"}}\0';
const REQUEST = `{"method":"${PING}","parameters":{"text":"x"}}\0`;
const WATCH = '{"method":"org.example.ping.Count","parameters":{"to":1,"wait":true},"more":true}\0';
const MEBIBYTE = 1024 * 1024;

async function assertServes(service: TestService): Promise<void> {
  const peer = await RawPeer.connect(service.path);
  assert.equal(await peer.call(PING, '{"text":"x"}'), PONG);
  peer.close();
}

/** What closes the connection with no byte in reply. */
const BROKEN: Readonly<Record<string, string | Buffer>> = {
  'an empty frame': '\0',
  'no JSON': 'GET / HTTP/1.1\r\n\r\n\0',
  'half an object': '{"method":"org.example.ping.Ping"\0',
  'an array': '[]\0',
  'no method': '{"parameters":{}}\0',
  'a method that is a number': '{"method":1}\0',
  'a method twice': `{"method":"${PING}","method":"${PING}"}\0`,
  'more and oneway': `{"method":"${PING}","more":true,"oneway":true}\0`,
  'more and upgrade': `{"method":"${PING}","more":true,"upgrade":true}\0`,
  'an unknown key': `{"method":"${PING}","parameters":{"text":""},"x":1}\0`,
  'a key as vendors had it': `{"method":"${PING}","parameters":{"text":""},"X-Trace":{}}\0`,
  'a vendor key that is not an object': `{"method":"${PING}","parameters":{"text":""},"com.example.x":1}\0`,
  'more as a string': `{"method":"${PING}","more":"true"}\0`,
  'parameters that are an array': `{"method":"${PING}","parameters":[]}\0`,
  'a byte order mark': `\ufeff${REQUEST}`,
  'a raw control character': `{"method":"${PING}","parameters":{"text":"\n"}}\0`,
  'an escaped NUL': `{"method":"${PING}","parameters":{"text":"\\u0000"}}\0`,
  'a lone surrogate': `{"method":"${PING}","parameters":{"text":"\\ud800"}}\0`,
  'broken UTF-8': Buffer.concat([
    Buffer.from(`{"method":"${PING}","parameters":{"text":"`),
    Buffer.from([0xc3, 0x28]),
    Buffer.from('"}}\0'),
  ]),
  'deep nesting': `{"method":"${PING}","parameters":{"text":${'['.repeat(30_000)}\0`,
  'deep nesting that ends': `{"method":"${PING}","parameters":{"x":${'{"a":'.repeat(63)}1${'}'.repeat(63)}}}\0`,
  'a number without bounds': `{"method":"${PING}","parameters":{"text":"","count":1e999}}\0`,
  'a frame that is one byte too long': `${' '.repeat(64 * 1024 + 1 - REQUEST.length + 1)}${REQUEST}`,
};

for (const [what, bytes] of Object.entries(BROKEN)) {
  test(`${what}: closed without a word, after the answers to what came before`, async t => {
    const service = await startService(t);
    const peer = await RawPeer.connect(service.path);
    peer.send(Buffer.concat([Buffer.from(REQUEST), Buffer.from(bytes), Buffer.from(REQUEST)]));
    assert.equal(await peer.rest(), PONG);
    assert.match(service.failures[0]?.what ?? '', /^closed, since a request /);
    assert.deepEqual(
      service.failures.map(failure => failure.fault),
      ['peer'],
    );
    await assertServes(service);
  });
}

test('the longest frame is answered', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  peer.send(`${' '.repeat(64 * 1024 - REQUEST.length + 1)}${REQUEST}`);
  assert.equal(await peer.frame(), PONG);
  peer.close();
});

test('a privileged peer has a bound of its own', async t => {
  const service = await startService(t, { maxFrameBytesPrivileged: 128 * 1024 });
  service.identity = { key: 0, privileged: true };
  const longest = `${' '.repeat(128 * 1024 - REQUEST.length + 1)}${REQUEST}`;
  const peer = await RawPeer.connect(service.path);
  peer.send(longest);
  assert.equal(await peer.frame(), PONG);
  peer.send(` ${longest}`);
  assert.equal(await peer.rest(), '');
  assert.match(service.failures[0]?.what ?? '', /longer than allowed/);
});

test('names that objects inherit harm nobody', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    assert.equal(
      await peer.call(PING, `{"text":"","${key}":{"uid":0}}`),
      `{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"${key}"}}\0`,
    );
    assert.match(await peer.call(`org.example.ping.${key}`), /MethodNotFound/);
  }
  peer.close();
});

for (const [what, piece] of [
  ['a frame of 64 MiB', Buffer.alloc(MEBIBYTE, ' ')],
  ['64 MiB of one string', Buffer.alloc(MEBIBYTE, 'x')],
] as const) {
  test(`${what} is refused early, and costs no memory`, async t => {
    const service = await startService(t);
    const peer = await RawPeer.connect(service.path);
    const before = process.memoryUsage().arrayBuffers;
    peer.send('{"method":"');
    let sent = 0;
    while (sent < 64 && !peer.isClosed) {
      peer.send(piece);
      sent += 1;
      await new Promise(resolve => setImmediate(resolve));
    }
    assert.equal(await peer.rest(), '');
    assert.ok(sent < 16, `${sent} MiB were taken`);
    assert.ok(process.memoryUsage().arrayBuffers - before < 32 * MEBIBYTE);
    assert.match(service.failures[0]?.what ?? '', /longer than allowed/);
    await assertServes(service);
  });
}

test('a peer that never reads has its queue bounded, and is closed at the end of it', async t => {
  const service = await startService(t, { maxQueuedBytes: MEBIBYTE });
  const peer = await RawPeer.connect(service.path);
  peer.stopReading();
  const padding = 'x'.repeat(32 * 1024);
  peer.send(`{"method":"org.example.ping.Count","parameters":{"to":1000,"padding":"${padding}"},"more":true}\0`);
  await until('it is closed', () => service.server.connections === 0);
  assert.match(service.failures[0]?.what ?? '', /too many replies wait/);
  await assertServes(service);
  peer.close();
});

test('a list that is sent as it is read is as long as it is, and waits for its reader without memory', async t => {
  const service = await startService(t, { maxQueuedBytes: MEBIBYTE });
  const peer = await RawPeer.connect(service.path);
  peer.stopReading();
  const padding = 'x'.repeat(32 * 1024);
  peer.send(`{"method":"org.example.ping.CountAsRead","parameters":{"to":200,"padding":"${padding}"},"more":true}\0`);
  await sleep(100);
  await assertServes(service);
  assert.deepEqual(service.failures, []);
  const client = await connect(service.path);
  let last = 0;
  for await (const { at } of client.stream('org.example.ping.CountAsRead', { to: 5000 })) {
    assert.equal(at, ++last);
  }
  assert.equal(last, 5000);
  assert.deepEqual(await client.call('org.example.ping.Ping', { text: 'after' }), { text: 'after' });
  client.close();
  peer.close();
  await until('the one that never read is gone', () => service.server.connections === 0);
  assert.deepEqual(service.failures, []);
});

test('the end of a peer is seen that has read a list and waits for more', async t => {
  const service = await startService(t, {});
  for (const to of [2, 100, 5_000]) {
    const client = await connect(service.path);
    for await (const { at } of client.stream('org.example.ping.CountAsRead', { to, wait: true })) {
      if (at === to - 1) {
        break;
      }
    }
    client.close();
    await until(`the peer that read ${to} is gone`, () => service.server.connections === 0);
  }
});

test('all who do not read share one bound, and who has the most pays', async t => {
  const service = await startService(t, { maxQueuedBytesInAll: 2 * MEBIBYTE });
  const padding = 'x'.repeat(32 * 1024);
  const count = (to: number) =>
    `{"method":"org.example.ping.Count","parameters":{"to":${to},"padding":"${padding}","wait":true},"more":true}\0`;
  const greedy = await RawPeer.connect(service.path);
  greedy.stopReading();
  greedy.send(count(50));
  await sleep(50);
  const modest = await RawPeer.connect(service.path);
  modest.stopReading();
  modest.send(count(35));
  await until('somebody pays', () => service.failures.length > 0);
  assert.match(service.failures[0]?.what ?? '', /fill the memory for all/);
  assert.equal(service.failures[0]?.connection, 1);
  await until('one of them is left', () => service.server.connections === 1);
  for (const peer of [greedy, modest]) {
    peer.close();
  }
});

test('what was read in the end counts no more', async t => {
  const service = await startService(t, { maxQueuedBytesInAll: 2 * MEBIBYTE });
  const padding = 'x'.repeat(32 * 1024);
  const peers = await Promise.all([1, 2, 3, 4].map(() => RawPeer.connect(service.path)));
  for (const peer of peers) {
    peer.stopReading();
    peer.send(`{"method":"org.example.ping.Count","parameters":{"to":45,"padding":"${padding}"},"more":true}\0`);
    await sleep(50);
    peer.startReading();
    for (let at = 1; at <= 45; at++) {
      assert.match(await peer.frame(), new RegExp(`"at":${at},`));
    }
  }
  assert.deepEqual(service.failures, []);
  for (const peer of peers) {
    peer.close();
  }
});

test('a slow reader of many pipelined requests makes them wait, not the memory grow', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  peer.stopReading();
  const text = 'x'.repeat(16 * 1024);
  const request = `{"method":"${PING}","parameters":{"text":"${text}"}}\0`;
  for (let round = 0; round < 200; round++) {
    peer.send(request);
  }
  await sleep(200);
  assert.ok(service.pinged.length < 100, `${service.pinged.length} requests were answered ahead of the reader`);
  peer.startReading();
  for (let round = 0; round < 200; round++) {
    assert.equal(await peer.frame(), `{"parameters":{"text":"${text}"}}\0`);
  }
  assert.deepEqual(service.failures, []);
  peer.close();
});

test('a flood behind a call that is under way stops being read', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  peer.send(WATCH);
  await peer.frame();
  let taken = 0;
  const piece = REQUEST.repeat(1_000);
  while (taken < 64 * MEBIBYTE && peer.send(piece)) {
    taken += piece.length;
    await new Promise(resolve => setImmediate(resolve));
  }
  assert.ok(taken < 2 * MEBIBYTE, `${taken} bytes were taken`);
  assert.deepEqual(service.pinged, []);
  await assertServes(service);
  peer.close();
  await until('its leaving is seen though nothing of it is read', () => service.ended.length === 1);
});

test('a flood of requests leaves the others their turns', async t => {
  const service = await startService(t, {}, { turns: new Turns({ piecesMax: 16 }) });
  const flooder = await RawPeer.connect(service.path);
  const peer = await RawPeer.connect(service.path);
  await assertServes(service);
  // All of the flood is there in one piece before the other's request is.
  flooder.send(REQUEST.repeat(800));
  assert.equal(await peer.call(PING, '{"text":"other"}'), '{"parameters":{"text":"other"}}\0');
  const before = service.pinged.indexOf('other');
  assert.ok(before < 100, `${before} requests of the flood were answered first`);
  for (let round = 0; round < 800; round++) {
    assert.equal(await flooder.frame(), PONG);
  }
  flooder.close();
  peer.close();
});

test('hundreds of half frames and resets leave no connection behind', async t => {
  const service = await startService(t);
  for (let round = 0; round < 300; round++) {
    const peer = await RawPeer.connect(service.path);
    peer.send(round % 3 === 0 ? WATCH : round % 3 === 1 ? REQUEST.slice(0, round % REQUEST.length) : REQUEST);
    if (round % 2 === 0) {
      await new Promise(resolve => setImmediate(resolve));
    }
    peer.close();
  }
  await until('every place is free again', () => service.server.connections === 0);
  assert.deepEqual(service.failures, []);
  await assertServes(service);
});
