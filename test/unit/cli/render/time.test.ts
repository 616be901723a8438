import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localTime, relativeTime } from '../../../../src/cli/render/time.ts';

const NOW = Date.UTC(2025, 10, 24, 19, 33, 5);

test('a distance in time is said in its greatest units', () => {
  const cases: readonly (readonly [seconds: number, words: string])[] = [
    [0, 'now'],
    [0.9, 'now'],
    [1, '1s ago'],
    [59.9, '59s ago'],
    [60, '1min ago'],
    [5 * 60 + 59, '5min ago'],
    [3_600, '1h ago'],
    [2 * 3_600 + 5 * 60, '2h 5min ago'],
    [86_399, '23h 59min ago'],
    [86_400, '1 day ago'],
    [12.5 * 86_400, '12 days ago'],
    [-300, 'in 5min'],
  ];
  for (const [seconds, words] of cases) {
    assert.equal(relativeTime((NOW - seconds * 1_000) * 1_000, NOW), words, `${seconds} s`);
  }
});

test('a point in time is shown in the local time zone', () => {
  const local = new Date(2025, 0, 2, 3, 4, 5);
  assert.equal(localTime(local.getTime() * 1_000 + 999_999), '2025-01-02 03:04:05');
});

test('microseconds that no date can hold are not a time', () => {
  assert.equal(localTime(Number.MAX_SAFE_INTEGER * 1_000), '-');
});

test('each unit begins where the smaller one ends, and lies ahead as well as behind', () => {
  const cases: readonly (readonly [milliseconds: number, words: string])[] = [
    [999, 'now'],
    [-999, 'now'],
    [-1_000, 'in 1s'],
    [59_999, '59s ago'],
    [3_599_999, '59min ago'],
    [3_660_000, '1h 1min ago'],
    [-7_200_000, 'in 2h'],
    [86_399_999, '23h 59min ago'],
    [2 * 86_400_000 - 1, '1 day ago'],
    [2 * 86_400_000, '2 days ago'],
    [-86_400_000, 'in 1 day'],
  ];
  for (const [milliseconds, words] of cases) {
    assert.equal(relativeTime((NOW - milliseconds) * 1_000, NOW), words, `${milliseconds} ms`);
  }
});
