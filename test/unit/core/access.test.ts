import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Access,
  type AccessPeer,
  type AccessPolicy,
  decideRights,
  isRootOfHost,
  mayJoin,
  mayRelease,
  type Requester,
  rootRights,
  type Standing,
} from '../../../src/core/access.ts';
import type { Gid, Uid } from '../../../src/core/ids.ts';

const HOST: Standing = { kind: 'host', mayChown: true };
const BARE: Standing = { kind: 'host', mayChown: false };
const FOREIGN: Standing = { kind: 'foreign', reason: 'is in another user namespace' };
const UNKNOWN: Standing = { kind: 'unknown', reason: 'this kernel does not say which process asks' };

function peer(uid: number, gid = uid, groups: number[] = []): AccessPeer {
  return { uid: uid as Uid, gid: gid as Gid, groups: groups as Gid[] };
}

const root = (standing: Standing): AccessPeer => ({ ...peer(0), standing });

function policy(lists: { uids?: number[]; gids?: number[]; directoryUids?: number[] } = {}): AccessPolicy {
  const { uids = [], gids = [], directoryUids = [] } = lists;
  return { uids: new Set(uids as Uid[]), gids: new Set(gids as Gid[]), directoryUids: new Set(directoryUids as Uid[]) };
}

function denied(access: Access, pattern: RegExp): void {
  assert.ok(!access.allowed);
  assert.match(access.reason, pattern);
}

const caller = (uid: number, isRoot = false): Requester => ({ uid: uid as Uid, isRoot });

test('root alone may acquire unless the configuration says more', () => {
  assert.equal(decideRights(root(HOST), policy()).acquire.allowed, true);
  denied(decideRights(peer(1000, 0, [0]), policy()).acquire, /the user 1000 may not acquire users: .*AllowUsers=/);
});

test('a user, a primary group or a supplementary group may be allowed', () => {
  const lists = policy({ uids: [1000], gids: [50] });
  for (const allowed of [peer(1000), peer(1001, 50), peer(1001, 1001, [4, 50])]) {
    assert.equal(decideRights(allowed, lists).acquire.allowed, true);
  }
  assert.equal(decideRights(peer(1001, 1001, [4]), lists).acquire.allowed, false);
});

test('root of this host names directories, and needs what chown(1) needs', () => {
  assert.equal(decideRights(root(HOST), policy()).directories.allowed, true);
  const bare = decideRights(root(BARE), policy());
  assert.deepEqual([bare.requester.isRoot, bare.acquire.allowed], [true, true]);
  denied(bare.directories, /CAP_CHOWN and CAP_DAC_OVERRIDE.*DirectoryUsers=/);
});

test('the root of a container or of a user namespace is an ordinary peer', () => {
  const { requester, acquire, directories } = decideRights(root(FOREIGN), policy());
  assert.equal(requester.isRoot, false);
  denied(acquire, /is in another user namespace: run this on the host, or name root in AllowUsers=/);
  denied(directories, /user namespace/);
  const listed = decideRights(root(FOREIGN), policy({ uids: [0] }));
  assert.deepEqual([listed.requester.isRoot, listed.acquire.allowed], [false, true]);
  denied(listed.directories, /only on the host itself/);
});

test('a kernel that does not say which process asks gives root no directories', () => {
  const { requester, directories } = decideRights(root(UNKNOWN), policy());
  assert.equal(requester.isRoot, true);
  denied(directories, /this kernel does not say.*DirectoryUsers=/);
  assert.equal(decideRights(root(UNKNOWN), policy({ directoryUids: [0] })).directories.allowed, true);
});

test('a peer names directories if the configuration says so, and only if it may acquire', () => {
  denied(decideRights(peer(1000), policy({ uids: [1000] })).directories, /the user 1000.*DirectoryUsers=/);
  assert.equal(decideRights(peer(1000), policy({ uids: [1000], directoryUids: [1000] })).directories.allowed, true);
  assert.equal(decideRights(peer(1000), policy({ directoryUids: [1000] })).directories.allowed, false);
});

test('no configuration has to be asked for root that has everything', () => {
  assert.equal(rootRights(root(HOST))?.directories.allowed, true);
  for (const other of [root(BARE), root(FOREIGN), root(UNKNOWN), peer(0), peer(1000)]) {
    assert.equal(rootRights(other), undefined);
  }
});

test('a lease is released by root and by its owner alone, and one of root by no root of a container', () => {
  assert.equal(mayRelease(caller(0, true), 1000 as Uid).allowed, true);
  assert.equal(mayRelease(caller(1000), 1000 as Uid).allowed, true);
  denied(mayRelease(caller(1001), 1000 as Uid), /belongs to the user 1000/);
  assert.equal(mayRelease(caller(0, false), 0 as Uid).allowed, false);
});

test('a user is joined by root, and by the UID that holds every lease of it', () => {
  const owners = (...uids: number[]) => uids as Uid[];
  assert.equal(mayJoin(caller(0, true), 'svc', owners(1000, 0)).allowed, true);
  assert.equal(mayJoin(caller(1000), 'svc', owners(1000, 1000)).allowed, true);
  denied(mayJoin(caller(1000), 'svc', owners(1000, 1001)), /svc is held by the user 1001/);
  denied(mayJoin(caller(1000), 'svc', owners(1000, 0)), /svc is held by root/);
  denied(mayJoin(caller(0, false), 'svc', owners(0)), /svc is held by root/);
});

test('each refusal says what to do', () => {
  const reasonOf = (access: Access): string => (access.allowed ? 'allowed' : access.reason);
  const out = ': leave the directories out, or name the user in DirectoryUsers=';
  for (const [standing, words] of [
    [BARE, 'root may name directories only with CAP_CHOWN and CAP_DAC_OVERRIDE, which the process that asks lacks'],
    [UNKNOWN, 'this kernel does not say which process asks, so that root cannot be told from the root of a container'],
  ] as const) {
    assert.equal(reasonOf(decideRights(root(standing), policy()).directories), words + out);
  }
  const listed = decideRights(root(FOREIGN), policy({ uids: [0] }));
  const host =
    'root may name directories only on the host itself, and the process that asks is in another user namespace';
  assert.equal(reasonOf(listed.directories), host + out);
  const user = decideRights(peer(1000), policy({ uids: [1000] }));
  assert.equal(
    reasonOf(user.directories),
    `the user 1000 may acquire users, but name no directories, which are root's to give${out}`,
  );
  // Who may not acquire is told that, and nothing of directories.
  const nobody = decideRights(peer(1000), policy());
  assert.equal(nobody.directories, nobody.acquire);
});

test('what a process with the UID 0 is decides whether it is root of this host', () => {
  const isRoot = (uid: number, standing?: Standing): boolean =>
    isRootOfHost({ uid: uid as Uid, ...(standing === undefined ? {} : { standing }) });
  assert.deepEqual(
    [HOST, BARE, UNKNOWN, FOREIGN, undefined].map(standing => isRoot(0, standing)),
    [true, true, true, false, false],
  );
  assert.equal(isRoot(1000, HOST), false);
  assert.deepEqual(rootRights(root(HOST))?.requester, { uid: 0, isRoot: true });
  assert.equal(rootRights({ ...root(HOST), uid: 1000 as Uid }), undefined);
});

test('a user of root is joined by no other, and one without leases by everybody who may acquire', () => {
  const owners = (...uids: number[]) => uids as Uid[];
  assert.equal(mayJoin(caller(1000), 'svc', owners()).allowed, true);
  denied(mayJoin(caller(1000), 'svc', owners(1001)), /^the user svc is held by the user 1001, and only its owner/);
  denied(mayJoin(caller(1000), 'svc', owners(0, 1001)), /held by root, /);
});
