import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counts, Histogram } from '../../../src/core/metrics.ts';

test('counts are by their word, and those that are expected are there from the start', () => {
  const counts = new Counts<'a' | 'b' | 'c'>(['a', 'b']);
  counts.add('b');
  counts.add('c');
  counts.add('c');
  const values = (samples = counts.samples('word')) => samples.map(({ fields, value }) => [fields?.['word'], value]);
  assert.deepEqual(values(), [
    ['a', 0],
    ['b', 1],
    ['c', 2],
  ]);
});

test('a histogram counts each duration in its bucket and all that are greater', () => {
  const histogram = new Histogram([0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.2, 5]) {
    histogram.add(seconds);
  }
  const [buckets, sum, count] = histogram.families('WaitSeconds', 'How long');
  assert.deepEqual(buckets, {
    ...{ name: 'WaitSecondsBucket', type: 'counter', description: 'How long' },
    samples: [
      { fields: { le: '0.1' }, value: 2 },
      { fields: { le: '1' }, value: 3 },
      { fields: { le: '+Inf' }, value: 4 },
    ],
  });
  assert.equal(sum?.name, 'WaitSecondsSum');
  assert.ok(Math.abs((sum?.samples[0]?.value ?? 0) - 5.35) < 1e-9);
  assert.deepEqual([count?.name, count?.samples], ['WaitSecondsCount', [{ value: 4 }]]);
});
