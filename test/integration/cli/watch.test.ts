/** watch: the stream, and each of its ends. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { sampleLease } from '../../unit/cli/sample.ts';
import { type FakeDaemon, startFakeDaemon } from './fake-daemon.ts';
import { startCommand } from './run-command.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = await startFakeDaemon();
});
afterEach(() => daemon.close());

test('events are shown as they happen, until it is interrupted', async () => {
  daemon.leases = [sampleLease()];
  const running = startCommand(['watch'], daemon.environment);
  await running.shows(/^TIME +EVENT +UID +NAME +UNIT\n.* existing +64642 +dynamic-user-test +\S+\n.* ready\n$/);
  daemon.announce({ event: 'allocated', lease: sampleLease({ userName: 'second', uid: 61184 }) });
  await running.shows(/ready\n.* allocated +61184 +second /);
  daemon.announce({ event: 'released', lease: sampleLease() });
  await running.shows(/allocated.*\n.* released +64642 /);
  running.child.kill('SIGINT');
  const { status, errors } = await running.ended;
  assert.deepEqual({ status, errors }, { status: 0, errors: '' });
});

test('a stream on which nothing happens is waited on for longer than an answer', async () => {
  const running = startCommand(['watch', '--no-legend'], daemon.environment);
  await running.shows(/ready/);
  await new Promise(resolve => setTimeout(resolve, 5_500));
  daemon.announce({ event: 'released', lease: sampleLease() });
  await running.shows(/released/);
  running.child.kill('SIGINT');
  assert.equal((await running.ended).status, 0);
});

test('JSON is one object a line, with the time in microseconds', async () => {
  const lease = sampleLease();
  daemon.leases = [lease];
  const before = Date.now() * 1_000;
  const running = startCommand(['--json=short', 'watch'], daemon.environment);
  await running.shows(/ready/);
  daemon.announce({ event: 'released', lease });
  const output = await running.shows(/released.*\n/);
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).status, 0);
  const [existing, ready, gone, rest] = output.split('\n');
  assert.deepEqual(JSON.parse(existing ?? ''), { time: lease.since, event: 'existing', lease });
  assert.equal(JSON.parse(ready ?? '').event, 'ready');
  const { time, ...event } = JSON.parse(gone ?? '');
  assert.deepEqual(event, { event: 'released', lease });
  assert.ok(time >= before && time <= Date.now() * 1_000);
  assert.equal(rest, '');
});

test('a daemon that goes away is a failure, in words', async () => {
  const running = startCommand(['watch', '--no-legend'], daemon.environment);
  await running.shows(/^\S+ \S+ +ready\n$/);
  await daemon.close();
  const { status, errors } = await running.ended;
  assert.equal(status, 1);
  assert.match(errors, /^dynuserctl: (lost dynuserd at|the daemon ended) [^\n]*\n$/);
});

test('a reader that goes away ends it without a word', async () => {
  const running = startCommand(['watch'], daemon.environment);
  await running.shows(/ready/);
  running.child.stdout.destroy();
  const repeated = setInterval(() => daemon.announce({ event: 'allocated', lease: sampleLease() }), 20);
  try {
    const { status, errors } = await running.ended;
    assert.deepEqual({ status, errors }, { status: 0, errors: '' });
  } finally {
    clearInterval(repeated);
  }
});
