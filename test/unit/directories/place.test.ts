/** Trees and links are put where the plan has them; what has changed since stops it, and everything is where it was. */
import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { placeAll, takeBack } from '../../../src/directories/apply/place.ts';
import { OpenBases } from '../../../src/directories/held-directory.ts';
import { inspect } from '../../../src/directories/observe/inspect.ts';
import { layoutOf } from '../../../src/directories/plan/layout.ts';
import { type PlannedPlace, planPlace } from '../../../src/directories/plan/plan.ts';
import { depsOver, openBelow, requested, temporaryRoot } from './fixture.ts';

/** @returns where the directories of a request are to be, by what is there now */
async function planned(root: string, values: readonly string[], dynamic: boolean): Promise<readonly PlannedPlace[]> {
  const deps = depsOver(root);
  const directories = requested(values);
  using snapshot = await inspect(deps, directories);
  const places: PlannedPlace[] = [];
  for (const directory of directories) {
    places.push(planPlace(snapshot.of(directory), places, directory, layoutOf(directory, dynamic, deps.bases)));
  }
  return places;
}

/** @returns the paths of the tops, in order; nothing is open afterwards */
async function place(root: string, plan: readonly PlannedPlace[]): Promise<readonly string[]> {
  using bases = new OpenBases(depsOver(root).bases);
  const tops = await placeAll(bases, plan);
  return plan.map(tree => {
    using top = tops.get(tree);
    return top?.path ?? 'none';
  });
}

/** @returns all names below a directory, with the texts of links, which are not followed */
function listing(root: string, below = ''): readonly string[] {
  return readdirSync(`${root}/${below}`, { withFileTypes: true })
    .flatMap(entry => {
      const name = `${below}${entry.name}`;
      const text = entry.isSymbolicLink() ? ` -> ${readlinkSync(`${root}/${name}`)}` : '';
      return [`${name}${text}`, ...(entry.isDirectory() ? listing(root, `${name}/`) : [])];
    })
    .sort();
}

function closed(context: TestContext): string {
  const root = temporaryRoot(context);
  context.after(() => assert.deepEqual(openBelow(root), [], 'all that was opened is closed'));
  return root;
}

test('a tree that is missing is made for nobody to enter yet, then its links', async context => {
  const root = closed(context);
  assert.deepEqual(await place(root, await planned(root, ['a/b:alias'], true)), [`${root}/private/a/b`]);
  const made = ['a', 'a/b -> ../private/a/b', 'alias -> a/b', 'private', 'private/a', 'private/a/b'];
  assert.deepEqual(listing(root), made);
  assert.equal(lstatSync(`${root}/private/a/b`).mode & 0o7777, 0o700);
});

test('a tree is moved between its places as it is, with the links that lead to it', async context => {
  const root = closed(context);
  mkdirSync(`${root}/web/inner`, { recursive: true });
  const { ino } = statSync(`${root}/web`);
  assert.deepEqual(await place(root, await planned(root, ['web:alias'], true)), [`${root}/private/web`]);
  const there = ['alias -> web', 'private', 'private/web', 'private/web/inner', 'web -> private/web'];
  assert.deepEqual(listing(root), there);
  assert.equal(statSync(`${root}/private/web`).ino, ino);
  assert.deepEqual(await place(root, await planned(root, ['web:alias'], false)), [`${root}/web`]);
  assert.deepEqual(listing(root), ['alias -> web', 'private', 'web', 'web/inner']);
  assert.equal(statSync(`${root}/web`).ino, ino);
});

test('what is in its place stays, and is opened', async context => {
  const root = closed(context);
  await place(root, await planned(root, ['web', 'web/part'], true));
  const before = listing(root);
  const again = await planned(root, ['web', 'web/part'], true);
  assert.deepEqual(
    again.map(({ placement }) => placement.tree),
    ['keep', 'keep'],
  );
  assert.deepEqual(await place(root, again), [`${root}/private/web`, `${root}/private/web/part`]);
  assert.deepEqual(listing(root), before);
});

/** What may happen between the plan and its work, and what it is told as; a tree "web" was planned behind one that is made and one that moves. */
const CHANGES: readonly (readonly [what: string, dynamic: boolean, change: (root: string) => void, reason: RegExp])[] =
  [
    [
      'a tree was exchanged',
      false,
      root => {
        renameSync(`${root}/private/web`, `${root}/private/old`);
        mkdirSync(`${root}/private/web`);
      },
      /\/web was replaced while it was put in its place: try again$/,
    ],
    [
      'a tree is gone that was to be moved',
      false,
      root => rmdirSync(`${root}/private/web`),
      /^rename .*\/private\/web to .*\/web: no such file or directory \(ENOENT\)$/,
    ],
    [
      'a tree is gone that was in its place',
      true,
      root => rmdirSync(`${root}/private/web`),
      /\/private\/web was removed the moment it was put in its place$/,
    ],
    [
      'a link leads elsewhere',
      false,
      root => {
        rmSync(`${root}/web`);
        symlinkSync('/etc', `${root}/web`);
      },
      /\/web was replaced meanwhile: try again$/,
    ],
    ['a link is gone', false, root => rmSync(`${root}/web`), /^readlink .*\/web: no such file/],
    [
      'the name of a link is taken',
      true,
      root => writeFileSync(`${root}/alias`, ''),
      /^symlink .*\/alias: file already exists \(EEXIST\)$/,
    ],
  ];

for (const [what, dynamic, change, reason] of CHANGES) {
  test(`if ${what} since the plan, all is taken back`, async context => {
    const root = closed(context);
    mkdirSync(`${root}/private/web`, { recursive: true });
    symlinkSync('private/web', `${root}/web`);
    mkdirSync(`${root}/${dynamic ? '' : 'private/'}moves`);
    const plan = await planned(root, ['fresh:new', 'moves', 'web:alias'], dynamic);
    change(root);
    const before = listing(root);
    await assert.rejects(place(root, plan), error => {
      assert.ok(error instanceof DynuserError);
      assert.deepEqual([error.code, error.detail.field], ['DirectoryFailed', 'stateDirectory']);
      assert.match(error.message, reason);
      return true;
    });
    assert.deepEqual(listing(root), before);
  });
}

test('a tree that somebody else has made since the plan is left alone', async context => {
  const root = closed(context);
  const plan = await planned(root, ['web'], false);
  mkdirSync(`${root}/web/theirs`, { recursive: true });
  await assert.rejects(place(root, plan), { message: `${root}/web was made by somebody else meanwhile: try again` });
  assert.deepEqual(listing(root), ['web', 'web/theirs']);
});

test('takes steps back in reverse, all of them, and says which could not be', async () => {
  const done: number[] = [];
  const undo = [
    async () => void done.push(1),
    async () => {
      throw new Error('rmdir: busy');
    },
    async () => void done.push(3),
  ];
  const error = new DynuserError('DirectoryFailed', 'no', { field: 'stateDirectory' });
  const thrown = await takeBack(undo, error);
  assert.deepEqual(done, [3, 1]);
  assert.ok(thrown instanceof DynuserError);
  assert.equal(thrown.message, 'no; and not all could be put back: rmdir: busy');
  assert.deepEqual(thrown.detail, { field: 'stateDirectory' });
  assert.equal(await takeBack(undo, error), error, 'and only once');
});

test('an error that is not about a directory stays as it is, whatever could not be taken back', async () => {
  const error = new TypeError('a slip');
  assert.equal(await takeBack([() => Promise.reject(new Error('rmdir: busy'))], error), error);
});
