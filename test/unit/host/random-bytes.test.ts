import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomBytes } from '../../../src/host/random-bytes.ts';

test('no bytes are given out twice, however many are taken, and who has some cannot change what others get', () => {
  const random = new RandomBytes();
  const taken = Array.from({ length: 2_000 }, (_, at) => random.take(at % 2 === 0 ? 16 : 24));
  assert.equal(new Set(taken.map(bytes => bytes.toString('hex').slice(0, 32))).size, 2_000);
  assert.ok(taken.every(({ length }, at) => length === (at % 2 === 0 ? 16 : 24)));
  const before = taken.map(bytes => bytes.toString('hex'));
  taken[0]?.fill(0);
  assert.equal(taken[1]?.toString('hex'), before[1]);
  assert.equal(random.take(4_096).length, 4_096);
});
