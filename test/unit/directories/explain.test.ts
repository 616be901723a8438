/** What is told of a tree that takes longer to count than anybody waits. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { DirectoryDeps } from '../../../src/directories/deps.ts';
import { explainDirectories } from '../../../src/directories/explain.ts';
import { Activity } from '../../../src/directories/observe/activity.ts';
import { MapSupport } from '../../../src/directories/observe/map-support.ts';
import { requestedDirectories } from '../../../src/directories/plan/request.ts';
import type { TreeHelper } from '../../../src/directories/tree-helper.ts';
import { gid, uid, userName } from '../allocator/fakes.ts';

const COUNT_MS = 20;

function explainWeb(context: TestContext, count: TreeHelper['count'], verify = false) {
  const root = mkdtempSync(`${tmpdir()}/dynuser-explain-`);
  context.after(() => rmSync(root, { recursive: true }));
  mkdirSync(`${root}/web`);
  const deps: DirectoryDeps = {
    bases: { runtime: root, state: root, cache: root, logs: root },
    helper: { count } as TreeHelper,
    mapSupport: new MapSupport(async () => false),
    hints: { read: async () => undefined, write: async () => {} },
    inspector: { inspect: async () => undefined },
    activity: new Activity(),
  };
  const directories = requestedDirectories(
    { runtime: [], state: ['web'], cache: [], logs: [] },
    { modes: {}, preserveRuntime: false },
  );
  // Owned by whoever runs this, so that only verifying walks it.
  const { uid: owner, gid: group } = statSync(root);
  const user = { name: userName('web'), uid: uid(owner), gid: gid(group), dynamic: false };
  return explainDirectories(deps, directories, user, { makesMounts: false, verify, live: () => [] }, COUNT_MS);
}

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
  const counted = { inodes: 5, changed: 2, left: 0, leftPaths: [], mounts: 0, mountPaths: [] };
  const [web] = await explainWeb(context, async () => counted);
  assert.deepEqual([web?.inodes, web?.changes, web?.counted], [5, 0, 'all']);
});
