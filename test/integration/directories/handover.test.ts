/** Handovers of trees: candidates, kinds of handover, progress, interruption, sharing, locks. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { DirectoriesInUse, LeasedDirectory } from '../../../src/core/directory.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { lockName, lockTrees } from '../../../src/directories/apply/lock.ts';
import { HeldDirectory } from '../../../src/directories/held-directory.ts';
import { makeFlat, owners, shell } from '../../native/tree/fixture.ts';
import { skipUnless } from '../../support/host.ts';
import { NEW, NONE, OLD, openSetup, ownersOf, type Setup, THIRD, userOf } from './fixture.ts';

const refusedBecause = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DynuserError, String(error));
  assert.equal(error.code, 'DirectoryFailed');
  assert.match(error.message, reason);
  return true;
};

async function ownersFor(setup: Setup, values: readonly string[]): Promise<readonly number[]> {
  const request = { runtime: [], state: values, cache: values, logs: [] };
  return ownersOf(setup, setup.directories.requested(request, { modes: {}, preserveRuntime: false }));
}

test('the example of the article: the same owner again, and the file is there', async context => {
  const setup = openSetup(context);
  const first = userOf(63_122, true, 'run-u15750');
  await setup.prepare(first, ['wuff']);
  const file = `${setup.root}/lib/private/wuff/test`;
  writeFileSync(file, 'hello\n');
  shell(setup.root, 'chown 63122:63122 lib/private/wuff/test');
  assert.deepEqual(await ownersFor(setup, ['wuff']), [63_122]);
  assert.equal(lstatSync(`${setup.root}/lib/private`).mode & 0o777, 0o700);

  const again = await setup.prepare(userOf(63_122, true, 'run-u16087'), ['wuff']);
  assert.deepEqual(
    again.directories.map(({ handover, changed }) => [handover, changed]),
    [['none', 0]],
  );

  const other = await setup.prepare(userOf(NEW), ['wuff']);
  assert.deepEqual(
    other.directories.map(({ handover, changed }) => [handover, changed]),
    [['chown', 2]],
  );
  assert.equal(lstatSync(file).uid, NEW);
  assert.equal(readFileSync(`${setup.root}/lib/wuff/test`, 'utf8'), 'hello\n');
});

test('owners come in order, of trees in either place, and none of what is not a directory', async context => {
  const setup = openSetup(context);
  shell(
    setup.root,
    `mkdir -p lib/private/a lib/b cache/private/a; chown "$1" lib/private/a; chown "$2" lib/b; chown "$3" cache/private/a
     ln -s /etc lib/private/link; echo >lib/file`,
    OLD,
    NEW,
    THIRD,
  );
  assert.deepEqual(await ownersFor(setup, ['a', 'b', 'file', 'link', 'missing', 'link/x']), [OLD, NEW, THIRD]);
});

test('maps for a caller that makes mounts, changes owners for one that does not, and maps again', {
  skip: skipUnless('id-mapped mounts'),
}, async context => {
  const setup = openSetup(context);
  const mapped = { uid: 65_534, gid: 65_534 };
  const one = await setup.prepare(userOf(OLD), ['foo', 'foo/sub'], { makesMounts: true });
  assert.deepEqual(
    one.directories.map(({ handover, diskUid }) => [handover, diskUid]),
    Array(2).fill(['map', 65_534]),
  );
  writeFileSync(`${setup.root}/lib/private/foo/sub/file`, 'x');
  shell(setup.root, 'chown 65534:65534 lib/private/foo/sub/file');

  const two = await setup.prepare(userOf(NEW), ['foo', 'foo/sub'], { makesMounts: true });
  assert.deepEqual(
    two.directories.map(({ handover, changed }) => [handover, changed]),
    Array(2).fill(['map', 0]),
  );
  const three = await setup.prepare(userOf(NEW), ['foo']);
  assert.deepEqual(
    three.directories.map(({ handover, changed }) => [handover, changed]),
    [['chown', 3]],
  );
  const four = await setup.prepare(userOf(NEW), ['foo'], { makesMounts: true });
  assert.equal(four.directories[0]?.handover, 'none');
  const five = await setup.prepare(userOf(OLD), ['foo'], { makesMounts: true });
  assert.deepEqual(
    five.directories.map(({ handover, changed }) => [handover, changed]),
    [['map', 3]],
  );
  assert.deepEqual([...owners(`${setup.root}/lib/private/foo`)], [[`${mapped.uid}:${mapped.gid}`, 3]]);
});

test('verifies on request what is below a right top, and says what it leaves', async context => {
  const setup = openSetup(context);
  await setup.prepare(userOf(NEW), ['foo']);
  shell(`${setup.root}/lib/private/foo`, 'touch wrong; echo >../outside; ln ../outside foreign; chown "$1" wrong', OLD);
  assert.equal((await setup.prepare(userOf(NEW), ['foo'])).directories[0]?.changed, 0);
  const [verified] = (await setup.prepare(userOf(NEW), ['foo'], { verify: true })).directories;
  assert.deepEqual([verified?.handover, verified?.changed, verified?.leftPaths], ['none', 1, ['foreign']]);
  assert.equal(lstatSync(`${setup.root}/lib/private/foo/wrong`).uid, NEW);
});

test('tells how far it is, can be given up, and is finished by the next', async context => {
  const setup = openSetup(context);
  await setup.prepare(userOf(OLD), ['foo']);
  const tree = `${setup.root}/lib/private/foo`;
  makeFlat(`${tree}/x`, 2, 3, OLD);
  // Begins as the helper does, and then takes for ever.
  const slow = `${setup.root}/slow-helper`;
  const script = `chown 0:65534 /proc/self/fd/3; chown ${NEW}:${NEW} /proc/self/fd/3/x; echo progress 512 1; exec sleep 600`;
  writeFileSync(slow, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const given = new AbortController();
  const seen: unknown[] = [];
  const half = openSetup(context, slow, setup.root).prepare(userOf(NEW), ['foo'], {
    signal: given.signal,
    onProgress(progress) {
      seen.push(progress);
      given.abort();
    },
  });
  await assert.rejects(half, refusedBecause(/given up; the next handover finishes what it began/));
  assert.deepEqual(seen, [{ publicPath: `${setup.root}/lib/foo`, inodes: 512, changed: 1 }]);
  assert.equal(lstatSync(tree).uid, 0, 'it is marked');
  assert.deepEqual(await ownersFor(setup, ['foo']), [0]);

  const { directories } = await setup.prepare(userOf(OLD), ['foo']);
  assert.equal(directories[0]?.handover, 'chown');
  assert.deepEqual([...owners(tree).keys()], [`${OLD}:${OLD}`]);
  assert.deepEqual(readdirSync(`${setup.root}/lib/private`), ['foo'], 'no lock is left');
});

test('a mapped tree remembers its user, who is the first candidate for its next one', {
  skip: skipUnless('id-mapped mounts'),
}, async context => {
  const setup = openSetup(context);
  const request = { runtime: [], state: ['foo', 'foo/bar', 'other', 'fresh'], cache: [], logs: [] };
  const requested = setup.directories.requested(request, { modes: {}, preserveRuntime: false });
  const { directories } = await setup.prepare(userOf(OLD), ['foo', 'foo/bar'], { makesMounts: true });
  assert.deepEqual(
    directories.map(({ handover, diskUid }) => [handover, diskUid]),
    [
      ['map', 65534],
      ['map', 65534],
    ],
  );
  await setup.prepare(userOf(THIRD), ['other']);
  assert.deepEqual(await ownersOf(setup, requested), [OLD, THIRD], 'by mark, and by owner');
  await setup.prepare(userOf(NEW), ['foo'], { makesMounts: true });
  assert.deepEqual((await ownersOf(setup, requested))[0], NEW);
  // Whatever else can be there is no UID.
  for (const text of ['', '0', '-1', '61184 ', '4294967295', '99999999999']) {
    execFileSync('setfattr', ['-n', 'trusted.dynuser.uid', '-v', text, `${setup.root}/lib/private/foo`]);
    assert.deepEqual(await ownersOf(setup, requested), [THIRD], text);
  }
  execFileSync('setfattr', ['-x', 'trusted.dynuser.uid', `${setup.root}/lib/private/foo`]);
  assert.deepEqual(await ownersOf(setup, requested), [THIRD]);
});

test('says what a handover would be, and changes nothing', { skip: skipUnless('id-mapped mounts') }, async context => {
  const setup = openSetup(context);
  await setup.prepare(userOf(OLD), ['old']);
  makeFlat(`${setup.root}/lib/private/old/x`, 2, 3, OLD);
  const request = { runtime: [], state: ['fresh', 'old'], cache: [], logs: [] };
  const requested = setup.directories.requested(request, { modes: {}, preserveRuntime: false });
  const expect = (id: number, makesMounts: boolean) =>
    setup.directories.explain(requested, userOf(id), { makesMounts, verify: false, live: NONE });
  const [fresh, old] = await expect(NEW, false);
  assert.deepEqual([fresh?.handover, fresh?.owner, fresh?.inodes, fresh?.changes], ['chown', undefined, 0, 1]);
  assert.equal(fresh?.realPath, `${setup.root}/lib/private/fresh`);
  assert.deepEqual([old?.handover, old?.owner, old?.inodes, old?.changes, old?.counted], ['chown', OLD, 10, 10, 'all']);
  assert.deepEqual(
    (await expect(NEW, true)).map(({ handover }) => handover),
    ['map', 'map'],
  );
  assert.deepEqual((await expect(OLD, true)).map(({ handover, changes }) => [handover, changes])[1], ['none', 0]);
  assert.equal(existsSync(`${setup.root}/lib/private/fresh`), false);
});

function leased(
  setup: Setup,
  kind: 'state' | 'runtime',
  source: string,
  more: Partial<LeasedDirectory> = {},
): LeasedDirectory {
  const publicPath = `${setup.root}/${kind === 'state' ? 'lib' : 'run'}/${source}`;
  return {
    kind,
    source,
    publicPath,
    handover: 'chown',
    preserved: kind === 'state',
    exposed: false,
    aliases: [],
    ...more,
  };
}

test('refuses a directory that a live lease of another has, by name, with everything where it was', async context => {
  const setup = openSetup(context);
  await setup.prepare(userOf(OLD), ['foo']);
  const live = (): readonly DirectoriesInUse[] => [
    { user: userOf(OLD).name, directories: [leased(setup, 'state', 'foo')] },
  ];
  await assert.rejects(setup.prepare(userOf(NEW), ['foo'], { live }), refusedBecause(/in use by user-61301/));
  await assert.rejects(setup.prepare(userOf(NEW), ['foo/bar'], { live }), refusedBecause(/foo/));
  assert.equal(lstatSync(`${setup.root}/lib/private/foo`).uid, OLD);
  assert.equal((await setup.prepare(userOf(OLD), ['foo'], { live })).directories[0]?.handover, 'none');
});

test('the lease is made while the tree is locked: of two at a time one sees the other', async context => {
  const setup = openSetup(context);
  const inUse: DirectoriesInUse[] = [];
  const request = { runtime: [], state: ['foo'], cache: [], logs: [] };
  const requested = setup.directories.requested(request, { modes: {}, preserveRuntime: false });
  const acquire = async (id: number) => {
    const options = { makesMounts: false, verify: false, live: () => inUse };
    await using prepared = await setup.directories.prepare(requested, userOf(id), options);
    prepared.commit();
    inUse.push({ user: userOf(id).name, directories: prepared.directories });
  };
  const results = await Promise.allSettled([OLD, NEW, THIRD].map(acquire));
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
  assert.equal(`user-${lstatSync(`${setup.root}/lib/private/foo`).uid}`, inUse[0]?.user);
});

test('a lock of another allocator is waited for, and one of a dead holder expires', async context => {
  const setup = openSetup(context);
  await setup.prepare(userOf(OLD), ['foo']);
  const lock = `${setup.root}/lib/private/${lockName('foo')}`;
  const base = await HeldDirectory.makeBase(`${setup.root}/lib`, 'stateDirectory');
  try {
    mkdirSync(lock);
    const take = (waitMs: number) => lockTrees(base, ['foo/bar'], () => {}, { staleMs: 2_000, waitMs });
    await assert.rejects(take(200), refusedBecause(/is being handed over by another, who took longer than 0\.2 s/));
    assert.deepEqual(readdirSync(`${setup.root}/lib/private`).sort(), [lockName('foo'), 'foo'].sort());
    const longAgo = Date.now() / 1000 - 60;
    utimesSync(lock, longAgo, longAgo);
    const taken = await take(5_000);
    assert.deepEqual(readdirSync(`${setup.root}/lib/private`).length, 3);
    await taken[Symbol.asyncDispose]();
    assert.deepEqual(readdirSync(`${setup.root}/lib/private`), ['foo']);
  } finally {
    base.close();
  }
});

test('runtime directories go with their user, without a link that dangles; preserved ones and shared ones stay', async context => {
  const setup = openSetup(context);
  const run = `${setup.root}/run`;
  await setup.prepare(userOf(NEW), ['gone:alias', 'gone/sub:x/alias', 'nested/deep'], { kind: 'runtime' });
  await setup.prepare(userOf(NEW), ['kept:kept-alias'], { kind: 'runtime', preserveRuntime: true });
  shell(run, 'mkdir -p gone/a/b; touch gone/a/b/c; ln -s /etc gone/a/etc; mkfifo gone/sub/fifo');
  const directories = [
    leased(setup, 'runtime', 'gone', { aliases: ['alias'] }),
    leased(setup, 'runtime', 'gone/sub', { aliases: ['x/alias'] }),
    leased(setup, 'runtime', 'nested/deep'),
    leased(setup, 'runtime', 'kept', { preserved: true, aliases: ['kept-alias'] }),
  ];
  const other = (): readonly DirectoriesInUse[] => [
    { user: userOf(OLD).name, directories: [leased(setup, 'runtime', 'nested')] },
  ];
  await setup.directories.cleanUp(directories, other);
  assert.deepEqual(
    ['gone', 'nested/deep'].map(path => existsSync(`${run}/${path}`)),
    [false, true],
  );
  for (const times of ['once', 'again']) {
    await setup.directories.cleanUp(directories, NONE);
    assert.equal(
      shell(run, 'find . -mindepth 1 | sort'),
      './kept\n./kept-alias\n./nested\n./private\n./private/kept\n./x\n',
      times,
    );
  }

  const dropped = { ...leased(setup, 'runtime', 'kept', { aliases: ['kept-alias'] }), preserved: false };
  await setup.directories.cleanUp([dropped], NONE);
  assert.equal(shell(run, 'find . -xtype l'), '', 'no link dangles');
  assert.equal(existsSync(`${run}/private/kept`), false);
});
