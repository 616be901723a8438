import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../../src/core/nearest.ts';

const VERBS = ['list', 'show', 'acquire', 'release', 'explain', 'watch', 'status'];

test('the nearest word within two edits is found', () => {
  for (const [typed, meant] of [
    ['lsit', 'list'],
    ['lits', 'list'],
    ['aquire', 'acquire'],
    ['relaese', 'release'],
    ['relaesee', 'release'],
    ['stauts', 'status'],
    ['wacth', 'watch'],
    ['expl', 'explain'],
  ] as const) {
    assert.equal(nearest(typed, VERBS), meant, typed);
  }
});

test('what is near nothing gets no suggestion', () => {
  for (const typed of ['', 'frobnicate', 'xyzw', 'l'.repeat(100_000)]) {
    assert.equal(nearest(typed, VERBS), undefined, typed.slice(0, 20));
  }
  assert.equal(nearest('xy', ['ab']), undefined);
});

test('an edit is a letter more, less, another one, or two neighbours the other way around', () => {
  for (const [typed, meant] of [
    ['abcd', 'abcde'],
    ['abcdef', 'abcde'],
    ['abxde', 'abcde'],
    ['bacde', 'abcde'],
    ['abced', 'abcde'],
    ['badce', 'abcde'],
    ['xbcdy', 'abcde'],
    ['bcdea', 'abcde'],
  ] as const) {
    assert.equal(nearest(typed, [meant]), meant, typed);
  }
  for (const typed of ['xyzde', 'badec', 'ecbda', 'cdeab']) {
    assert.equal(nearest(typed, ['abcde']), undefined, typed);
  }
});

test('the nearer word is meant, and of two as near the first', () => {
  assert.equal(nearest('abcd', ['abxy', 'abcx', 'abcy']), 'abcx');
  assert.equal(nearest('abcd', ['abcd1', 'abcd']), 'abcd');
  // One edit counts before a start, and a start is found whatever its length.
  assert.equal(nearest('abc', ['abcdefgh', 'abd']), 'abd');
  assert.equal(nearest('abc', ['xabc1234', 'abcdefgh']), 'abcdefgh');
});

test('a word of as many letters as there are edits has nothing in common with another', () => {
  assert.equal(nearest('a', ['b']), undefined);
  assert.equal(nearest('ab', ['cb']), 'cb');
  assert.equal(nearest('abx', ['yb']), undefined);
  assert.equal(nearest('abcx', ['yzc']), undefined);
  assert.equal(nearest('xybc', ['abc']), 'abc');
});

test('words of up to 64 letters are looked at', () => {
  const word = 'x'.repeat(63);
  assert.equal(nearest(`${word}y`, [`${word}z`]), `${word}z`);
  assert.equal(nearest(`${word}yy`, [`${word}yz`]), undefined);
});
