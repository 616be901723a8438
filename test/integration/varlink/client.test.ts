import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientInterfaces, connect, connectToFirst, type VarlinkClient } from '../../../src/varlink/client.ts';
import { ConnectionError, VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { until } from '../../support/until.ts';
import { startService, temporaryDirectory } from './service.ts';

const INTERFACE = 'interface a.b\nmethod M(f: ?float) -> (n: int, o: ?int)\nmethod S() -> (n: int)\n';

interface Rogue {
  readonly path: string;
  /** what the client sent */
  received: string;
}

/** A server that answers whatever comes with these bytes. */
async function startRogue(t: TestContext, answer: (socket: Socket, request: string) => void): Promise<Rogue> {
  const rogue: Rogue = { path: join(temporaryDirectory(t), 'socket'), received: '' };
  const server = createServer(socket => {
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (text: string) => {
      rogue.received += text;
      answer(socket, text);
    });
  });
  await new Promise<void>(resolve => server.listen(rogue.path, resolve));
  t.after(() => server.close());
  return rogue;
}

async function clientOf(t: TestContext, path: string, timeoutMs = 5_000): Promise<VarlinkClient> {
  const client = await connect(path, { timeoutMs, interfaces: new ClientInterfaces([INTERFACE]), maxFrameBytes: 1024 });
  t.after(() => client.close());
  return client;
}

test('requests are exact to the byte', async t => {
  const rogue = await startRogue(t, socket => socket.write('{"parameters":{"n":1}}\0'));
  const client = await clientOf(t, rogue.path);
  await client.call('a.b.M', { f: 1 });
  await client.call('c.d.N');
  await client.oneway('c.d.O', { f: 1 });
  for await (const _ of client.stream('a.b.S')) {
    // Only its request is of interest.
  }
  assert.equal(
    rogue.received,
    '{"method":"a.b.M","parameters":{"f":1.0}}\0{"method":"c.d.N"}\0' +
      '{"method":"c.d.O","parameters":{"f":1},"oneway":true}\0{"method":"a.b.S","more":true}\0',
  );
});

test('replies are the values, in the order of the calls', async t => {
  const service = await startService(t);
  const client = await clientOf(t, service.path);
  const texts = ['a', 'b', 'c'];
  const replies = await Promise.all(
    texts.map((text, index) => client.call(`org.example.ping.Ping${index === 1 ? 'Later' : ''}`, { text })),
  );
  assert.deepEqual(
    replies,
    texts.map(text => ({ text })),
  );
});

test('an error reply is a VarlinkError, and the connection stays', async t => {
  const service = await startService(t);
  const client = await clientOf(t, service.path);
  await assert.rejects(client.call('org.example.ping.Fail', { how: 'declared' }), (error: unknown) => {
    assert.ok(error instanceof VarlinkError);
    assert.deepEqual([error.error, error.parameters], ['org.example.ping.Refused', { why: 'asked to' }]);
    return true;
  });
  assert.deepEqual(await client.call('org.example.ping.Ping', { text: 'on' }), { text: 'on' });
});

test('a stream gives every reply, however slowly it is read, and other calls follow it', async t => {
  const service = await startService(t);
  const client = await clientOf(t, service.path);
  const stream = client.stream('org.example.ping.Count', { to: 2_000 });
  const after = client.call('org.example.ping.Ping', { text: 'after' });
  let expected = 1;
  for await (const reply of stream) {
    assert.equal(reply['at'], expected);
    expected += 1;
    if (expected % 500 === 0) {
      await sleep(5);
    }
  }
  assert.equal(expected, 2_001);
  assert.deepEqual(await after, { text: 'after' });
});

test('an error ends a stream', async t => {
  const service = await startService(t);
  const client = await clientOf(t, service.path);
  await assert.rejects(client.stream('org.example.ping.Missing').next(), VarlinkError);
});

test('leaving a stream early closes the connection', async t => {
  const service = await startService(t);
  const client = await clientOf(t, service.path);
  for await (const reply of client.stream('org.example.ping.Count', { to: 2, wait: true })) {
    assert.equal(reply['at'], 1);
    break;
  }
  await client.closed;
  await until('the service learns of it', () => service.ended.length === 1);
  await assert.rejects(client.call('org.example.ping.Ping', { text: '' }), ConnectionError);
  await assert.rejects(client.oneway('org.example.ping.Ping', { text: '' }), ConnectionError);
  await assert.rejects(client.stream('org.example.ping.Count', { to: 1 }).next(), ConnectionError);
});

test('parameters that the interface does not declare are never sent', async t => {
  const rogue = await startRogue(t, socket => socket.write('{"parameters":{"n":1}}\0'));
  const client = await clientOf(t, rogue.path);
  await assert.rejects(client.call('a.b.M', { f: 'x' }), TypeError);
  await assert.rejects(client.call('a.b.M', { unknown: 1 }), TypeError);
  assert.deepEqual(await client.call('a.b.M'), { n: 1 });
  assert.equal(rogue.received, '{"method":"a.b.M"}\0');
});

/** What a server may send in place of a reply, and what the client says to it. */
const WRONG: readonly (readonly [what: string, reply: string, message: RegExp])[] = [
  ['no JSON', 'hello\0', /a reply is not JSON/],
  ['an array', '[]\0', /a reply is not an object/],
  ['an error that is a number', '{"error":1}\0', /an error that is not a string/],
  ['"continues" unasked', '{"parameters":{"n":1},"continues":true}\0', /which it was not asked for/],
  ['an unknown key', '{"parameters":{"n":1},"more":true}\0', /the key "more", which is unknown/],
  ['a frame that is too long', `{"parameters":{"n":1}${' '.repeat(2_000)}}\0`, /longer than allowed/],
  ['a frame without an end', 'x'.repeat(2_000), /longer than allowed/],
  [
    'a reply with a wrong type',
    '{"parameters":{"n":"1"}}\0',
    /the reply to a\.b\.M is not as declared: n is not an integer/,
  ],
  ['a reply with too much', '{"parameters":{"n":1,"x":1}}\0', /not as declared: x is not declared/],
];

for (const [what, reply, message] of WRONG) {
  test(`${what} in place of a reply is a ConnectionError in words`, async t => {
    const rogue = await startRogue(t, socket => socket.write(reply));
    const client = await clientOf(t, rogue.path);
    await assert.rejects(
      client.call('a.b.M'),
      (error: unknown) => error instanceof ConnectionError && message.test(error.message),
    );
  });
}

test('a reply that nobody asked for ends the connection', async t => {
  const rogue = await startRogue(t, socket => socket.write('{"parameters":{"n":1}}\0{"parameters":{"n":2}}\0'));
  const client = await clientOf(t, rogue.path);
  assert.deepEqual(await client.call('a.b.M'), { n: 1 });
  await client.closed;
  await assert.rejects(client.call('a.b.M'), /nobody asked for/);
});

test('a reply of a stream that is not as declared ends the connection', async t => {
  const rogue = await startRogue(t, socket => socket.write('{"parameters":{"n":"x"},"continues":true}\0'));
  const client = await clientOf(t, rogue.path);
  await assert.rejects(client.stream('a.b.S').next(), /not as declared/);
  await client.closed;
});

test('a server that closes, one that is not there, and one that says nothing', async t => {
  const closing = await startRogue(t, socket => socket.end('{"parameters":'));
  const client = await clientOf(t, closing.path);
  const calls = [client.call('a.b.M'), client.call('a.b.M'), client.stream('a.b.S').next()];
  for (const outcome of await Promise.allSettled(calls)) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ConnectionError);
    assert.match(outcome.reason.message, /closed the connection/);
  }
  await client.closed;

  await assert.rejects(connect(`${closing.path}-missing`), (error: unknown) => {
    assert.ok(error instanceof ConnectionError && error.cause instanceof Error);
    assert.match(error.message, /cannot connect to .*-missing/);
    return true;
  });

  const silent = await startRogue(t, () => {});
  const patient = await clientOf(t, silent.path, 50);
  await assert.rejects(patient.call('a.b.M'), /no reply to a\.b\.M within 50 ms/);
  await patient.closed;
});

test('calls on one connection are bounded', async t => {
  const silent = await startRogue(t, () => {});
  const client = await clientOf(t, silent.path);
  const calls = Array.from({ length: 1_024 }, () => client.call('a.b.M'));
  await assert.rejects(client.call('a.b.M'), /1024 calls are under way/);
  client.close();
  const outcomes: PromiseSettledResult<JsonObject>[] = await Promise.allSettled(calls);
  assert.ok(outcomes.every(outcome => outcome.status === 'rejected'));
});

test('of several sockets the first is taken that is there and on which somebody listens', async t => {
  const [first, second] = [await startService(t), await startService(t)];
  const missing = join(temporaryDirectory(t), 'missing');
  const deserted = join(temporaryDirectory(t), 'deserted');
  const program = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', program, deserted]);
  for (const paths of [
    [first.path, second.path],
    [missing, deserted, first.path],
  ]) {
    const client = await connectToFirst(paths);
    await client.call('org.example.ping.Ping', { text: 'first' });
    client.close();
  }
  assert.deepEqual([first.pinged, second.pinged], [['first', 'first'], []]);
  await assert.rejects(connectToFirst([deserted, missing]), { name: 'ConnectionError', message: /missing.*ENOENT/ });
  // What cannot be a socket is not a reason to try the next.
  await assert.rejects(connectToFirst([`${first.path}/below`, first.path]), ConnectionError);
});
