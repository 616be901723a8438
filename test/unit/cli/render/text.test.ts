import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf, cut, printable, widthOf, wrap } from '../../../../src/cli/render/text.ts';

test('what would drive a terminal is shown as an escape', () => {
  assert.equal(printable('\x1b]0;owned\x07'), '\\x1b]0;owned\\x07');
  assert.equal(printable('a\nb\tc\r'), 'a\\nb\\tc\\x0d');
  assert.equal(printable('\x7f\u009b31m'), '\\x7f\\x9b31m');
  assert.equal(printable('abc\u202egnp.exe'), 'abc\\u{202e}gnp.exe');
  assert.equal(printable('a\u2028b\ufeff\u{e0041}'), 'a\\u{2028}b\\u{feff}\\u{e0041}');
  assert.equal(printable('\ud800'), '\\u{d800}');
});

test('what is printable stays as it is, the escapes of unit names among it', () => {
  const text = 'dev-disk-by\\x2dlabel.device Müller 使用者 😀';
  assert.equal(printable(text), text);
});

test('widths count code points', () => {
  assert.equal(widthOf('Müller'), 6);
  assert.equal(widthOf('😀😀'), 2);
});

test('a text is cut to its width, never in the middle of a code point', () => {
  assert.equal(cut('abcdef', 6), 'abcdef');
  assert.equal(cut('abcdef', 5), 'abcd…');
  assert.equal(cut('😀😀😀', 2), '😀…');
  assert.equal(cut('abc', 1), '…');
  assert.equal(cut('abc', 0), '');
});

test('a text is broken at its spaces', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('incomprehensible a b', 5), ['incomprehensible', 'a b']);
  assert.deepEqual(wrap('', 5), []);
});

test('a count has its noun in the right number', () => {
  assert.deepEqual(
    [0, 1, 2].map(count => countOf(count, 'lease')),
    ['0 leases', '1 lease', '2 leases'],
  );
});

test('an escape has two digits of a byte, or as many as the code point has', () => {
  assert.equal(printable('\x00\x9f\u00ad\u0600\u200b\u{10ffff}'), '\\x00\\x9f\\xad\\u{600}\\u{200b}\\u{10ffff}');
});
