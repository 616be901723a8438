/** Ranges as they are configured: what they may be, what is in them, and which units they are for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitName } from '../../../src/core/ids.ts';
import {
  DEFAULT_RANGE,
  inRange,
  mergeIntervals,
  parseRange,
  patternProblem,
  rangeOfUnit,
  rangeSize,
  type UidRange,
  uidAt,
} from '../../../src/core/range.ts';

function rangeOf(text: string): UidRange {
  const range = parseRange(text);
  assert.ok(typeof range !== 'string', `${text}: ${range}`);
  return range;
}

test('each range that cannot be is told why', () => {
  for (const [text, reason] of [
    ['', '"" has no two numbers with a dash between, such as 61184-65519'],
    ['!61184', '"!61184" has no two numbers with a dash between, such as 61184-65519'],
    ['61184', '"61184" is not two numbers with a dash between, such as 61184-65519'],
    ['a-b', '"a-b" is not two numbers with a dash between, such as 61184-65519'],
    ['61184 -65519', '"61184" is not two numbers with a dash between, such as 61184-65519'],
    ['1-2-3', '"1-2-3" is not two numbers with a dash between, such as 61184-65519'],
    ['61184-12345678901', '"61184-12345678901" is not two numbers with a dash between, such as 61184-65519'],
    ['61184-65519 !x', '"!x" excludes nothing: it is not a number, or two with a dash between'],
    ['61184-65519 !7-', '"!7-" excludes nothing: it is not a number, or two with a dash between'],
    ['61184-65519 !61183', '!61183-61183 excludes nothing: no interval has any of these numbers'],
    ['61184-65519 !65520-70000', '!65520-70000 excludes nothing: no interval has any of these numbers'],
    ['61184-61190 !61184-61190', 'nothing is left of "61184-61190 !61184-61190"'],
    ['61185-61184', '61185 is greater than 61184'],
    ['60577-61183', 'it must lie within 60578-2147483647'],
    ['2147483647-2147483648', 'it must lie within 60578-2147483647'],
    ['65000-65534', 'it must not contain 65534, which is reserved; exclude it by !65534'],
    ['65535-65536', 'it must not contain 65535, which is reserved; exclude it by !65535'],
    ['65000-66000 !65534', 'it must not contain 65535, which is reserved; exclude it by !65535'],
    ['61184-61190 61190-61200', '61184-61190 and 61190-61200 overlap'],
    ['70000-80000 61184-65519 75000-75001', '70000-80000 and 75000-75001 overlap'],
    [
      Array.from({ length: 65 }, (_, index) => `${70000 + index}-${70000 + index}`).join(' '),
      'it must not have more than 64 intervals and exclusions',
    ],
  ] as const) {
    assert.equal(parseRange(text), reason, text);
  }
});

test('ranges are as wide as they may be, with both of their ends', () => {
  for (const [text, size] of [
    ['60578-60578', 1],
    ['61184-65533', 4350],
    ['65536-131071', 65_536],
    ['2147483647-2147483647', 1],
    ['1000000-1999999', 1_000_000],
    ['60578-2147483647 !65534-65535', 2147483647 - 60578 - 1],
  ] as const) {
    const range = rangeOf(text);
    const [{ first, last } = { first: 0, last: 0 }] = range.parts;
    assert.equal(rangeSize(range), size);
    assert.deepEqual(
      [first - 1, first, last, last + 1].map(uid => inRange(range, uid)),
      [false, true, true, false],
    );
  }
  assert.deepEqual(rangeOf('61184-65519'), DEFAULT_RANGE);
});

test('several intervals and exclusions: what is in, and at which place', () => {
  const range = rangeOf(' 61184-65519  100000-100009 !61500-61599 !61550-61650\t!100000');
  assert.equal(range.text, '61184-65519 100000-100009 !61500-61599 !61550-61650 !100000');
  assert.deepEqual(
    [61183, 61184, 61499, 61500, 61599, 61650, 61651, 65519, 65520, 100000, 100001, 100009, 100010].map(uid =>
      inRange(range, uid),
    ),
    [false, true, true, false, false, false, true, true, false, false, true, true, false],
  );
  assert.equal(rangeSize(range), 4336 - 151 + 9);
  const [first, second] = range.parts;
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual([uidAt(first, 0), uidAt(first, 315), uidAt(first, 316)], [61184, 61499, 61651]);
  assert.deepEqual([uidAt(second, 0), uidAt(second, 8)], [100001, 100009]);
  assert.throws(() => uidAt(second, 9), RangeError);
});

test('several ranges as one list: ascending, and those that touch or overlap are one', () => {
  const merged = mergeIntervals([rangeOf('70000-70009 61184-61190'), rangeOf('61191-61200'), rangeOf('70005-70007')]);
  assert.deepEqual(merged, [
    { first: 61184, last: 61200 },
    { first: 70000, last: 70009 },
  ]);
});

test('a unit has the range of the first pattern that fits its name, with its suffix or without', () => {
  const byUnit = ['ci-*', 'build', 'web@?.service', '*-*-z'].map((pattern, index) => ({
    pattern,
    range: rangeOf(`${70000 + index}-${70000 + index}`),
  }));
  const of = (unit: string) => rangeOfUnit(unit as UnitName, DEFAULT_RANGE, byUnit).text;
  for (const [unit, text] of [
    ['ci-a.service', '70000-70000'],
    ['ci-', '70000-70000'],
    ['ci', '61184-65519'],
    ['xci-a', '61184-65519'],
    ['build.service', '70001-70001'],
    ['build', '70001-70001'],
    ['build.service.d', '61184-65519'],
    ['build2.service', '61184-65519'],
    ['web@1.service', '70002-70002'],
    ['web@12.service', '61184-65519'],
    ['web@1', '61184-65519'],
    ['a-b-c-z', '70003-70003'],
    ['a-z', '61184-65519'],
  ] as const) {
    assert.equal(of(unit), text, unit);
  }
});

test('a pattern of many stars costs no more than its length', () => {
  const byUnit = [{ pattern: `${'*a'.repeat(120)}b`, range: rangeOf('70000-70000') }];
  assert.equal(rangeOfUnit('a'.repeat(250) as UnitName, DEFAULT_RANGE, byUnit), DEFAULT_RANGE);
});

test('what cannot be in a unit name is in no pattern', () => {
  for (const text of ['ci-*', '*', 'web@?.service', 'a:b_c.\\x2d']) {
    assert.equal(patternProblem(text), undefined, text);
  }
  for (const text of ['', 'a b', 'a/b', '[ab]', 'a'.repeat(256)]) {
    assert.match(patternProblem(text) ?? '', /^a pattern of unit names has /, text);
  }
});

test('a range has up to 64 intervals', () => {
  const text = Array.from({ length: 64 }, (_, index) => `${70_000 + 2 * index}-${70_000 + 2 * index}`).join(' ');
  assert.notEqual(typeof parseRange(text), 'string', String(parseRange(text)));
});
