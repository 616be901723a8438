/** Walks below a base: each component is opened, nothing is followed, and nothing stays open. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { HeldDirectory } from '../../../src/directories/held-directory.ts';
import { findEntry, makeEntry, openTree } from '../../../src/directories/observe/path.ts';
import { openBelow, temporaryRoot } from './fixture.ts';

async function openBase(context: TestContext) {
  const root = temporaryRoot(context);
  const base = await HeldDirectory.openBase(root, 'stateDirectory');
  assert.ok(base !== undefined);
  context.after(() => base.close());
  return { root, base };
}

test('an entry is its parent and its name; it need not exist itself', async context => {
  const { root, base } = await openBase(context);
  mkdirSync(`${root}/a/b`, { recursive: true });
  for (const [components, parent] of [
    [['x'], root],
    [['a', 'x'], `${root}/a`],
    [['a', 'b', 'x'], `${root}/a/b`],
  ] as const) {
    using entry = await findEntry(base, components);
    assert.deepEqual([entry?.parent.path, entry?.name], [parent, 'x']);
    assert.deepEqual(openBelow(root), parent === root ? [root] : [root, parent], 'nothing that is between');
  }
  assert.deepEqual(openBelow(root), [root], 'the base stays open');
});

test('there is no entry where a directory on the way is missing, and nothing is made for it', async context => {
  const { root, base } = await openBase(context);
  mkdirSync(`${root}/a`);
  assert.equal(await findEntry(base, ['a', 'b', 'c']), undefined);
  assert.equal(await openTree(base, ['a', 'b', 'c']), undefined);
  assert.equal(await openTree(base, ['a', 'b']), undefined);
  assert.equal(existsSync(`${root}/a/b`), false);
  assert.deepEqual(openBelow(root), [root]);
});

test('what is not a directory on the way is refused by its path', async context => {
  const { root, base } = await openBase(context);
  mkdirSync(`${root}/a`);
  symlinkSync('..', `${root}/a/link`);
  writeFileSync(`${root}/a/file`, '');
  for (const name of ['link', 'file']) {
    const reason = { message: `${root}/a/${name} is not a directory: move it out of the way` };
    await assert.rejects(findEntry(base, ['a', name, 'x']), reason);
    await assert.rejects(makeEntry(base, ['a', name, 'x']), reason);
    await assert.rejects(openTree(base, ['a', name]), reason);
  }
  assert.deepEqual(openBelow(root), [root]);
});

test('the directories on the way are made if they are missing, for everybody to enter; the entry is not', async context => {
  const { root, base } = await openBase(context);
  mkdirSync(`${root}/a`, { mode: 0o700 });
  const umask = process.umask(0o077);
  try {
    using entry = await makeEntry(base, ['a', 'b', 'c', 'x']);
    assert.deepEqual([entry.parent.path, entry.name], [`${root}/a/b/c`, 'x']);
  } finally {
    process.umask(umask);
  }
  const modes = ['a', 'a/b', 'a/b/c'].map(path => lstatSync(`${root}/${path}`).mode & 0o7777);
  assert.deepEqual(modes, [0o700, 0o755, 0o755]);
  assert.equal(existsSync(`${root}/a/b/c/x`), false);
  assert.deepEqual(openBelow(root), [root]);
});

test('a directory that is removed as soon as it is made is not a place for an entry', async () => {
  const removing = { path: '/base', openOrMake: async () => undefined } as unknown as HeldDirectory;
  await assert.rejects(makeEntry(removing, ['a', 'b']), { name: 'TypeError', message: /^\/base\/a\/b has no parent/ });
});

test('a tree is opened, and nothing on the way to it stays open', async context => {
  const { root, base } = await openBase(context);
  mkdirSync(`${root}/a/b`, { recursive: true });
  for (const components of [['a'], ['a', 'b']]) {
    const path = `${root}/${components.join('/')}`;
    using top = await openTree(base, components);
    assert.equal((await top?.status())?.inode, String(statSync(path).ino));
    assert.deepEqual(openBelow(root), [root, path]);
  }
});
