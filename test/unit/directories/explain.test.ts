/** What would become of a request's directories, also of a tree that takes longer to count than anybody waits. */
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { DirectorySettings } from '../../../src/core/directory.ts';
import { explainDirectories } from '../../../src/directories/explain.ts';
import type { TreeHelper } from '../../../src/directories/tree-helper.ts';
import { gid, uid, userName } from '../allocator/fakes.ts';
import { depsOver, openBelow, requested, temporaryRoot } from './fixture.ts';

const COUNT_MS = 20;
const COUNTED = { inodes: 5, changed: 2, leftPaths: [], mountPaths: [] };

interface Asked {
  readonly verify?: boolean;
  readonly dynamic?: boolean;
  readonly values?: readonly string[];
  readonly settings?: Partial<DirectorySettings>;
  /** whether a directory "web" is there, of whoever runs this */
  readonly isThere?: boolean;
}

/** Explains directories over a base with a tree "web". A static user is whoever runs this, so that only verifying walks it. */
async function explain(context: TestContext, count: TreeHelper['count'], asked: Asked = {}) {
  const { verify = false, dynamic = false, values = ['web'], settings = {}, isThere = true } = asked;
  const root = temporaryRoot(context);
  if (isThere) {
    mkdirSync(`${root}/web`);
  }
  const deps = depsOver(root, { helper: { count } as TreeHelper });
  const { uid: owner, gid: group } = statSync(root);
  const number = dynamic ? 61_500 : undefined;
  const user = { name: userName('web'), uid: uid(number ?? owner), gid: gid(number ?? group), dynamic };
  const options = { makesMounts: false, verify, live: () => [] };
  const expected = await explainDirectories(deps, requested(values, settings), user, options, COUNT_MS);
  assert.deepEqual(openBelow(root), []);
  return { root, owner, expected };
}

const explainWeb = async (context: TestContext, count: TreeHelper['count'], verify = false) =>
  (await explain(context, count, { verify })).expected;

test('what was counted until then', async context => {
  const [web] = await explainWeb(
    context,
    (_top, _uid, _gid, { onProgress, signal }) =>
      new Promise((_resolve, reject) => {
        onProgress?.({ inodes: 7, changed: 3 });
        // As a helper does that still runs, it keeps this process alive.
        const running = setTimeout(reject, 5_000, new Error('was never given up'));
        signal?.addEventListener('abort', () => {
          clearTimeout(running);
          reject(new Error('was given up'));
        });
      }),
    true,
  );
  assert.deepEqual([web?.inodes, web?.changes, web?.counted], [7, 3, 'some']);
});

test('an error of the count is one of the answer', async context => {
  await assert.rejects(
    explainWeb(context, async () => {
      throw new Error('input/output error');
    }),
    /input\/output error/,
  );
});

test('a count that ends is of all, and a tree that is not walked changes nothing', async context => {
  const [web] = await explainWeb(context, async () => COUNTED);
  assert.deepEqual([web?.inodes, web?.changes, web?.counted], [5, 0, 'all']);
});

test('a tree is told with its places, its owner, and what its handover would change', async context => {
  const counts: unknown[] = [];
  const count: TreeHelper['count'] = async (top, owner, group) => {
    counts.push([top.path.split('/').at(-1), owner, group]);
    return COUNTED;
  };
  const { root, owner, expected } = await explain(context, count, { dynamic: true, values: ['web:alias:ro'] });
  assert.deepEqual(expected, [
    {
      ...{ kind: 'state', source: 'web', publicPath: `${root}/web`, realPath: `${root}/private/web` },
      ...{ readOnly: true, aliases: ['alias'], handover: 'chown' },
      ...{ owner, inodes: 5, changes: 2, counted: 'all' },
    },
  ]);
  assert.deepEqual(counts, [['web', 61_500, 61_500]]);
});

test('a tree that would be made has no owner, and is the one inode that changes; a part says of what', async context => {
  const { root, expected } = await explain(context, () => assert.fail('there is nothing to count'), {
    ...{ dynamic: true, isThere: false, values: ['web', 'web/part'] },
  });
  const made = {
    kind: 'state',
    readOnly: false,
    aliases: [],
    handover: 'chown',
    inodes: 0,
    changes: 1,
    counted: 'all',
  };
  assert.deepEqual(expected, [
    { ...made, source: 'web', publicPath: `${root}/web`, realPath: `${root}/private/web` },
    {
      ...{ ...made, source: 'web/part', publicPath: `${root}/web/part`, realPath: `${root}/private/web/part` },
      within: `${root}/web`,
    },
  ]);
});

test('what would be exposed is told at its public path', async context => {
  const { root, expected } = await explain(context, async () => COUNTED, { dynamic: true, settings: { expose: true } });
  assert.deepEqual(
    expected.map(({ publicPath, realPath }) => [publicPath, realPath]),
    [[`${root}/web`, `${root}/web`]],
  );
});

test('who verifies is told of what is wrong in a tree that has its owner', async context => {
  const [web] = await explainWeb(context, async () => COUNTED, true);
  assert.deepEqual([web?.handover, web?.changes], ['none', 2]);
});
