import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asGid, asUid, type Gid, type Uid } from '../../../src/core/ids.ts';
import { decideHandover, type TreeFacts, wouldMap } from '../../../src/directories/plan/handover.ts';

const USER = user(61_500, true);

function user(id: number, dynamic: boolean): { uid: Uid; gid: Gid; dynamic: boolean } {
  const [uid, gid] = [asUid(id), asGid(id)];
  assert.ok(uid !== undefined && gid !== undefined);
  return { uid, gid, dynamic };
}

function facts(owner: number, makesMounts: boolean, more: Partial<TreeFacts> = {}): TreeFacts {
  return { owner: { uid: owner, gid: owner }, isPrivate: true, makesMounts, ...more };
}

/** The owner of the top, whether the caller makes mounts, and then: the kind, the owner on disk, whether to walk. */
const ROWS = [
  [61_500, false, 'none', 61_500, false],
  [61_500, true, 'none', 61_500, false],
  [61_501, false, 'chown', 61_500, true],
  [61_501, true, 'map', 65_534, true],
  [65_534, false, 'chown', 61_500, true],
  [65_534, true, 'map', 65_534, false],
  [0, false, 'chown', 61_500, true],
  [0, true, 'map', 65_534, true],
  [1000, true, 'map', 65_534, true],
] as const;

test('nothing, a map or new owners, by who has the tree and what the caller can do', () => {
  for (const [owner, mounts, kind, uid, walk] of ROWS) {
    assert.deepEqual(
      decideHandover(facts(owner, mounts), USER, true),
      { kind, uid, gid: uid, walk },
      `${owner} ${mounts}`,
    );
  }
});

test('where the file system cannot map, new owners', () => {
  for (const owner of [61_501, 65_534, 0]) {
    assert.equal(wouldMap(facts(owner, true), USER), true);
    assert.equal(decideHandover(facts(owner, true), USER, false).kind, 'chown');
  }
});

test('public trees, static users and root are never mapped', () => {
  assert.equal(decideHandover(facts(0, true, { isPrivate: false }), USER, true).kind, 'chown');
  assert.equal(decideHandover(facts(65_534, true), user(1000, false), true).kind, 'chown');
  assert.equal(decideHandover(facts(65_534, true), user(0, true), true).kind, 'chown');
});

test('a tree whose top is half the user’s is not the user’s', () => {
  const owner = { uid: 61_500, gid: 0 };
  assert.deepEqual(decideHandover({ ...facts(0, false), owner }, USER, true).kind, 'chown');
  // The mark of an interrupted handover.
  assert.deepEqual(decideHandover({ ...facts(0, false), owner: { uid: 0, gid: 65_534 } }, USER, true).walk, true);
});

test('a part of another directory’s tree goes the way of that', () => {
  assert.equal(decideHandover(facts(0, true, { within: 'chown' }), USER, true).kind, 'chown');
  assert.equal(decideHandover(facts(0, true, { within: 'none' }), USER, true).uid, 61_500);
  assert.deepEqual(decideHandover(facts(0, false, { within: 'map' }), USER, true), {
    kind: 'map',
    uid: 65_534,
    gid: 65_534,
    walk: true,
  });
});
