import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEscape } from '../../../src/core/escape.ts';

const read = (text: string, separators?: string): [string, number] | undefined => {
  const found = readEscape(text, separators);
  return found === undefined ? undefined : [found.bytes.toString('latin1'), found.length];
};

test('single letters are the escapes of C, and "s" is a space', () => {
  const escapes = {
    a: '\x07',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
    v: '\v',
    s: ' ',
    '\\': '\\',
    '"': '"',
    "'": "'",
  };
  for (const [letter, character] of Object.entries(escapes)) {
    assert.deepEqual(read(`${letter}rest`), [character, 1], letter);
  }
  for (const text of ['', 'q', ' ', 'A', '8', 'é']) {
    assert.equal(read(text), undefined, text);
  }
});

test('separators stand for themselves where there are some', () => {
  assert.deepEqual(read(':x', ': '), [':', 1]);
  assert.deepEqual(read(' x', ': '), [' ', 1]);
  assert.equal(read(';x', ': '), undefined);
  assert.equal(read('', ': '), undefined);
});

test('bytes are two hexadecimal or three octal digits', () => {
  assert.deepEqual(read('x41b'), ['A', 3]);
  assert.deepEqual(read('xFf'), ['\xff', 3]);
  assert.deepEqual(read('1011'), ['A', 3]);
  assert.deepEqual(read('377'), ['\xff', 3]);
  assert.deepEqual(read('001'), ['\x01', 3]);
  for (const text of ['x4', 'xg1', 'x', '10', '18 ', '400', '777', 'X41']) {
    assert.equal(read(text), undefined, text);
  }
});

test('code points are four or eight hexadecimal digits, and become UTF-8', () => {
  const utf8 = (text: string): [string, number] | undefined => {
    const found = readEscape(text);
    return found === undefined ? undefined : [found.bytes.toString(), found.length];
  };
  assert.deepEqual(utf8('u00fc!'), ['ü', 5]);
  assert.deepEqual(utf8('u007f'), ['\x7f', 5]);
  assert.deepEqual(utf8('ud7ff'), ['\ud7ff', 5]);
  assert.deepEqual(utf8('ue000'), ['\ue000', 5]);
  assert.deepEqual(utf8('U0001f600'), ['😀', 9]);
  assert.deepEqual(utf8('U0010ffff'), ['\u{10ffff}', 9]);
  for (const text of ['u00f', 'U0001f60', 'U00110000', 'Uffffffff', 'ud800', 'udfff', 'U0000d800']) {
    assert.equal(utf8(text), undefined, text);
  }
});

test('NUL is not an escape, however it is written', () => {
  for (const text of ['x00', '000', 'u0000', 'U00000000']) {
    assert.equal(read(text), undefined, text);
  }
});
