import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayAcquire, mayNameDirectories, mayRelease } from '../../../src/core/access.ts';
import type { Gid, Uid } from '../../../src/core/ids.ts';

const peer = (uid: number, gid = uid, groups: number[] = []) => ({
  uid: uid as Uid,
  gid: gid as Gid,
  groups: groups as Gid[],
});
const NOBODY_ELSE = { uids: new Set<Uid>(), gids: new Set<Gid>() };

test('root alone may acquire unless the configuration says more', () => {
  assert.equal(mayAcquire(peer(0), NOBODY_ELSE).allowed, true);
  assert.equal(mayAcquire(peer(1000, 0, [0]), NOBODY_ELSE).allowed, false);
});

test('a user, a primary group or a supplementary group may be allowed', () => {
  const policy = { uids: new Set([1000 as Uid]), gids: new Set([50 as Gid]) };
  assert.equal(mayAcquire(peer(1000), policy).allowed, true);
  assert.equal(mayAcquire(peer(1001, 50), policy).allowed, true);
  assert.equal(mayAcquire(peer(1001, 1001, [4, 50]), policy).allowed, true);
  assert.equal(mayAcquire(peer(1001, 1001, [4]), policy).allowed, false);
});

test('root alone names directories', () => {
  assert.equal(mayNameDirectories(peer(0)).allowed, true);
  assert.equal(mayNameDirectories(peer(1000, 0, [0])).allowed, false);
});

test('a lease is released by root and by its owner alone', () => {
  assert.equal(mayRelease(peer(0), 1000 as Uid).allowed, true);
  assert.equal(mayRelease(peer(1000), 1000 as Uid).allowed, true);
  const denied = mayRelease(peer(1001), 1000 as Uid);
  assert.ok(!denied.allowed);
  assert.match(denied.reason, /1000/);
});
