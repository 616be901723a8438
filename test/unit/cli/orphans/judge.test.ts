/** Which files of former users nobody explains, and how trees of them are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExplained, topmost } from '../../../../src/cli/orphans/judge.ts';

const EXPLANATIONS = {
  live: new Set([61_200]),
  directories: new Map([['/var/lib/private/web', 61_300]]),
};

test('a user that lives explains its files, wherever they are', () => {
  assert.equal(isExplained({ uid: 61_200, path: '/tmp/x' }, EXPLANATIONS), true);
  assert.equal(isExplained({ uid: 61_201, path: '/tmp/x' }, EXPLANATIONS), false);
});

test('a directory that waits for its next user explains what its owner has in it, and nothing else', () => {
  for (const [uid, path, expected] of [
    [61_300, '/var/lib/private/web', true],
    [61_300, '/var/lib/private/web/a/b', true],
    [61_301, '/var/lib/private/web/a', false],
    [61_300, '/var/lib/private/web2', false],
    [61_300, '/var/lib/private', false],
    [61_300, '/tmp/x', false],
  ] as const) {
    assert.equal(isExplained({ uid, path }, EXPLANATIONS), expected, `${uid} ${path}`);
  }
});

test('a tree is told by its top, and each owner has its own', () => {
  const found = [
    { uid: 61_300, path: '/tmp/a/b' },
    { uid: 61_300, path: '/tmp/a' },
    { uid: 61_300, path: '/tmp/a/c/d' },
    { uid: 61_301, path: '/tmp/a/x' },
    { uid: 61_300, path: '/tmp/ab' },
  ];
  assert.deepEqual(topmost(found), [
    { uid: 61_300, path: '/tmp/a', files: 2 },
    { uid: 61_300, path: '/tmp/a/c/d', files: 1 },
    { uid: 61_300, path: '/tmp/ab', files: 1 },
    { uid: 61_301, path: '/tmp/a/x', files: 1 },
  ]);
  assert.deepEqual(topmost([]), []);
});
