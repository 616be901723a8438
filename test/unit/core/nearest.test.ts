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
