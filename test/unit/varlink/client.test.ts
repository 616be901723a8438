/** The client on a connection whose other side is the test: what it sends, and what becomes of whatever comes. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { ClientInterfaces, VarlinkClient } from '../../../src/varlink/client.ts';
import { ConnectionError, ReplyMismatch, VarlinkError } from '../../../src/varlink/errors.ts';
import { CLIENT_CALLS_MAX, CLIENT_STREAM_AHEAD_MAX } from '../../../src/varlink/limits.ts';

const INTERFACE = 'interface a.b\nmethod M(f: ?float) -> (n: int)\nmethod S() -> (n: int)\n';
const TIMEOUT_MS = 5_000;

/** A connection: what the client writes is kept, and what comes is the test's. */
class Wire extends Duplex {
  sent = '';
  /** what a write fails with */
  failure: Error | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.sent += chunk.toString('utf8');
    done(this.failure);
  }

  /** Has replies come, each with its NUL. */
  come(...replies: readonly string[]): void {
    this.emit('data', Buffer.from(replies.map(reply => `${reply}\0`).join('')));
  }
}

function connected(context: TestContext, unknown?: 'refuse' | 'drop') {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const wire = new Wire();
  const limits = { timeoutMs: TIMEOUT_MS, maxFrameBytes: 100 };
  const client = new VarlinkClient(wire as unknown as Socket, new ClientInterfaces([INTERFACE], unknown), limits);
  return { wire, client, tick: (ms: number) => context.mock.timers.tick(ms) };
}

const lost = (message: string) => ({ name: 'ConnectionError', message });
const N = (n: number) => `{"parameters":{"n":${n}}}`;
const MORE = (n: number) => `{"parameters":{"n":${n}},"continues":true}`;

test('calls are sent as they are declared, or as they are given, each in its way', async context => {
  const { wire, client } = connected(context);
  const calls = [client.call('a.b.M', { f: 1 }), client.call('c.d.N')];
  const stream = client.stream('a.b.S');
  await client.oneway('c.d.O', { f: 1 });
  assert.equal(
    wire.sent,
    '{"method":"a.b.M","parameters":{"f":1.0}}\0{"method":"c.d.N"}\0' +
      '{"method":"a.b.S","more":true}\0{"method":"c.d.O","parameters":{"f":1},"oneway":true}\0',
  );
  wire.come(N(1), '{"parameters":{"any":true}}', N(3));
  assert.deepEqual(await Promise.all(calls), [{ n: 1 }, { any: true }]);
  assert.deepEqual(await stream.next(), { value: { n: 3 }, done: false });
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
});

test('parameters that are not as declared are sent to nobody, and disturb no other call', async context => {
  const { wire, client } = connected(context);
  await assert.rejects(client.call('a.b.M', { f: 'x' }), TypeError);
  await assert.rejects(client.stream('a.b.S', { x: 1 }).next(), TypeError);
  await assert.rejects(client.oneway('a.b.M', { x: 1 }), TypeError);
  assert.equal(wire.sent, '');
  const call = client.call('a.b.M');
  wire.come(N(1));
  assert.deepEqual(await call, { n: 1 });
});

test('replies are whole, in whatever pieces they come', async context => {
  const { wire, client } = connected(context);
  const call = client.call('a.b.M');
  for (const byte of Buffer.from(`${N(7)}\0`)) {
    wire.emit('data', Buffer.from([byte]));
  }
  assert.deepEqual(await call, { n: 7 });
});

test('an error reply is the error of its call, and the next one is answered', async context => {
  const { wire, client } = connected(context);
  const [failing, next] = [client.call('a.b.M'), client.call('a.b.M')];
  wire.come('{"error":"a.b.Broken","parameters":{"why":"so"}}', N(2));
  await assert.rejects(failing, error => {
    assert.ok(error instanceof VarlinkError);
    assert.deepEqual([error.error, error.message, error.parameters], ['a.b.Broken', 'a.b.Broken', { why: 'so' }]);
    return true;
  });
  assert.deepEqual(await next, { n: 2 });
});

test('an error ends a stream, behind its replies, and the next call is answered', async context => {
  const { wire, client } = connected(context);
  const stream = client.stream('a.b.S');
  const next = client.call('a.b.M');
  wire.come(MORE(1), '{"error":"a.b.Broken"}', N(2));
  assert.deepEqual(await stream.next(), { value: { n: 1 }, done: false });
  await assert.rejects(stream.next(), VarlinkError);
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
  assert.deepEqual(await next, { n: 2 });
});

test('a reply that is not as declared is the error of its call; the last of a call disturbs no other', async context => {
  const { wire, client } = connected(context);
  const [wrong, unknown, next] = [client.call('a.b.M'), client.call('a.b.M'), client.call('a.b.M')];
  wire.come('{"parameters":{"n":"x"}}', '{"parameters":{"n":1,"x":1}}', N(3));
  await assert.rejects(wrong, (error: unknown) => {
    assert.ok(error instanceof ReplyMismatch);
    assert.equal(error.message, 'the reply to a.b.M is not as declared: n is not an integer of at most 53 bits');
    return true;
  });
  await assert.rejects(unknown, lost('the reply to a.b.M is not as declared: x is not declared'));
  assert.deepEqual(await next, { n: 3 });
});

test('what a newer service says in addition is dropped by who asked for that', async context => {
  const { wire, client } = connected(context, 'drop');
  const call = client.call('a.b.M');
  wire.come('{"parameters":{"n":1,"x":1}}');
  assert.deepEqual(await call, { n: 1 });
});

test('a reply of a stream that is not as declared ends the connection: those to come would be nobody’s', async context => {
  const { wire, client } = connected(context);
  const stream = client.stream('a.b.S');
  const next = client.call('a.b.M');
  wire.come('{"parameters":{"n":"x"},"continues":true}');
  await assert.rejects(stream.next(), ReplyMismatch);
  await assert.rejects(next, lost('the connection was closed after a reply that broke the protocol'));
  assert.ok(wire.destroyed);
});

test('a call that is told of more replies to come ends the connection', async context => {
  const { wire, client } = connected(context);
  const [call, next] = [client.call('a.b.M'), client.call('a.b.M')];
  wire.come(MORE(1));
  await assert.rejects(call, lost('a.b.M was answered with "continues", which it was not asked for'));
  await assert.rejects(next, lost('the connection was closed after a reply that broke the protocol'));
  assert.ok(wire.destroyed);
});

test('a reply that nobody asked for ends the connection, and later calls are told why', async context => {
  const { wire, client } = connected(context);
  const call = client.call('a.b.M');
  wire.come(N(1), N(2));
  assert.deepEqual(await call, { n: 1 });
  assert.ok(wire.destroyed);
  const reason = lost('there came a reply that nobody asked for');
  await assert.rejects(client.call('a.b.M'), reason);
  await assert.rejects(client.oneway('a.b.M'), reason);
  await assert.rejects(client.stream('a.b.S').next(), reason);
  await client.closed;
});

for (const [what, bytes, message] of [
  ['what is not a reply', 'hello\0', /^a reply is not JSON: /],
  ['what is longer than allowed', `{"parameters":{"n":1}${' '.repeat(100)}}\0`, /^a reply is longer than allowed$/],
  ['what has no end', 'x'.repeat(101), /^a reply is longer than allowed$/],
] as const) {
  test(`${what} ends the connection for all calls`, async context => {
    const { wire, client } = connected(context);
    const calls = [client.call('a.b.M'), client.call('a.b.M'), client.stream('a.b.S').next()];
    wire.emit('data', Buffer.from(`${bytes}${N(1)}\0`));
    await Promise.all(calls.map(call => assert.rejects(call, { name: 'ConnectionError', message })));
    assert.ok(wire.destroyed);
    await client.closed;
  });
}

test('who ended the connection is told to all calls under way, and the first reason to later ones', async context => {
  const byThem = connected(context);
  const ended = byThem.client.call('a.b.M');
  byThem.wire.emit('end');
  byThem.wire.emit('error', new Error('too late'));
  await assert.rejects(ended, lost('the other side closed the connection'));
  await assert.rejects(byThem.client.call('a.b.M'), lost('the other side closed the connection'));
});

test('a connection that fails is told with its reason', async context => {
  const { wire, client } = connected(context);
  const call = client.call('a.b.M');
  const cause = new Error('read ECONNRESET');
  wire.emit('error', cause);
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof ConnectionError);
    assert.deepEqual([error.message, error.cause], ['the connection failed: read ECONNRESET', cause]);
    return true;
  });
});

test('who closes it gets no more answers', async context => {
  const { client } = connected(context);
  const calls = [client.call('a.b.M'), client.stream('a.b.S').next()];
  client.close();
  await Promise.all(calls.map(call => assert.rejects(call, lost('the connection was closed on this side'))));
  await client.closed;
});

test('who leaves a stream early ends the connection; who leaves a complete one does not', async context => {
  const { wire, client } = connected(context);
  const complete = client.stream('a.b.S');
  wire.come(N(1));
  await complete.return?.();
  assert.equal(wire.destroyed, false);
  const early = client.stream('a.b.S');
  wire.come(MORE(1));
  await early.return?.();
  assert.ok(wire.destroyed);
});

test('a call is answered within its time, or the connection ends; a stream may take longer', async context => {
  const { wire, client, tick } = connected(context);
  const stream = client.stream('a.b.S');
  const answered = client.call('a.b.M');
  tick(TIMEOUT_MS - 1);
  wire.come(N(1), N(2));
  assert.deepEqual(await answered, { n: 2 });
  tick(2 * TIMEOUT_MS);
  assert.equal(wire.destroyed, false);
  const failed = client.call('a.b.M');
  wire.come('{"error":"a.b.Broken"}');
  await assert.rejects(failed, VarlinkError);
  const waiting = client.stream('a.b.S').next();
  tick(2 * TIMEOUT_MS);
  assert.equal(wire.destroyed, false);
  const silent = client.call('a.b.M');
  const reason = lost('no reply to a.b.M within 5000 ms');
  tick(TIMEOUT_MS);
  await assert.rejects(silent, reason);
  await assert.rejects(waiting, reason);
  assert.ok(wire.destroyed);
  assert.deepEqual(await stream.next(), { value: { n: 1 }, done: false });
});

test('calls under way are bounded, and so are not those without an answer', async context => {
  const { wire, client } = connected(context);
  const calls = Array.from({ length: CLIENT_CALLS_MAX }, () => client.call('a.b.M'));
  const reason = lost('1024 calls are under way on one connection: wait for some of them');
  await assert.rejects(client.call('a.b.M'), reason);
  await assert.rejects(client.stream('a.b.S').next(), reason);
  wire.come(N(1));
  assert.deepEqual(await calls[0], { n: 1 });
  calls.push(client.call('a.b.M'));
  client.close();
  await Promise.all(calls.slice(1).map(call => assert.rejects(call, ConnectionError)));
});

test('a stream that nobody reads is not taken from the socket without end', async context => {
  const { wire, client } = connected(context);
  const stream = client.stream('a.b.S');
  wire.come(...Array.from({ length: CLIENT_STREAM_AHEAD_MAX - 1 }, (_, n) => MORE(n)));
  assert.equal(wire.isPaused(), false);
  wire.come(MORE(CLIENT_STREAM_AHEAD_MAX - 1));
  assert.equal(wire.isPaused(), true);
  for (let n = 0; n < CLIENT_STREAM_AHEAD_MAX; n++) {
    assert.deepEqual(await stream.next(), { value: { n }, done: false });
  }
  assert.equal(wire.isPaused(), false);
});

test('what cannot be sent is told', async context => {
  const { wire, client } = connected(context);
  wire.failure = new Error('write EPIPE');
  await assert.rejects(client.oneway('a.b.M'), lost('cannot send a.b.M: write EPIPE'));
});
