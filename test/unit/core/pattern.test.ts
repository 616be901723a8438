import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyOf, isPattern, patternOf } from '../../../src/core/pattern.ts';

const matches = (pattern: string, text: string): boolean => patternOf(pattern)(text);

test('a name is a pattern of itself alone', () => {
  assert.equal(isPattern('web-1.service'), false);
  assert.equal(matches('web', 'web'), true);
  assert.equal(matches('web', 'web2'), false);
  assert.equal(matches('web', 'aweb'), false);
  assert.equal(matches('w.b', 'web'), false, 'a dot is a dot');
});

test('wildcards stand for any text, one character, or one of some', () => {
  const cases: readonly (readonly [pattern: string, yes: readonly string[], no: readonly string[]])[] = [
    ['*', ['', 'a', 'a/b'], []],
    ['web*', ['web', 'web-1'], ['we', 'aweb']],
    ['*.service', ['a.service', '.service'], ['a.services']],
    ['*a*b*', ['ab', 'xaxbx', 'aab'], ['ba']],
    ['6150?', ['61500', '61509'], ['6150', '615000']],
    ['job-[0-9]', ['job-0', 'job-9'], ['job-a', 'job-10']],
    ['job-[!0-9]', ['job-a'], ['job-1']],
    ['job-[^0-9]', ['job-a'], ['job-1']],
    ['[]a]', [']', 'a'], ['b']],
    ['[a-]', ['a', '-'], ['b']],
    ['a[b', ['a[b'], ['ab']],
    ['[b-a]', ['[b-a]'], ['a', 'b', '-']],
    ['\\*', ['\\', '\\a'], ['*']],
    ['\u{1f600}?', ['\u{1f600}\u{1f600}'], ['\u{1f600}']],
  ];
  for (const [pattern, yes, no] of cases) {
    assert.equal(isPattern(pattern), true);
    const wrong = [...yes.filter(text => !matches(pattern, text)), ...no.filter(text => matches(pattern, text))];
    assert.deepEqual(wrong, [], pattern);
  }
});

test('with escapes patterns are those of fnmatch(3)', () => {
  for (const [pattern, text, expected] of [
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['a.c', 'abc', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['[b-a]', '[b-a]', true],
    ['(+)', '(+)', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a\\[b]', 'a[b]', true],
    ['\\\\', '\\', true],
    ['a\\', 'a\\', true],
  ] as const) {
    assert.equal(patternOf(pattern, true)(text), expected, pattern);
  }
});

test('one of several patterns matches one of several texts; without a pattern all do', () => {
  assert.equal(anyOf(['a*', '7'])('b', '7'), true);
  assert.equal(anyOf(['a*', '7'])('b', '8'), false);
  assert.equal(anyOf([])('b'), true);
});

test('no pattern takes more than a glance', () => {
  assert.equal(matches(`${'*a'.repeat(500)}b`, 'a'.repeat(5_000)), false);
});
