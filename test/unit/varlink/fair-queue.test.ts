import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from '../../../src/varlink/fair-queue.ts';

const SLICE = { ms: 10, pieces: 3 };

/** Does pieces of what is first, each of some milliseconds, and continues with it. @returns what was done, in order */
function serve(queue: FairQueue<string>, pieces: number, ms: number): string[] {
  return Array.from({ length: pieces }, () => {
    const work = queue.first() ?? 'nothing';
    queue.done(ms, true);
    return work;
  });
}

test('owners take turns, however much work one of them has', () => {
  const queue = new FairQueue<string>(SLICE);
  for (const work of ['a1', 'a2', 'a3', 'a4', 'a5']) {
    queue.add('a', work);
  }
  queue.add('b', 'b1');
  assert.equal(queue.size, 6);
  assert.deepEqual(serve(queue, 9, 1), ['a1', 'a2', 'a3', 'b1', 'b1', 'b1', 'a4', 'a5', 'a1']);
});

test('who asks for what takes long has fewer pieces in its turn', () => {
  const queue = new FairQueue<string>(SLICE);
  queue.add('a', 'a1');
  queue.add('a', 'a2');
  queue.add('b', 'b1');
  assert.deepEqual(serve(queue, 4, 10), ['a1', 'b1', 'a2', 'b1']);
});

test('what is done leaves, and its owner with its last work', () => {
  const queue = new FairQueue<string>(SLICE);
  queue.add('a', 'a1');
  queue.add('b', 'b1');
  queue.done(1, false);
  assert.ok(!queue.has('a1'));
  assert.equal(queue.first(), 'b1');
  queue.done(1, false);
  assert.equal(queue.first(), undefined);
  assert.equal(queue.size, 0);
  queue.done(1, false);
  queue.add('a', 'a1');
  assert.equal(queue.first(), 'a1');
});

test('work is taken out anywhere, and what is there twice is there once', () => {
  const queue = new FairQueue<string>(SLICE);
  for (const work of ['a1', 'a2', 'a1', 'a3']) {
    queue.add('a', work);
  }
  queue.add('b', 'b1');
  assert.equal(queue.size, 4);
  queue.remove('a2');
  queue.remove('a2');
  queue.remove('never');
  assert.deepEqual(serve(queue, 3, 1), ['a1', 'a3', 'a1']);
  queue.remove('b1');
  assert.deepEqual(serve(queue, 2, 1), ['a3', 'a1']);
});

test('whoever comes after an owner left has a whole slice', () => {
  const queue = new FairQueue<string>(SLICE);
  queue.add('a', 'a1');
  queue.add('b', 'b1');
  serve(queue, 2, 1);
  queue.remove('a1');
  queue.add('a', 'a1');
  assert.deepEqual(serve(queue, 4, 1), ['b1', 'b1', 'b1', 'a1']);
});
