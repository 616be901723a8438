import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { describe, it, type TestContext, test } from 'node:test';
import { type BaseDirectories, PRIVATE } from '../../../src/core/directory-classes.ts';
import { lockName, lockTrees, sweepLocks } from '../../../src/directories/apply/lock.ts';
import { HeldDirectory, OpenBases } from '../../../src/directories/held-directory.ts';
import { sweepTreeLocks } from '../../../src/directories/open-directories.ts';
import { until } from '../../support/until.ts';
import { openBelow, temporaryRoot } from './fixture.ts';

test('each tree has another lock, and the name of each is one component that is short enough', () => {
  assert.equal(lockName('web'), '.web.dynuser-lock');
  assert.equal(lockName('a/b/c'), '.a%2Fb%2Fc.dynuser-lock');
  assert.equal(lockName('a%2Fb'), '.a%252Fb.dynuser-lock', 'and not that of a/b');
  const longest = 'x'.repeat(200);
  assert.equal(lockName(longest), `.${longest}.dynuser-lock`);
  const names = [`${longest}x`, `${longest}y`, 'ü'.repeat(101), `${'x'.repeat(198)}/y`].map(lockName);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    assert.match(name, /^\.[0-9a-f]{64}\.dynuser-lock$/);
  }
});

const STALE_MS = 5_000;

test('locks are in a private directory of root, which the first one makes', async context => {
  const root = temporaryRoot(context);
  using base = (await HeldDirectory.openBase(root, 'stateDirectory')) ?? assert.fail();
  if (process.getuid?.() !== 0) {
    return context.skip("a private directory is root's");
  }
  for (const tree of ['web', 'db']) {
    await using _ = await lockTrees(base, [tree], () => assert.fail('lost'), { staleMs: STALE_MS, waitMs: 0 });
    assert.deepEqual(readdirSync(`${root}/${PRIVATE}`), [`.${tree}.dynuser-lock`]);
    assert.equal(statSync(`${root}/${PRIVATE}`).mode & 0o7777, 0o700);
  }
  assert.deepEqual(readdirSync(`${root}/${PRIVATE}`), []);
});

describe('locks that are left', () => {
  /** @returns a root whose private directory has these locks, each as old as that in milliseconds */
  function leftLocks(context: TestContext, ages: Readonly<Record<string, number>>): string {
    const root = temporaryRoot(context);
    mkdirSync(`${root}/${PRIVATE}`);
    for (const [name, age] of Object.entries(ages)) {
      const path = `${root}/${PRIVATE}/${name}`;
      mkdirSync(path);
      const time = (Date.now() - age) / 1_000;
      utimesSync(path, time, time);
    }
    return root;
  }
  const basesOf = (root: string): BaseDirectories => ({ runtime: root, state: root, cache: root, logs: root });
  const namesIn = (root: string) => readdirSync(`${root}/${PRIVATE}`).sort();

  it('go if nobody can hold them any more; those of others, and what is not a lock, stay', async context => {
    const root = leftLocks(context, { '.old.dynuser-lock': 60_000, '.new.dynuser-lock': 0, tree: 60_000 });
    {
      using bases = new OpenBases(basesOf(root));
      assert.equal(await sweepLocks(bases, STALE_MS), true);
    }
    assert.deepEqual(namesIn(root), ['.new.dynuser-lock', 'tree']);
    assert.deepEqual(openBelow(root), []);
  });

  it('that are of nobody leave nothing to come back for, and neither does a base that is missing', async context => {
    const root = leftLocks(context, { '.old.dynuser-lock': 60_000 });
    using bases = new OpenBases({ ...basesOf(`${root}/nowhere`), state: root });
    assert.equal(await sweepLocks(bases, STALE_MS), false);
    assert.deepEqual(namesIn(root), []);
  });

  it('that are held by one who lives stay, whatever their age', async context => {
    const root = leftLocks(context, {});
    const base = (await HeldDirectory.openBase(root, 'stateDirectory')) ?? assert.fail();
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) {
      base.close();
      return context.skip("a private directory is root's");
    }
    chmodSync(`${root}/${PRIVATE}`, 0o700);
    {
      // It renews its locks at half of this.
      await using _ = await lockTrees(base, ['web/a'], () => assert.fail('lost'), { staleMs: 2_000, waitMs: 0 });
      const stop = sweepTreeLocks(basesOf(root), 2_000);
      await new Promise(resolve => setTimeout(resolve, 3_500));
      assert.equal(namesIn(root).length, 2);
      stop();
    }
    base.close();
    assert.deepEqual(namesIn(root), []);
  });

  it('go at a second look, once they are old enough', async context => {
    const root = leftLocks(context, { '.new.dynuser-lock': 0 });
    sweepTreeLocks(basesOf(root), 2_000);
    await until('the lock is gone', async () => namesIn(root).length === 0);
    await until('all is closed', async () => openBelow(root).length === 0);
  });
});
