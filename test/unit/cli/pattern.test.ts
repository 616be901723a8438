import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPattern, patternOf } from '../../../src/cli/pattern.ts';

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
    ['\u{1f600}?', ['\u{1f600}\u{1f600}'], ['\u{1f600}']],
  ];
  for (const [pattern, yes, no] of cases) {
    assert.equal(isPattern(pattern), true);
    const wrong = [...yes.filter(text => !matches(pattern, text)), ...no.filter(text => matches(pattern, text))];
    assert.deepEqual(wrong, [], pattern);
  }
});

test('no pattern takes more than a glance', () => {
  assert.equal(matches(`${'*a'.repeat(500)}b`, 'a'.repeat(5_000)), false);
});
