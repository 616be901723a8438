/** Directories for callers that make no mounts: at their public paths while a lease has them, private after. */
import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import type { DirectoriesOfLease, DirectoryUser, PrepareOptions } from '../../../src/allocator/directory-ports.ts';
import type { DirectoriesInUse } from '../../../src/core/directory.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { shell } from '../../native/tree/fixture.ts';
import { NEW, NONE, OLD, openSetup, type Setup, userOf } from './fixture.ts';

const EXPOSED = { expose: true, modes: { state: 0o777 } };
const STATIC = userOf(1_234, false);

const holds = (user: DirectoryUser, prepared: DirectoriesOfLease) => (): readonly DirectoriesInUse[] => [
  { user: user.name, directories: prepared.directories },
];

function tree(setup: Setup): string {
  return shell(`${setup.root}/lib`, 'find . -mindepth 1 -printf "%y %U %m %p %l\\n" | sort -k4');
}

function failure(reason: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof DynuserError, String(error));
    assert.deepEqual([error.code, error.detail.field], ['DirectoryFailed', 'stateDirectory']);
    assert.match(error.message, reason);
    return true;
  };
}

const OUT = [
  `d ${NEW} 700 ./foo `,
  `d ${NEW} 700 ./foo/part `,
  `f ${NEW} 644 ./foo/part/file `,
  'l 0 777 ./alias foo',
  'd 0 700 ./private ',
];
const BACK = [
  'l 0 777 ./foo private/foo',
  'l 0 777 ./alias foo',
  'd 0 700 ./private ',
  `d ${NEW} 700 ./private/foo `,
  `d ${NEW} 700 ./private/foo/part `,
  `f ${NEW} 644 ./private/foo/part/file `,
];
const listed = (lines: readonly string[]) => {
  return `${lines.toSorted((one, other) => ((one.split(' ')[3] ?? '') < (other.split(' ')[3] ?? '') ? -1 : 1)).join('\n')}\n`;
};

test('goes out by rename for the user alone, and back with its links when the last lease ends', async context => {
  const setup = openSetup(context);
  await setup.prepare(STATIC, ['foo', 'foo/part']);
  writeFileSync(`${setup.root}/lib/foo/part/file`, 'data');
  const { ino } = lstatSync(`${setup.root}/lib/foo`);
  const user = userOf(NEW);
  const prepared = await setup.prepare(user, ['foo:alias', 'foo/part'], { ...EXPOSED, makesMounts: false });
  const found = prepared.directories.map(({ publicPath, realPath, handover, exposed, inode }) => {
    return { same: publicPath === realPath, handover, exposed, inode };
  });
  assert.deepEqual(found[0], { same: true, handover: 'chown', exposed: true, inode: String(ino) });
  assert.equal(found[1]?.same, true);
  assert.equal(tree(setup), listed(OUT));
  await setup.directories.cleanUp(prepared.directories, holds(user, prepared));
  assert.equal(tree(setup), listed(OUT), 'another lease has it');
  for (let times = 0; times < 2; times++) {
    await setup.directories.cleanUp(prepared.directories, NONE);
    assert.equal(tree(setup), listed(BACK));
    assert.equal(lstatSync(`${setup.root}/lib/private/foo`).ino, ino, 'nothing was copied');
  }
});

test('is made, and left out where it was removed meanwhile', async context => {
  const setup = openSetup(context);
  const prepared = await setup.prepare(userOf(NEW), ['deep/foo'], EXPOSED);
  assert.equal(lstatSync(`${setup.root}/lib/deep/foo`).mode & 0o7777, 0o700);
  rmSync(`${setup.root}/lib/deep/foo`, { recursive: true });
  await setup.directories.cleanUp(prepared.directories, NONE);
  assert.ok(!existsSync(`${setup.root}/lib/private/deep/foo`));
});

test('of a static user, and of what goes with its user, nothing is exposed that is not public anyway', async context => {
  const setup = openSetup(context);
  const { directories } = await setup.prepare(STATIC, ['foo'], EXPOSED);
  assert.deepEqual([directories[0]?.exposed, lstatSync(`${setup.root}/lib/foo`).mode & 0o7777], [false, 0o777]);
  const transient = await setup.prepare(userOf(NEW), ['foo'], { kind: 'runtime', expose: true });
  assert.equal(transient.directories[0]?.exposed, false);
});

test('a second lease of the same user shares it where it is; one of another kind, user or part does not', async context => {
  const setup = openSetup(context);
  const user = userOf(NEW);
  const prepared = await setup.prepare(user, ['foo', 'foo/part'], EXPOSED);
  writeFileSync(`${setup.root}/lib/foo/part/file`, 'data');
  const live = holds(user, prepared);
  // A rename changes it: the tree was not even moved away and back from under its processes.
  const changed = () => lstatSync(`${setup.root}/lib/foo`, { bigint: true }).ctimeNs;
  const before = tree(setup);
  const first = changed();
  await setup.prepare(user, ['foo', 'foo/part'], { ...EXPOSED, live });
  assert.equal(changed(), first);
  const again = await setup.prepare(user, ['foo', 'foo/part', 'foo/more'], { ...EXPOSED, live });
  assert.deepEqual(
    again.directories.map(({ handover }) => handover),
    ['none', 'chown', 'none'],
  );
  rmSync(`${setup.root}/lib/foo/more`, { recursive: true });
  const since = changed();
  const refused: [DirectoryUser, string, Partial<PrepareOptions> & { expose?: boolean }, RegExp][] = [
    [user, 'foo', { live }, /is in use by user-\d+, for which it is exposed at its public path/],
    [user, 'foo', { live, makesMounts: true }, /for which it is exposed at its public path/],
    [user, 'foo/part', { live, expose: true }, /for which foo is exposed: a lease can share that whole/],
    [userOf(OLD), 'foo', { live, expose: true }, /another user/],
  ];
  for (const [who, source, options, reason] of refused) {
    await assert.rejects(setup.prepare(who, [source], options), failure(reason));
    assert.deepEqual([tree(setup), changed()], [before, since]);
  }
});

test('what a lease has as a private directory is not exposed meanwhile', async context => {
  const setup = openSetup(context);
  const user = userOf(NEW);
  const live = holds(user, await setup.prepare(user, ['foo']));
  const before = tree(setup);
  await assert.rejects(setup.prepare(user, ['foo'], { expose: true, live }), failure(/it cannot be exposed meanwhile/));
  assert.equal(tree(setup), before);
});

test('a directory that was exposed when the host went down is taken up by its user and by another', async context => {
  for (const next of [userOf(NEW), userOf(OLD)]) {
    const setup = openSetup(context);
    await setup.prepare(userOf(NEW), ['foo:alias'], EXPOSED);
    writeFileSync(`${setup.root}/lib/foo/file`, 'data');
    chownSync(`${setup.root}/lib/foo/file`, NEW, NEW);
    const { ino } = lstatSync(`${setup.root}/lib/foo`);
    const { directories } = await setup.prepare(next, ['foo:alias']);
    assert.equal(directories[0]?.handover, next.uid === NEW ? 'none' : 'chown');
    assert.equal(readlinkSync(`${setup.root}/lib/foo`), 'private/foo');
    assert.equal(readlinkSync(`${setup.root}/lib/alias`), 'foo');
    assert.deepEqual(
      [lstatSync(`${setup.root}/lib/private/foo`).ino, lstatSync(`${setup.root}/lib/foo/file`).uid],
      [ino, next.uid],
    );
  }
});

test('a lease that was not written exposes nothing, and what is in the way leaves all private', async context => {
  const setup = openSetup(context);
  await setup.prepare(userOf(OLD), ['foo', 'zoo']);
  const requested = setup.directories.requested(
    { runtime: [], state: ['foo', 'zoo'], cache: [], logs: [] },
    { modes: {}, preserveRuntime: false, expose: true },
  );
  const options = { makesMounts: false, verify: false, live: NONE };
  const [expected] = await setup.directories.explain(requested, userOf(NEW), options);
  assert.equal(expected?.realPath, `${setup.root}/lib/foo`, 'it is said beforehand where it will be');
  const unwritten = await setup.directories.prepare(requested, userOf(NEW), options);
  await unwritten[Symbol.asyncDispose]();
  assert.equal(readlinkSync(`${setup.root}/lib/foo`), 'private/foo');
  {
    await using obstructed = await setup.directories.prepare(requested, userOf(NEW), options);
    // After all was looked at: what only somebody with root's rights can do.
    rmSync(`${setup.root}/lib/zoo`);
    mkdirSync(`${setup.root}/lib/zoo`);
    obstructed.commit();
    await assert.rejects(obstructed.publish(), failure(/there are two directories/));
  }
  assert.equal(readlinkSync(`${setup.root}/lib/foo`), 'private/foo', 'the first is back');
  assert.equal(lstatSync(`${setup.root}/lib/private/zoo`).uid, NEW);
});

test('what cannot go back says why, stays where it is, and goes back once it can', async context => {
  const setup = openSetup(context);
  const { directories } = await setup.prepare(userOf(NEW), ['foo', 'foo/part:alias'], EXPOSED);
  writeFileSync(`${setup.root}/lib/foo/file`, 'data');
  rmSync(`${setup.root}/lib/alias`);
  symlinkSync('elsewhere', `${setup.root}/lib/alias`);
  const before = tree(setup);
  await assert.rejects(
    setup.directories.cleanUp(directories, NONE),
    failure(/alias is a symlink to elsewhere, and in the way/),
  );
  assert.equal(tree(setup), before);
  rmSync(`${setup.root}/lib/alias`);
  await setup.directories.cleanUp(directories, NONE);
  assert.equal(readlinkSync(`${setup.root}/lib/alias`), 'foo/part');
  assert.equal(readFileSync(`${setup.root}/lib/alias/../file`, 'utf8'), 'data');
});
