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
import { NEW, NONE, OLD, openSetup, ownersOf, prepareAll, type Setup, THIRD, userOf } from './fixture.ts';

/** What another allocator has locked is waited for if there is anything to do; this is longer than an empty plan ever takes. */
const A_WHILE_MS = 300;

const VALUES = ['foo:alias', 'foo/sub', 'deep/tree'];

interface ReadySetup {
  readonly setup: Setup;
  /** what another allocator does */
  lock(): void;
  unlock(): void;
}

/** A setup whose directories need nothing for the user NEW, and locked by another allocator. */
async function readySetup(context: TestContext, inspector?: PathInspector): Promise<ReadySetup> {
  const setup = openSetup(context, HELPER, temporaryDirectory(context), inspector);
  await setup.prepare(userOf(NEW), VALUES);
  const locks = ['foo', 'deep'].map(tree => `${setup.root}/lib/private/${lockName(tree)}`);
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
  return { setup, lock, unlock };
}

test('what needs nothing is had while another has the lock, for each kind of handover', {
  skip: skipUnless('id-mapped mounts'),
}, async context => {
  const { setup } = await readySetup(context);
  const owned = await setup.prepare(userOf(NEW), VALUES);
  assert.deepEqual(
    owned.directories.map(({ source, handover, changed, within, aliases }) => [
      ...[source, handover, changed, within?.slice(setup.root.length), aliases],
    ]),
    [
      ['deep/tree', 'none', 0, undefined, []],
      ['foo', 'none', 0, undefined, ['alias']],
      ['foo/sub', 'none', 0, '/lib/foo', []],
    ],
  );
  const { ino } = lstatSync(`${setup.root}/lib/private/foo`);
  assert.equal(owned.directories[1]?.inode, String(ino));
  assert.equal(
    owned.environment['STATE_DIRECTORY'],
    ['deep/tree', 'foo', 'foo/sub'].map(at => `${setup.root}/lib/${at}`).join(':'),
  );

  shell(setup.root, 'chown 65534:65534 lib/private/foo lib/private/foo/sub');
  // Nobody has asked yet whether the file system can map: that is found out without the lock, too.
  await setup.prepare(userOf(OLD), ['foo', 'foo/sub'], { makesMounts: true });
  const mapped = await setup.prepare(userOf(OLD), ['foo', 'foo/sub'], { makesMounts: true });
  assert.deepEqual(
    mapped.directories.map(({ handover, diskUid }) => [handover, diskUid]),
    Array(2).fill(['map', 65_534]),
  );
  assert.deepEqual(
    await ownersOf(
      setup,
      setup.directories.requested(
        { runtime: [], state: ['foo'], cache: [], logs: [] },
        { modes: {}, preserveRuntime: false, expose: false },
      ),
    ),
    [OLD],
  );
  const again = await setup.prepare(userOf(THIRD), ['foo', 'foo/sub'], { makesMounts: true });
  assert.deepEqual(again.directories[0]?.inode, mapped.directories[0]?.inode);
  const text = ['-n', 'trusted.dynuser.uid', '--only-values', `${setup.root}/lib/private/foo`];
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
  const { setup, unlock } = await readySetup(context, inspector);
  unlock();
  shell(setup.root, 'chown -R 65534:65534 lib/private/foo');
  await setup.prepare(userOf(OLD), ['foo'], { makesMounts: true });
  exchange = () =>
    shell(setup.root, 'mv lib/private/foo lib/private/former; mkdir lib/private/foo; chown 7:7 lib/private/foo');
  const { directories } = await setup.prepare(userOf(THIRD), ['foo'], { makesMounts: true });
  assert.equal(directories[0]?.changed, 1, 'what is there now was given to 65534');
  const { ino, uid } = lstatSync(`${setup.root}/lib/private/foo`);
  assert.deepEqual([String(ino), uid], [directories[0]?.inode, 65_534]);
});

for (const [what, script, repaired] of [
  ['another owner', 'chown "$1" lib/private/foo', ['foo', NEW]],
  ['the mark of an interrupted handover', 'chown 0:65534 lib/private/foo', ['foo', NEW]],
  ['another mode', 'chmod 0700 lib/private/foo', ['foo', NEW]],
  ['a part of another mode', 'chmod 0700 lib/private/foo/sub', ['foo/sub', NEW]],
  ['a missing tree', 'rm -r lib/private/foo/sub', ['foo/sub', NEW]],
  ['a missing link', 'rm lib/foo', ['foo', NEW]],
  ['a missing alias', 'rm lib/alias', ['foo', NEW]],
] as const) {
  test(`${what} is waited for, and repaired under the lock`, async context => {
    const { setup, unlock } = await readySetup(context);
    shell(setup.root, script, OLD);
    const preparing = setup.prepare(userOf(NEW), VALUES);
    assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
    unlock();
    await preparing;
    const [tree, owner] = repaired;
    const { uid, gid, mode } = lstatSync(`${setup.root}/lib/private/${tree}`);
    assert.deepEqual([uid, gid, mode & 0o7777], [owner, owner, 0o755]);
    assert.deepEqual(
      ['foo', 'alias'].map(link => readlinkSync(`${setup.root}/lib/${link}`)),
      ['private/foo', 'foo'],
    );
  });
}

test('a tree below one that is being handed over is left alone until that is over', async context => {
  const { setup, unlock } = await readySetup(context);
  shell(setup.root, 'chown 0:65534 lib/private/deep');
  const preparing = setup.prepare(userOf(NEW), ['deep/tree']);
  assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
  unlock();
  await preparing;
});

test('a snapshot that was taken before is used once, while it is fresh and nobody was at work', async context => {
  let inspections = 0;
  const inspector = new HelperPathInspector([HELPER]);
  context.after(() => inspector.close());
  const counted: PathInspector = {
    inspect(base, paths) {
      inspections++;
      return inspector.inspect(base, paths);
    },
  };
  const { setup, unlock } = await readySetup(context, counted);
  const requested = setup.directories.requested(
    { runtime: [], state: ['foo'], cache: [], logs: [] },
    { modes: {}, preserveRuntime: false },
  );
  const prepareWith = (snapshot: DirectorySnapshot) => {
    const options = { makesMounts: false, verify: false, live: NONE, snapshot };
    return prepareAll(setup.directories, requested, userOf(NEW), options);
  };
  const early = await setup.directories.inspect(requested);
  inspections = 0;
  await prepareWith(early);
  assert.equal(inspections, 0);

  shell(setup.root, 'mv lib/private/foo lib/private/elsewhere');
  await sleep(SNAPSHOT_FRESH_MS);
  const preparing = prepareWith(early);
  assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits', 'it is stale');
  const fresh = await setup.directories.inspect(requested);
  unlock();
  await preparing;
  assert.equal(lstatSync(`${setup.root}/lib/private/foo`).uid, NEW, 'it was made anew');
  inspections = 0;
  await prepareWith(fresh);
  assert.equal(inspections, 1, 'it was made while another request was at work');
  early[Symbol.dispose]();
  fresh[Symbol.dispose]();
});

test('if the helper has no answer, each step is made here, and the result is the same', async context => {
  const { setup, unlock } = await readySetup(context, { inspect: async () => undefined });
  unlock();
  const { directories } = await setup.prepare(userOf(NEW), VALUES);
  assert.deepEqual(
    directories.map(({ handover, changed }) => [handover, changed]),
    Array(3).fill(['none', 0]),
  );
  const requested = setup.directories.requested(
    { runtime: [], state: ['foo', 'none'], cache: [], logs: [] },
    { modes: {}, preserveRuntime: false },
  );
  assert.deepEqual(await ownersOf(setup, requested), [NEW]);
});

test('what is to be verified is walked under the lock', async context => {
  const { setup, unlock } = await readySetup(context);
  shell(setup.root, 'touch lib/private/foo/wrong; chown "$1" lib/private/foo/wrong', OLD);
  const preparing = setup.prepare(userOf(NEW), ['foo'], { verify: true });
  assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
  unlock();
  assert.equal((await preparing).directories[0]?.changed, 1);
});

test('while a request of this daemon is at work on a tree, its plan is not taken for empty', async context => {
  const { setup, unlock } = await readySetup(context);
  const working = setup.prepare(userOf(NEW), ['foo', 'foo/new']);
  assert.equal(await Promise.race([working.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
  const preparing = setup.prepare(userOf(NEW), ['foo']);
  assert.equal(await Promise.race([preparing.then(() => 'had'), sleep(A_WHILE_MS, 'waits')]), 'waits');
  unlock();
  await Promise.all([working, preparing]);
});

test('a live lease of another is refused by name, and leaves everything where it was', async context => {
  const { setup, unlock } = await readySetup(context);
  unlock();
  const before = readdirSync(`${setup.root}/lib/private`);
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
  await assert.rejects(setup.prepare(userOf(NEW), ['foo'], { live }), (error: unknown) => {
    assert.ok(error instanceof DynuserError);
    assert.match(error.message, /in use by user-61301, for which it is mapped/);
    return true;
  });
  assert.deepEqual(readdirSync(`${setup.root}/lib/private`), before);
});
