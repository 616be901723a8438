import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_STREAM_AHEAD_MAX } from '../../../src/varlink/limits.ts';
import { ReplyStream } from '../../../src/varlink/reply-stream.ts';

function streamWithLog(): { stream: ReplyStream; log: string[] } {
  const log: string[] = [];
  const stream = new ReplyStream({
    pause: () => log.push('pause'),
    resume: () => log.push('resume'),
    abandon: () => log.push('abandon'),
  });
  return { stream, log };
}

test('gives what was pushed before and after it was asked for, the last one too, then ends', async () => {
  const { stream } = streamWithLog();
  stream.push({ n: 1 }, false);
  const values: unknown[] = [];
  const reading = (async () => {
    for await (const value of stream) {
      values.push(value);
    }
  })();
  await Promise.resolve();
  stream.push({ n: 2 }, false);
  stream.push({ n: 3 }, true);
  await reading;
  assert.deepEqual(values, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
});

test('an error comes behind the values, once', async () => {
  const { stream } = streamWithLog();
  stream.push({ n: 1 }, false);
  stream.fail(new Error('lost'));
  assert.deepEqual(await stream.next(), { value: { n: 1 }, done: false });
  await assert.rejects(stream.next(), /lost/);
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
});

test('of several errors the first is told, whether somebody waits for it or not', async () => {
  const [late, waiting] = [streamWithLog(), streamWithLog()];
  const next = waiting.stream.next();
  for (const { stream } of [late, waiting]) {
    stream.fail(new Error('first'));
    stream.fail(new Error('second'));
  }
  for (const told of [next, late.stream.next()]) {
    await assert.rejects(told, /first/);
  }
  assert.deepEqual(await late.stream.next(), { value: undefined, done: true });
  assert.deepEqual(await waiting.stream.next(), { value: undefined, done: true });
});

test('who has left is told of nothing that came before or comes after', async () => {
  const { stream, log } = streamWithLog();
  stream.push({ n: 1 }, false);
  await stream.return();
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
  stream.fail(new Error('lost'));
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
  assert.deepEqual(log, ['abandon']);
});

test('a source that was stopped may continue when the last reply is there', () => {
  const { stream, log } = streamWithLog();
  for (let count = 0; count < CLIENT_STREAM_AHEAD_MAX; count++) {
    stream.push({ count }, false);
  }
  stream.push({}, true);
  assert.deepEqual(log, ['pause', 'resume']);
});

test('readers that wait are told of an error and of the end', async () => {
  const { stream } = streamWithLog();
  const [first, second] = [stream.next(), stream.next()];
  stream.fail(new Error('lost'));
  await assert.rejects(first, /lost/);
  assert.deepEqual(await second, { value: undefined, done: true });
});

test('leaving early abandons the call; leaving a complete one does not', async () => {
  const early = streamWithLog();
  const waiting = early.stream.next();
  await early.stream.return();
  assert.deepEqual(await waiting, { value: undefined, done: true });
  assert.deepEqual(early.log, ['abandon']);
  const complete = streamWithLog();
  complete.stream.push({}, true);
  await complete.stream.return();
  assert.ok(!complete.log.includes('abandon'));
});

test('a reader that is slow stops the source, and one that caught up lets it go on', async () => {
  const { stream, log } = streamWithLog();
  for (let count = 0; count < CLIENT_STREAM_AHEAD_MAX; count++) {
    stream.push({ count }, false);
  }
  assert.deepEqual(log, ['pause']);
  for (let count = 0; count < CLIENT_STREAM_AHEAD_MAX / 2; count++) {
    assert.deepEqual(await stream.next(), { value: { count }, done: false });
  }
  assert.deepEqual(log, ['pause', 'resume']);
});

test('what is there is taken without a wait, and lets the next come', () => {
  const { stream, log } = streamWithLog();
  assert.equal(stream.take(), undefined);
  for (let n = 0; n < CLIENT_STREAM_AHEAD_MAX; n++) {
    stream.push({ n }, false);
  }
  assert.deepEqual(log, ['pause']);
  for (let n = 0; n < CLIENT_STREAM_AHEAD_MAX / 2; n++) {
    assert.deepEqual(stream.take(), { n });
  }
  assert.deepEqual(log, ['pause', 'resume']);
});
