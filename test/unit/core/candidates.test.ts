import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, candidates } from '../../../src/core/candidates.ts';
import type { Uid, UserName } from '../../../src/core/ids.ts';
import { DEFAULT_RANGE, parseRange, rangeSize, type UidRange } from '../../../src/core/range.ts';

const NAME = 'wuff' as UserName;
const uids = (...numbers: number[]) => numbers as Uid[];

function list(owners: readonly Uid[], range: UidRange, start = 7, stride = 11): Candidate[] {
  return [...candidates(owners, NAME, range, { start, stride })];
}

test('owners come first, then the preferred UID, then the sweep', () => {
  const [first, second, third, fourth] = list(uids(63122, 63122, 61190), DEFAULT_RANGE);
  assert.deepEqual(first, { uid: 63122, origin: 'owner' });
  assert.deepEqual(second, { uid: 61190, origin: 'owner' });
  assert.deepEqual(third, { uid: 61214, origin: 'preferred' });
  assert.equal(fourth?.origin, 'sweep');
});

test('owners outside the range are skipped: root, nobody and foreign users', () => {
  const origins = list(uids(0, 65534, 1000, 4294967294), DEFAULT_RANGE).map(candidate => candidate.origin);
  assert.equal(origins.includes('owner'), false);
});

for (const [start, stride] of [
  [0, 0],
  [4294967295, 4294967295],
  [1, 271],
  [12, 16],
  [99, 4335],
] as const) {
  test(`every UID of the range comes exactly once, drawn ${start}, ${stride}`, () => {
    const all = list(uids(61200), DEFAULT_RANGE, start, stride).map(candidate => candidate.uid);
    assert.equal(all.length, rangeSize(DEFAULT_RANGE));
    assert.equal(new Set(all).size, all.length);
  });
}

test('small ranges are walked whole', () => {
  for (const text of ['61184-61184', '61184-61185', '61184-61186', '61184-61189']) {
    const range = parseRange(text);
    assert.ok(typeof range !== 'string');
    const all = list([], range).map(candidate => candidate.uid);
    assert.deepEqual(
      all.toSorted((a, b) => a - b),
      Array.from({ length: rangeSize(range) }, (_, index) => 61184 + index),
    );
  }
});

test('the draw decides the order of the sweep', () => {
  const one = list([], DEFAULT_RANGE, 5, 9).map(candidate => candidate.uid);
  const other = list([], DEFAULT_RANGE, 6, 9).map(candidate => candidate.uid);
  assert.notDeepEqual(one, other);
  assert.deepEqual(
    one,
    list([], DEFAULT_RANGE, 5, 9).map(candidate => candidate.uid),
  );
});

test('ranges that cannot be are refused with a reason', () => {
  for (const text of [
    '',
    '61184',
    'a-b',
    '65519-61184',
    '0-10',
    '1000-2000',
    '65530-65540',
    '65534-65534',
    '70000-200000',
  ]) {
    assert.equal(typeof parseRange(text), 'string', text);
  }
  assert.deepEqual(parseRange('60578-61183'), { first: 60578, last: 61183 });
  assert.deepEqual(parseRange('524288-589823'), { first: 524288, last: 589823 });
});
