import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failFor } from '../../../../src/launch/errors.ts';
import { type Backslash, skipWhitespace, splitWords, takeWord, trimmed } from '../../../../src/launch/syntax/words.ts';
import { refuses } from '../launches.ts';

const fail = failFor('Test');

function words(text: string, backslash: Backslash = 'c'): string[] {
  return splitWords(text, backslash, fail, 100);
}

test('words are separated by white space, and quotes may begin anywhere', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['  \t ', []],
    ['a  b\tc', ['a', 'b', 'c']],
    ['"a b" c', ['a b', 'c']],
    ["'a \" b'", ['a " b']],
    ['a"b c"d', ['ab cd']],
    ['"" x', ['', 'x']],
    [`"it's"`, ["it's"]],
    ['ü 😀', ['ü', '😀']],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(words(text), expected, text);
  }
});

test('a backslash is an escape of C, makes the next character itself, or is kept', () => {
  const cases: readonly (readonly [string, Backslash, readonly string[]])[] = [
    ['a\\sb \\x41 \\101 \\u00fc', 'c', ['a b', 'A', 'A', 'ü']],
    ['"a\\nb"', 'c', ['a\nb']],
    ['\\xc3\\xbcber', 'c', ['über']],
    ['a\\qb \\x4', 'c', ['a\\qb', '\\x4']],
    ['a\\ b c', 'plain', ['a b', 'c']],
    ['a\\\\b \\x41', 'plain', ['a\\b', 'x41']],
    ['a\\:b', 'keep', ['a\\:b']],
    ['"a\\" b', 'keep', ['a\\', 'b']],
  ];
  for (const [text, backslash, expected] of cases) {
    assert.deepEqual(words(text, backslash), expected, `${text} ${backslash}`);
  }
});

test('what has no end, and bytes that are not UTF-8, are refused', () => {
  for (const text of ['"a', "a 'b", 'a\\', '\\xff', '\\xc3 \\xbc']) {
    refuses(() => words(text), 'Test');
  }
});

test('a separator ends a word beside white space, unless it is escaped', () => {
  assert.deepEqual(takeWord('a:b', 0, 'plain', fail, ':'), { text: 'a', next: 2, end: ':' });
  assert.deepEqual(takeWord('a\\:b c', 0, 'plain', fail, ':'), { text: 'a:b', next: 5, end: ' ' });
});

test('no more words are split than one above the bound', () => {
  assert.equal(splitWords('a '.repeat(10_000), 'c', fail, 10).length, 11);
});

test('only what systemd counts as white space is trimmed', () => {
  assert.equal(trimmed(' \t a b \r\n'), 'a b');
  assert.equal(trimmed('\u00a0a'), '\u00a0a');
  assert.equal(trimmed('  '), '');
});

test('each word says where the next one may begin, and what ended it', () => {
  const take = (text: string, from: number, separators = '') => takeWord(text, from, 'plain', fail, separators);
  assert.deepEqual(take('  ab c', 0), { text: 'ab', next: 5, end: ' ' });
  assert.deepEqual(take('  ab c', 5), { text: 'c', next: 6, end: '' });
  assert.equal(take('  ab  ', 4), undefined);
  assert.equal(take('', 0), undefined);
  assert.deepEqual(take('"a:b":c', 0, ':'), { text: 'a:b', next: 6, end: ':' });
  assert.deepEqual(take('::', 0, ':'), { text: '', next: 1, end: ':' });
  assert.deepEqual(take('a\nb', 0), { text: 'a', next: 2, end: '\n' });
  assert.deepEqual(take('""', 0), { text: '', next: 2, end: '' });
});

test('bytes and characters together are one text', () => {
  assert.deepEqual(words('a\\xc3\\xbcb\\xe2\\x82\\xacc'), ['aüb€c']);
  assert.deepEqual(words('ü\\xc3\\xbcü'), ['üüü']);
  refuses(() => words('a\\xc3b'), 'Test', /^escapes that are not UTF-8: /);
  refuses(() => words('"a'), 'Test', /^the quote " is not closed: /);
  refuses(() => words("'a"), 'Test', /^the quote ' is not closed: /);
  refuses(() => words('a\\', 'plain'), 'Test', /^a backslash at the end: /);
});

test('an escape within quotes is one, and a quote that is escaped ends nothing', () => {
  assert.deepEqual(words('"a\\"b" c'), ['a"b', 'c']);
  assert.deepEqual(words("'a\\'b' c"), ["a'b", 'c']);
  assert.deepEqual(words('\\"a b\\"'), ['"a', 'b"']);
  assert.deepEqual(words('"\\x20" \\ta', 'c'), [' ', '\ta']);
});

test('white space is skipped up to something else, or to the end', () => {
  assert.deepEqual(
    [' \t\r\na', 'a ', '   ', ''].map(text => skipWhitespace(text, 0)),
    [4, 0, 3, 0],
  );
  assert.equal(skipWhitespace('a  b', 1), 3);
  assert.equal(skipWhitespace('a  b', 3), 3);
});

test('words are split up to the bound and one more', () => {
  for (const count of [9, 10, 11, 12]) {
    assert.equal(splitWords('a '.repeat(count), 'c', fail, 10).length, Math.min(count, 11));
  }
});
