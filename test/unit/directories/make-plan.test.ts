/** Before a plan is made it is found out which file systems make id-mapped mounts: of those alone that it depends on. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { PathStatus, RequestedDirectory } from '../../../src/core/directory.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { OpenBases } from '../../../src/directories/held-directory.ts';
import { makePlan } from '../../../src/directories/make-plan.ts';
import { inspect } from '../../../src/directories/observe/inspect.ts';
import { MapSupport } from '../../../src/directories/observe/map-support.ts';
import { gid, uid, userName } from '../allocator/fakes.ts';
import { depsOver, openBelow, requested, temporaryRoot } from './fixture.ts';

const OURS = 61_500;

interface Asked {
  readonly makesMounts?: boolean;
  readonly dynamic?: boolean;
  readonly directories?: readonly RequestedDirectory[];
  /** what an inspection finds at these paths below the base, whatever there is; all others are nothing */
  readonly found?: Readonly<Record<string, PathStatus>>;
  readonly canMap?: boolean;
  /** the base below the root */
  readonly base?: string;
}

function directory(owner: number, device = '1', mode = 0o755): PathStatus {
  return { kind: 'directory', uid: owner, gid: owner, mode, device, inode: '2', ownerHint: 'none' };
}

/** Plans, and tells which directories were tried for id-mapped mounts. */
async function plan(root: string, asked: Asked) {
  const { makesMounts = true, dynamic = true, canMap = true, found = {}, base = '' } = asked;
  const directories = asked.directories ?? requested(['web']);
  const tried: string[] = [];
  const path = base === '' ? root : `${root}/${base}`;
  const deps = depsOver(path, {
    mapSupport: new MapSupport(async ({ path: opened }) => {
      tried.push(opened === root ? '.' : opened.slice(root.length + 1));
      return canMap;
    }),
    inspector: { inspect: async (_base, paths) => paths.map(text => along(text.split('/'), found)) },
  });
  using snapshot = await inspect(deps, directories);
  using bases = new OpenBases(deps.bases);
  const user = { name: userName('web'), uid: uid(OURS), gid: gid(OURS), dynamic };
  const request = { directories, user, makesMounts, verify: false };
  const { trees } = await makePlan(deps, bases, snapshot, request, () => []);
  return { tried, handovers: trees.map(({ handover }) => handover.kind) };
}

function along(components: readonly string[], found: Readonly<Record<string, PathStatus>>): readonly PathStatus[] {
  const statuses: PathStatus[] = [];
  for (let depth = 1; depth <= components.length; depth++) {
    const status = found[components.slice(0, depth).join('/')] ?? { kind: 'nothing' };
    statuses.push(status);
    if (status.kind !== 'directory') {
      break;
    }
  }
  return statuses;
}

const PRIVATE = directory(0, '1', 0o700);

function rootWith(context: TestContext, ...paths: readonly string[]): string {
  const root = temporaryRoot(context);
  context.after(() => assert.deepEqual(openBelow(root), []));
  for (const path of paths) {
    mkdirSync(`${root}/${path}`, { recursive: true });
  }
  return root;
}

for (const [what, paths, found, tried] of [
  ['the tree', ['private/web'], { private: PRIVATE, 'private/web': directory(0) }, ['private/web']],
  ['the tree at its public path', ['web'], { web: directory(0) }, ['web']],
  ['<base>/private, where the tree is to be made', ['private'], { private: PRIVATE }, ['private']],
  ['the base, where there is nothing yet', [], {}, ['.']],
] as const satisfies readonly (readonly [string, readonly string[], Record<string, PathStatus>, readonly string[]])[]) {
  test(`${what} is tried for an id-mapped mount, and decides`, async context => {
    const root = rootWith(context, ...paths);
    assert.deepEqual(await plan(root, { found }), { tried, handovers: ['map'] });
    assert.deepEqual(await plan(root, { found, canMap: false }), { tried, handovers: ['chown'] });
  });
}

test('of a base that is missing the nearest directory above it is tried', async context => {
  const root = rootWith(context, 'var');
  assert.deepEqual(await plan(root, { base: 'var/a/b' }), { tried: ['var'], handovers: ['map'] });
});

test('of a tree below others that is to be made, the deepest directory on its way is tried', async context => {
  const root = rootWith(context, 'private/a');
  const found = { private: PRIVATE, 'private/a': directory(0) };
  const { tried } = await plan(root, { found, directories: requested(['a/b/c']) });
  assert.deepEqual(tried, ['private/a']);
});

for (const [what, asked] of [
  ['for a caller that makes no mounts', { makesMounts: false }],
  ['for a static user', { dynamic: false }],
  ['of a directory that is to be exposed', { directories: requested(['web'], { expose: true }) }],
] as const satisfies readonly (readonly [string, Asked])[]) {
  test(`nothing is tried ${what}`, async context => {
    assert.deepEqual(await plan(rootWith(context), asked), { tried: [], handovers: ['chown'] });
  });
}

test('nothing is tried of a tree that is the user’s already', async context => {
  const found = { private: PRIVATE, 'private/web': directory(OURS) };
  assert.deepEqual(await plan(rootWith(context), { found }), { tried: [], handovers: ['none'] });
});

test('each file system is tried once, and a part goes the way of its tree', async context => {
  const root = rootWith(context, 'private/a/part', 'private/b', 'private/c');
  const found = {
    ...{ private: PRIVATE, 'private/a': directory(0), 'private/a/part': directory(0, '9') },
    ...{ 'private/b': directory(0), 'private/c': directory(0, '2') },
  };
  const { tried, handovers } = await plan(root, { found, directories: requested(['a', 'a/part', 'b', 'c']) });
  assert.deepEqual(
    [tried, handovers],
    [
      ['private/a', 'private/c'],
      ['map', 'map', 'map', 'map'],
    ],
  );
});

test('a tree that is removed before it can be tried is refused by its path', async context => {
  const root = rootWith(context, 'private');
  const found = { private: PRIVATE, 'private/web': directory(0) };
  await assert.rejects(plan(root, { found }), error => {
    assert.ok(error instanceof DynuserError);
    assert.deepEqual([error.code, error.detail.field], ['DirectoryFailed', 'stateDirectory']);
    assert.equal(error.message, `${root}/private/web was removed meanwhile: try again`);
    return true;
  });
  const gone = `${root}/base`;
  await assert.rejects(plan(root, { found, base: 'base' }), {
    message: `${gone}/private/web was removed meanwhile: try again`,
  });
});
