/** A plan that is empty is carried out without a lock; one that is not never is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DirectorySnapshot, PathInspector } from '../../../src/allocator/directory-ports.ts';
import type { DirectoriesInUse } from '../../../src/core/directory.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { lockName } from '../../../src/directories/apply/lock.ts';
import { SNAPSHOT_FRESH_MS } from '../../../src/directories/limits.ts';
import { HelperPathInspector } from '../../../src/host/helper/path-inspector.ts';
import { HELPER, shell, temporaryDirectory } from '../../native/tree/fixture.ts';
import { skipUnless } from '../../support/host.ts';
import { NEW, NONE, OLD, openRoom, ownersOf, prepareAll, type Room, THIRD, userOf } from './fixture.ts';

/** What another allocator has locked is waited for if there is anything to do; this is longer than an empty plan ever takes. */
const A_WHILE_MS = 300;

const VALUES = ['foo:alias', 'foo/sub', 'deep/tree'];

interface SettledRoom {
  readonly room: Room;
  /** what another allocator does */
  lock(): void;
  unlock(): void;
}

/** A room whose directories are settled for the user NEW, and locked by another allocator. */
async function settledRoom(context: TestContext, inspector?: PathInspector): Promise<SettledRoom> {
  const room = openRoom(context, HELPER, temporaryDirectory(context), inspector);
  await room.prepare(userOf(NEW), VALUES);
  const locks = ['foo', 'deep'].map(tree => `${room.root}/lib/private/${lockName(tree)}`);
  const lock = () => {
    for (const name of locks) {
      mkdirSync(name);
    }
  };
  const unlock = () => {
    for (const name of locks) {
      rmdirSync(name);
    }
  };
  lock();
  return { room, lock, unlock };
}

test('what is settled is had while another has the lock, for each kind of handover', {
  skip: skipUnless('id-mapped mounts'),
}, async context => {
  const { room } = await settledRoom(context);
  const owned = await room.prepare(userOf(NEW), VALUES);
  assert.deepEqual(
    owned.directories.map(({ source, handover, changed, within, aliases }) => [
      ...[source, handover, changed, within?.slice(room.root.length), aliases],
    ]),
    [
      ['deep/tree', 'none', 0, undefined, []],
      ['foo', 'none', 0, undefined, ['alias']],
      ['foo/sub', 'none', 0, '/lib/foo', []],
    ],
  );
  const { ino } = lstatSync(`${room.root}/lib/private/foo`);
  assert.equal(owned.directories[1]?.inode, String(ino));
  assert.equal(
    owned.environment['STATE_DIRECTORY'],
    ['deep/tree', 'foo', 'foo/sub'].map(at => `${room.root}/lib/${at}`).join(':'),
  );

  shell(room.root, 'chown 65534:65534 lib/private/foo lib/private/foo/sub');
  // Nobody has asked yet whether the file system can map: that is found out without the lock, too.
  await room.prepare(userOf(OLD), ['foo', 'foo/sub'], { makesMounts: true });
  const mapped = await room.prepare(userOf(OLD), ['foo', 'foo/sub'], { makesMounts: true });
  assert.deepEqual(
    mapped.directories.map(({ handover, diskUid }) => [handover, diskUid]),
    Array(2).fill(['map', 65_534]),
  );
  assert.deepEqual(
    await ownersOf(
      room,
      room.directories.requested(
        { runtime: [], state: ['foo'], cache: [], logs: [] },
        { modes: {}, preserveRuntime: false, expose: false },
      ),
    ),
    [OLD],
  );
  const again = await room.prepare(userOf(THIRD), ['foo', 'foo/sub'], { makesMounts: true });
  assert.deepEqual(again.directories[0]?.inode, mapped.directories[0]?.inode);
  const text = ['-n', 'trusted.dynuser.uid', '--only-values', `${room.root}/lib/private/foo`];
  assert.equal(execFileSync('getfattr', text, { encoding: 'utf8' }), String(THIRD), 'it remembers the last');
});

test('a mapped tree that is exchanged between the inspection and its hint is inspected again', {
  skip: skipUnless('id-mapped mounts'),
}, async context => {
  const helper = new HelperPathInspector([HELPER]);
  context.after(() => helper.close());
  let exchange = () => undefined as unknown;
  const inspector: PathInspector = {
    async inspect(base, paths) {
      const found = await helper.inspect(base, paths);
      exchange();
      exchange = () => undefined;
      return found;
    },
  };
  const { room, unlock } = await settledRoom(context, inspector);
  unlock();
  shell(room.root, 'chown -R 65534:65534 lib/private/foo');
  await room.prepare(userOf(OLD), ['foo'], { makesMounts: true });
  exchange = () =>
    shell(room.root, 'mv lib/private/foo lib/private/former; mkdir lib/private/foo; chown 7:7 lib/private/foo');
  const { directories } = await room.prepare(userOf(THIRD), ['foo'], { makesMounts: true });
  assert.equal(directories[0]?.changed, 1, 'what is there now was given to 65534');
  const { ino, uid } = lstatSync(`${room.root}/lib/private/foo`);
  assert.deepEqual([String(ino), uid], [directories[0]?.inode, 65_534]);
});

for (const [what, script, mended] of [
  ['another owner', 'chown "$1" lib/private/foo', ['foo', NEW]],
  ['the mark of an interrupted handover', 'chown 0:65534 lib/private/foo', ['foo', NEW]],
  ['another mode', 'chmod 0700 lib/private/foo', ['foo', NEW]],
  ['a part of another mode', 'chmod 0700 lib/private/foo/sub', ['foo/sub', NEW]],
  ['a missing tree', 'rm -r lib/private/foo/sub', ['foo/sub', NEW]],
  ['a missing link', 'rm lib/foo', ['foo', NEW]],
  ['a missing alias', 'rm lib/alias', ['foo', NEW]],
] as const) {
  test(`${what} is waited for, and mended under the lock`, async context => {
    const { room, unlock } = await settledRoom(context);
    shell(room.root, script, OLD);
    const preparing = room.prepare(userOf(NEW), VALUES);
    assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
    unlock();
    await preparing;
    const [tree, owner] = mended;
    const { uid, gid, mode } = lstatSync(`${room.root}/lib/private/${tree}`);
    assert.deepEqual([uid, gid, mode & 0o7777], [owner, owner, 0o755]);
    assert.deepEqual(
      ['foo', 'alias'].map(link => readlinkSync(`${room.root}/lib/${link}`)),
      ['private/foo', 'private/foo'],
    );
  });
}

test('a tree below one that is changing hands is none of ours until that is over', async context => {
  const { room, unlock } = await settledRoom(context);
  shell(room.root, 'chown 0:65534 lib/private/deep');
  const preparing = room.prepare(userOf(NEW), ['deep/tree']);
  assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
  unlock();
  await preparing;
});

test('a look that was made before is used once, while it is fresh and nobody was at work', async context => {
  let inspections = 0;
  const inspector = new HelperPathInspector([HELPER]);
  context.after(() => inspector.close());
  const counted: PathInspector = {
    inspect(base, paths) {
      inspections++;
      return inspector.inspect(base, paths);
    },
  };
  const { room, unlock } = await settledRoom(context, counted);
  const requested = room.directories.requested(
    { runtime: [], state: ['foo'], cache: [], logs: [] },
    { modes: {}, preserveRuntime: false },
  );
  const prepareWith = (snapshot: DirectorySnapshot) => {
    const options = { makesMounts: false, verify: false, live: NONE, snapshot };
    return prepareAll(room.directories, requested, userOf(NEW), options);
  };
  const early = await room.directories.inspect(requested);
  inspections = 0;
  await prepareWith(early);
  assert.equal(inspections, 0);

  shell(room.root, 'mv lib/private/foo lib/private/elsewhere');
  await sleep(SNAPSHOT_FRESH_MS);
  const preparing = prepareWith(early);
  assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits', 'it is stale');
  const fresh = await room.directories.inspect(requested);
  unlock();
  await preparing;
  assert.equal(lstatSync(`${room.root}/lib/private/foo`).uid, NEW, 'it was made anew');
  inspections = 0;
  await prepareWith(fresh);
  assert.equal(inspections, 1, 'it was made while another request was at work');
  early[Symbol.dispose]();
  fresh[Symbol.dispose]();
});

test('where the one look says nothing, each step is looked at, and the result is the same', async context => {
  const { room, unlock } = await settledRoom(context, { inspect: async () => undefined });
  unlock();
  const { directories } = await room.prepare(userOf(NEW), VALUES);
  assert.deepEqual(
    directories.map(({ handover, changed }) => [handover, changed]),
    Array(3).fill(['none', 0]),
  );
  const requested = room.directories.requested(
    { runtime: [], state: ['foo', 'none'], cache: [], logs: [] },
    { modes: {}, preserveRuntime: false },
  );
  assert.deepEqual(await ownersOf(room, requested), [NEW]);
});

test('what is to be verified is walked under the lock', async context => {
  const { room, unlock } = await settledRoom(context);
  shell(room.root, 'touch lib/private/foo/wrong; chown "$1" lib/private/foo/wrong', OLD);
  const preparing = room.prepare(userOf(NEW), ['foo'], { verify: true });
  assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
  unlock();
  assert.equal((await preparing).directories[0]?.changed, 1);
});

test('while a request of this daemon is at work on a tree, it is not taken for settled', async context => {
  const { room, unlock } = await settledRoom(context);
  const working = room.prepare(userOf(NEW), ['foo', 'foo/new']);
  assert.equal(await Promise.race([working.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
  const preparing = room.prepare(userOf(NEW), ['foo']);
  assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
  unlock();
  await Promise.all([working, preparing]);
});

test('a live lease of another is refused by name, and leaves everything where it was', async context => {
  const { room, unlock } = await settledRoom(context);
  unlock();
  const before = readdirSync(`${room.root}/lib/private`);
  const leased = {
    kind: 'state',
    source: 'foo',
    publicPath: '',
    handover: 'map',
    preserved: true,
    exposed: false,
  } as const;
  const live = (): readonly DirectoriesInUse[] => [
    { user: userOf(OLD).name, directories: [{ ...leased, aliases: [] }] },
  ];
  await assert.rejects(room.prepare(userOf(NEW), ['foo'], { live }), (error: unknown) => {
    assert.ok(error instanceof DynuserError);
    assert.match(error.message, /in use by user-61301, for which it is mapped/);
    return true;
  });
  assert.deepEqual(readdirSync(`${room.root}/lib/private`), before);
});
