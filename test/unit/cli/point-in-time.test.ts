/** Points in time as people type them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePointInTime } from '../../../src/cli/point-in-time.ts';

const NOW = new Date(2026, 10, 28, 9, 15, 30).getTime();
const parsed = (text: string) => parsePointInTime(text, NOW);

test('a date is in the time zone of the process, or in UTC if it says so', () => {
  assert.equal(parsed('2026-11-28'), new Date(2026, 10, 28).getTime());
  assert.equal(parsed('2026-11-28 09:15'), new Date(2026, 10, 28, 9, 15).getTime());
  assert.equal(parsed('2026-11-28T09:15:30.25'), new Date(2026, 10, 28, 9, 15, 30, 250).getTime());
  assert.equal(parsed('2026-11-28T09:15:30Z'), Date.UTC(2026, 10, 28, 9, 15, 30));
  assert.equal(parsed('2026-11-28 09:15 UTC'), Date.UTC(2026, 10, 28, 9, 15));
  assert.equal(parsed('@1764321300.5'), 1_764_321_300_500);
});

test('a distance goes back from now', () => {
  assert.equal(parsed('now'), NOW);
  assert.equal(parsed('-2h'), NOW - 7_200_000);
  assert.equal(parsed('1h 30min ago'), NOW - 5_400_000);
  assert.equal(parsed('-1.5 days'), NOW - 129_600_000);
  assert.equal(parsed('today'), new Date(2026, 10, 28).getTime());
  assert.equal(parsed('yesterday'), new Date(2026, 10, 27).getTime());
});

test('anything else is not a point in time', () => {
  for (const text of [
    '',
    '-',
    'ago',
    ' ago',
    '-2',
    '-2x',
    '2h',
    '2026-02-30',
    '2026-13-01',
    '2026-11-28 24:00',
    '@',
    '28.11.2026',
    'tomorrow',
    // A property that every object of JavaScript has.
    'constructor',
  ]) {
    assert.equal(parsed(text), undefined, text);
  }
});
