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

function rangeOf(text: string): UidRange {
  const range = parseRange(text);
  assert.ok(typeof range !== 'string', String(range));
  return range;
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

test('the sweep goes by the stride that was drawn, or the next that visits all', () => {
  const range = rangeOf('61184-61193');
  // 1 + 4 has a divisor in common with the ten UIDs, and so has 6.
  const swept = list([], range, 0, 4).filter(({ origin }) => origin === 'sweep');
  const preferred = list([], range).find(({ origin }) => origin === 'preferred')?.uid;
  const order = [0, 7, 4, 1, 8, 5, 2, 9, 6, 3].map(offset => 61184 + offset).filter(uid => uid !== preferred);
  assert.deepEqual(
    swept.map(({ uid }) => uid),
    order,
  );
  // 1 + 2 has none.
  const third = list([], range, 1, 2).filter(({ origin }) => origin === 'sweep');
  assert.deepEqual(
    third.map(({ uid }) => uid),
    [1, 4, 7, 0, 3, 6, 9, 2, 5, 8].map(offset => 61184 + offset).filter(uid => uid !== preferred),
  );
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
    const range = rangeOf(text);
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

test('a name prefers a UID of each interval, in their order, before anything is swept', () => {
  const range = rangeOf('61184-65519 100000-165535 80000-80001');
  const [first, second, third, fourth] = list([], range);
  assert.deepEqual([first?.uid, first?.origin], [61214, 'preferred']);
  assert.equal(second?.origin, 'preferred');
  assert.ok(second.uid >= 100000 && second.uid <= 165535);
  assert.equal(third?.origin, 'preferred');
  assert.ok(third.uid === 80000 || third.uid === 80001);
  assert.equal(fourth?.origin, 'sweep');
});

test('an interval that is added behind, and an exclusion elsewhere, leave a name what it preferred', () => {
  const preferred = (text: string) =>
    list([], rangeOf(text))
      .filter(({ origin }) => origin === 'preferred')
      .map(({ uid }) => uid);
  const [alone] = preferred('61184-65519');
  assert.equal(preferred('61184-65519 100000-165535')[0], alone);
  assert.equal(preferred('61184-65519 !61500-61599')[0], alone);
  const [first, second] = preferred('61184-65519 100000-165535');
  assert.deepEqual(preferred('61184-65519 100000-165535 200000-200099').slice(0, 2), [first, second]);
});

test('a name whose UID is excluded prefers another, always the same, or none if next to nothing is left', () => {
  const range = rangeOf('61184-65519 !61214');
  const [one, other] = [list([], range, 1, 2), list([], range, 3, 4)];
  assert.equal(one[0]?.origin, 'preferred');
  assert.notEqual(one[0]?.uid, 61214);
  assert.equal(one[0]?.uid, other[0]?.uid);
  const narrow = list([], rangeOf('61184-65519 !61184-65000 !65002-65519'));
  assert.deepEqual(narrow, [{ uid: 65001, origin: 'sweep' }]);
});

test('what is left of all intervals comes once, and nothing else does', () => {
  const range = rangeOf('61184-61199 !61186-61188 !61199 70000-70009 !70000-70009 80000-80003');
  const all = list(uids(61187, 61190, 70003), range).map(({ uid }) => uid);
  const expected = [61184, 61185, ...Array.from({ length: 10 }, (_, index) => 61189 + index)];
  assert.deepEqual(
    all.toSorted((a, b) => a - b),
    [...expected, 80000, 80001, 80002, 80003],
  );
  assert.equal(all[0], 61190, 'the owner that may be had');
  assert.equal(rangeSize(range), all.length);
});

test('the candidates of a huge range are there at once', () => {
  const range = rangeOf('524288-1879048191 !600000-1800000000');
  const tried = candidates([], NAME, range, { start: 4294967295, stride: 4294967295 });
  const found = Array.from({ length: 5 }, () => tried.next().value?.uid ?? 0);
  assert.equal(new Set(found).size, 5);
  assert.ok(found.every(uid => (uid >= 524288 && uid < 600000) || (uid > 1800000000 && uid <= 1879048191)));
});
