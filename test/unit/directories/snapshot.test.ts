/** What an inspection sees, and what can be told from that: by the helper's answer or, without one, by steps of our own. */
import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { DirectoryStatus, PathStatus, RequestedDirectory } from '../../../src/core/directory.ts';
import type { DirectoryDeps } from '../../../src/directories/deps.ts';
import { SNAPSHOT_FRESH_MS } from '../../../src/directories/limits.ts';
import { inspect } from '../../../src/directories/observe/inspect.ts';
import { RequestSnapshot } from '../../../src/directories/observe/snapshot.ts';
import { uid } from '../allocator/fakes.ts';
import { depsOver, openBelow, requested, temporaryRoot } from './fixture.ts';

const NOTHING: PathStatus = { kind: 'nothing' };

function setup(context: TestContext, more: Partial<DirectoryDeps> = {}) {
  const root = temporaryRoot(context);
  context.after(() => assert.deepEqual(openBelow(root), []));
  return { root, deps: depsOver(root, more) };
}

/** As fstat(2) has it. */
function statusOf(path: string, ownerHint: DirectoryStatus['ownerHint'] = 'none'): DirectoryStatus {
  const { uid: owner, gid, mode, dev, ino } = statSync(path, { bigint: true });
  const ids = { uid: Number(owner), gid: Number(gid), mode: Number(mode) & 0o7777 };
  return { kind: 'directory', ...ids, device: String(dev), inode: String(ino), ownerHint };
}

function only(directories: readonly RequestedDirectory[]): RequestedDirectory {
  const [directory] = directories;
  assert.ok(directory !== undefined);
  return directory;
}

test('without an answer of the helper each place is looked at here, down to the first that is not a directory', async context => {
  const hints: number[] = [];
  const { root, deps } = setup(context, {
    hints: {
      read: async descriptor => {
        hints.push(descriptor);
        return uid(61_500);
      },
      write: async () => {},
    },
  });
  mkdirSync(`${root}/private/a/b`, { recursive: true });
  mkdirSync(`${root}/a`);
  symlinkSync('../private/a/b', `${root}/a/b`);
  writeFileSync(`${root}/alias`, '');
  const directories = requested(['a/b:alias:', 'a/b:x/y']);
  using snapshot = await inspect(deps, directories);
  const seen = snapshot.of(only(directories));
  const hinted = ['private', 'private/a', 'private/a/b'].map(path => statusOf(`${root}/${path}`, uid(61_500)));
  assert.deepEqual(seen.directoriesAlong(['private', 'a', 'b']), hinted);
  assert.deepEqual(seen.at(['private', 'a', 'b']), hinted[2]);
  assert.deepEqual(seen.at(['a', 'b']), { kind: 'link', text: '../private/a/b' });
  assert.deepEqual(seen.directoriesAlong(['a', 'b']), [statusOf(`${root}/a`, uid(61_500))]);
  assert.deepEqual(seen.at(['alias']), { kind: 'other' });
  assert.deepEqual(seen.at(['x', 'y']), NOTHING);
  assert.equal(hints.length, 4, 'each directory is asked for its hint');
});

test('of a base that is missing there is nothing', async context => {
  const { root, deps } = setup(context);
  const directories = requested(['web']);
  using snapshot = await inspect({ ...deps, bases: { ...deps.bases, state: `${root}/missing` } }, directories);
  const seen = snapshot.of(only(directories));
  assert.deepEqual([seen.at(['web']), seen.at(['private', 'web'])], [NOTHING, NOTHING]);
});

test('what cannot be inspected is an error of the plan that needs it, and of nothing before', async context => {
  const { root, deps } = setup(context);
  writeFileSync(`${root}/file`, '');
  const directories = requested(['web']);
  const bases = { ...deps.bases, state: `${root}/file` };
  using snapshot = await inspect({ ...deps, bases }, directories);
  const seen = snapshot.of(only(directories));
  assert.throws(() => seen.at(['web']), { name: 'DynuserError', message: /^open .*\/file: not a directory/ });
  assert.deepEqual(seen.directoriesAlong(['web']), []);
  assert.deepEqual(snapshot.owners, []);
});

test('the answer of the helper is taken as it is; one that fails ends the inspection', async context => {
  const asked: unknown[] = [];
  const { root, deps } = setup(context, {
    inspector: {
      inspect: async (base, paths) => {
        asked.push([base, paths]);
        return paths.map(() => [{ kind: 'other' }]);
      },
    },
  });
  const directories = requested(['a:x']);
  using snapshot = await inspect(deps, directories);
  assert.deepEqual(asked, [[root, ['private/a', 'a', 'x']]]);
  assert.deepEqual(snapshot.of(only(directories)).at(['x']), { kind: 'other' });
  const failing = { ...deps, inspector: { inspect: () => Promise.reject(new Error('broken')) } };
  await assert.rejects(inspect(failing, directories), /broken/);
});

/** @returns a snapshot of one directory "web", of which this is found */
function snapshotOf(tree: PathStatus, open: PathStatus, directories = requested(['web'])) {
  const root = '/base';
  const found = new Map<string, readonly PathStatus[]>([
    ['private/web', [{ ...DIRECTORY, mode: 0o700 }, tree]],
    ['web', [open]],
  ]);
  const inspector = {
    inspect: async (_: string, paths: readonly string[]) => paths.map(path => found.get(path) ?? []),
  };
  return inspect(depsOver(root, { inspector }), directories);
}

const DIRECTORY: DirectoryStatus = {
  ...{ kind: 'directory', uid: 0, gid: 0, mode: 0o755, device: '1', inode: '2', ownerHint: 'none' },
};
const owned = (owner: number, ownerHint: DirectoryStatus['ownerHint'] = 'none'): PathStatus => {
  return { ...DIRECTORY, uid: owner, gid: owner, ownerHint };
};

for (const [what, tree, open, owners] of [
  ['the owner of the tree', owned(61_500), { kind: 'link', text: 'private/web' }, [61_500]],
  ['the owner of a tree at its public path', NOTHING, owned(61_501), [61_501]],
  ['of two trees the private one’s', owned(61_500), owned(61_501), [61_500]],
  ['who a mapped tree was shown as last', owned(65_534, uid(61_502)), NOTHING, [61_502]],
  ['nobody for a mapped tree without a hint', owned(65_534), NOTHING, []],
  ['nobody for a mapped tree that can have none', owned(65_534, 'unsupported'), NOTHING, []],
  ['not the hint of a tree that has an owner on disk', owned(61_500, uid(61_502)), NOTHING, [61_500]],
  ['nobody if there is no tree', NOTHING, NOTHING, []],
  ['nobody for what is not a directory', { kind: 'other' }, owned(61_501), []],
] as const satisfies readonly (readonly [string, PathStatus, PathStatus, readonly number[]])[]) {
  test(`the first candidates have ${what}`, async () => {
    using snapshot = await snapshotOf(tree, open);
    assert.deepEqual(snapshot.owners, owners);
  });
}

test('a snapshot is of the directories that it was made for', async () => {
  const directories = requested(['web']);
  using snapshot = await snapshotOf(NOTHING, NOTHING, directories);
  assert.equal(snapshot.covers(directories), true);
  assert.equal(snapshot.covers([]), true);
  const other = only(requested(['other']));
  assert.equal(snapshot.covers([...directories, other]), false);
  assert.throws(() => snapshot.of(other), { name: 'TypeError', message: '/var/lib/other was not inspected' });
  const seen = snapshot.of(only(directories));
  assert.throws(() => seen.at(['elsewhere']), { name: 'TypeError', message: 'elsewhere was not inspected' });
});

test('a snapshot holds for its time, and while nobody works on its directories', () => {
  const { bases, activity } = depsOver('/base');
  const directories = requested(['web']);
  const begun = (ago: number) =>
    new RequestSnapshot(bases, new Map(), { watch: activity.watch(directories), since: performance.now() - ago });
  assert.equal(begun(SNAPSHOT_FRESH_MS).isCurrent, false);
  // As from a moment that is to come: however long this takes, it is fresh.
  const snapshot = begun(-60_000);
  assert.equal(snapshot.isCurrent, true);
  activity.begin(directories);
  assert.equal(snapshot.isCurrent, false);
});

test('work that begins after the end of a snapshot is nothing to it', () => {
  const { bases, activity } = depsOver('/base');
  const directories = requested(['web']);
  const watch = activity.watch(directories);
  const snapshot = new RequestSnapshot(bases, new Map(), { watch, since: performance.now() });
  snapshot[Symbol.dispose]();
  activity.begin(directories);
  assert.equal(watch.isUndisturbed, true);
});
