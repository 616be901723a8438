/** What is done by name in a directory that is held open, and how each failure is told. */
import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { systemWords } from '../../../src/directories/errors.ts';
import { HeldDirectory, OpenBases, openNearest } from '../../../src/directories/held-directory.ts';
import { errnoWords } from '../../../src/files/errno.ts';
import { hasCode } from '../../../src/files/pinned-directory.ts';
import { openBelow, temporaryRoot } from './fixture.ts';

async function held(context: TestContext): Promise<{ readonly root: string; readonly base: HeldDirectory }> {
  const root = temporaryRoot(context);
  const base = await HeldDirectory.openBase(root, 'cacheDirectory');
  assert.ok(base !== undefined);
  context.after(() => base.close());
  return { root, base };
}

/** Has an action refused as one of a directory, by its parameter. @param code of the system's error, which is the cause */
async function refuses(action: () => Promise<unknown>, message: string | RegExp, code?: string): Promise<void> {
  await assert.rejects(action, error => {
    assert.ok(error instanceof DynuserError);
    assert.deepEqual([error.code, error.detail.field], ['DirectoryFailed', 'cacheDirectory']);
    if (typeof message === 'string') {
      assert.equal(error.message, message);
    } else {
      assert.match(error.message, message);
    }
    assert.ok(code === undefined || hasCode(error.cause, code));
    return true;
  });
}

function mode(path: string): number {
  return lstatSync(path).mode & 0o7777;
}

test('a base is opened by its path, also behind a link; what does not exist is not an error, what is not a directory is one', async context => {
  const { root } = await held(context);
  mkdirSync(`${root}/lib`);
  symlinkSync('lib', `${root}/link`);
  writeFileSync(`${root}/file`, '');
  using linked = await HeldDirectory.openBase(`${root}/link`, 'cacheDirectory');
  assert.equal((await linked?.status())?.inode, String(statSync(`${root}/lib`).ino));
  assert.equal(await HeldDirectory.openBase(`${root}/missing`, 'cacheDirectory'), undefined);
  const message = `open ${root}/file: not a directory (ENOTDIR)`;
  await refuses(() => HeldDirectory.openBase(`${root}/file`, 'cacheDirectory'), message, 'ENOTDIR');
});

test('a base is made with what is above it', async context => {
  const { root } = await held(context);
  using made = await HeldDirectory.makeBase(`${root}/a/b`, 'cacheDirectory');
  assert.equal(made.path, `${root}/a/b`);
  assert.deepEqual(await made.status(), await statusOf(`${root}/a/b`));
  writeFileSync(`${root}/file`, '');
  const message = `mkdir ${root}/file/b: not a directory (ENOTDIR)`;
  await refuses(() => HeldDirectory.makeBase(`${root}/file/b`, 'cacheDirectory'), message, 'ENOTDIR');
  symlinkSync('nowhere', `${root}/dangling`);
  await refuses(() => HeldDirectory.makeBase(`${root}/dangling`, 'cacheDirectory'), /^mkdir .*: |leads nowhere$/);
});

async function statusOf(path: string) {
  const { uid, gid, mode: bits, dev, ino } = statSync(path, { bigint: true });
  return {
    uid: Number(uid),
    gid: Number(gid),
    mode: Number(bits) & 0o7777,
    device: String(dev),
    inode: String(ino),
  };
}

test('a directory is opened by its name, and what has the name is never followed', async context => {
  const { root, base } = await held(context);
  mkdirSync(`${root}/inner`);
  symlinkSync('inner', `${root}/link`);
  writeFileSync(`${root}/file`, '');
  using inner = await base.open('inner');
  assert.equal(inner?.path, `${root}/inner`);
  assert.equal(inner?.field, 'cacheDirectory');
  assert.equal(await base.open('missing'), undefined);
  for (const name of ['link', 'file']) {
    await refuses(() => base.open(name), `${root}/${name} is not a directory: move it out of the way`);
  }
  await refuses(() => base.open('x'.repeat(256)), /^open .*\/x+: name too long \(ENAMETOOLONG\)$/, 'ENAMETOOLONG');
});

test('says what has a name', async context => {
  const { root, base } = await held(context);
  mkdirSync(`${root}/inner`);
  symlinkSync('/etc', `${root}/link`);
  writeFileSync(`${root}/file`, '');
  assert.deepEqual(await base.kindOf('inner'), { kind: 'directory' });
  assert.deepEqual(await base.kindOf('link'), { kind: 'link', text: '/etc' });
  assert.deepEqual(await base.kindOf('file'), { kind: 'other' });
  assert.deepEqual(await base.kindOf('missing'), { kind: 'nothing' });
  await refuses(() => base.kindOf('x'.repeat(256)), /^lstat .*\/x+: name too long \(ENAMETOOLONG\)$/, 'ENAMETOOLONG');
});

test('the status is that of the inode that is held, whatever becomes of its path', async context => {
  const { root, base } = await held(context);
  mkdirSync(`${root}/inner`);
  using inner = await base.open('inner');
  await inner?.setMode(0o1750);
  const expected = await statusOf(`${root}/inner`);
  assert.equal(expected.mode, 0o1750);
  renameSync(`${root}/inner`, `${root}/moved`);
  mkdirSync(`${root}/inner`);
  assert.deepEqual(await inner?.status(), expected);
});

test('a directory is made with exactly the mode, or not at all', async context => {
  const { root, base } = await held(context);
  const umask = process.umask(0o077);
  try {
    assert.equal(await base.make('open', 0o755), true);
    assert.equal(await base.make('closed', 0o700), true);
  } finally {
    process.umask(umask);
  }
  assert.deepEqual([mode(`${root}/open`), mode(`${root}/closed`)], [0o755, 0o700]);
  assert.equal(await base.make('closed', 0o755), false);
  for (const [name, expected] of [
    ['closed', 0o700],
    ['made', 0o750],
  ] as const) {
    using opened = await base.openOrMake(name, 0o750);
    assert.equal((await opened?.status())?.mode, expected);
  }
  assert.equal(mode(`${root}/closed`), 0o700, 'what is there is left as it is');
  await refuses(() => base.make('x'.repeat(256), 0o700), /^mkdir .*\/x+: name too long/, 'ENAMETOOLONG');
  assert.deepEqual(openBelow(root), [root]);
});

test('a directory gets its owner and its mode', async context => {
  const { root, base } = await held(context);
  mkdirSync(`${root}/inner`);
  using inner = await base.open('inner');
  const { uid, gid } = statSync(root);
  await inner?.give(uid, gid, 0o1711);
  assert.deepEqual([mode(`${root}/inner`), lstatSync(`${root}/inner`).uid], [0o1711, uid]);
});

test('links and directories are made, read, moved and removed by their names', async context => {
  const { root, base } = await held(context);
  mkdirSync(`${root}/inner`);
  using inner = await base.open('inner');
  assert.ok(inner !== undefined);
  await base.link('link', 'some/where');
  assert.equal(readlinkSync(`${root}/link`), 'some/where');
  assert.equal(await base.readLink('link'), 'some/where');
  await base.moveInto('link', inner, 'other');
  assert.deepEqual([readdirSync(root), readdirSync(`${root}/inner`)], [['inner'], ['other']]);
  await inner.unlink('other');
  await base.removeDirectory('inner');
  assert.deepEqual(readdirSync(root), []);
});

test('what cannot be done is told with the call, the path and the words of the system', async context => {
  const { root, base } = await held(context);
  mkdirSync(`${root}/full/inner`, { recursive: true });
  writeFileSync(`${root}/file`, '');
  const rows = [
    [() => base.link('file', 'text'), `symlink ${root}/file: file already exists (EEXIST)`],
    [() => base.unlink('missing'), `unlink ${root}/missing: no such file or directory (ENOENT)`],
    [() => base.removeDirectory('full'), `rmdir ${root}/full: directory not empty (ENOTEMPTY)`],
    [() => base.readLink('file'), `readlink ${root}/file: invalid argument (EINVAL)`],
    [
      () => base.moveInto('missing', base, 'new'),
      `rename ${root}/missing to ${root}/new: no such file or directory (ENOENT)`,
    ],
  ] as const;
  for (const [action, message] of rows) {
    await refuses(action, message, /\((\w+)\)$/.exec(message)?.[1] ?? '');
  }
});

test('what is on another file system cannot be moved there, and it is said what to do', async context => {
  const { root, base } = await held(context);
  mkdirSync(`${root}/inner`);
  using other = await HeldDirectory.openBase('/proc', 'cacheDirectory');
  assert.ok(other !== undefined);
  const message = `cannot rename ${root}/inner to /proc/new: it is a mount point, or on another file system than /proc; move it by hand`;
  await refuses(() => base.moveInto('inner', other, 'new'), message, 'EXDEV');
});

test('the bases of a request are opened once each, and closed together', async context => {
  const root = temporaryRoot(context);
  mkdirSync(`${root}/lib`);
  const bases = new OpenBases({
    ...{ runtime: `${root}/run`, state: `${root}/lib`, cache: `${root}/cache`, logs: `${root}/lib` },
  });
  const state = await bases.find('state');
  assert.equal(await bases.find('state'), state);
  assert.equal(await bases.make('state'), state);
  assert.equal(state?.field, 'stateDirectory');
  assert.equal((await bases.find('logs'))?.field, 'logsDirectory', 'for each class its own');
  assert.equal(await bases.find('cache'), undefined);
  const cache = await bases.make('cache');
  assert.equal(cache.path, `${root}/cache`);
  assert.equal(await bases.find('cache'), cache);
  bases[Symbol.dispose]();
  assert.deepEqual(openBelow(root), []);
  const again = await bases.find('state');
  assert.notEqual(again, state, 'and can be opened again');
  bases[Symbol.dispose]();
  assert.deepEqual(openBelow(root), []);
});

test('the nearest directory above a path that is missing stands for its file system', async context => {
  const root = temporaryRoot(context);
  mkdirSync(`${root}/a`);
  for (const [path, nearest] of [
    ['a', 'a'],
    ['a/b/c', 'a'],
    ['x/y', ''],
  ] as const) {
    using opened = await openNearest(`${root}/${path}`, 'cacheDirectory');
    assert.equal((await opened.status()).inode, String(statSync(`${root}/${nearest}`).ino), path);
  }
});

test('errors are in the words of the system, without the paths of this process', () => {
  assert.equal(errnoWords(28), 'no space left on device (ENOSPC)');
  assert.equal(errnoWords(9_999), 'error 9999');
  const error = Object.assign(new Error('ENOSPC: no space left on device, mkdir /proc/self/fd/3/x'), { errno: -28 });
  assert.equal(systemWords(error), 'no space left on device (ENOSPC)');
  assert.equal(systemWords(new Error('locked')), 'locked');
  assert.equal(systemWords('text'), 'text');
});

test('a directory is emptied by name if it has few files and nothing else; no link is followed', async context => {
  const { root, base } = await held(context);
  const make = (name: string): void => {
    mkdirSync(`${root}/${name}`);
    writeFileSync(`${root}/kept`, '');
    writeFileSync(`${root}/${name}/a`, '');
    symlinkSync(`${root}/kept`, `${root}/${name}/link`);
    symlinkSync(root, `${root}/${name}/directory-link`);
  };
  const emptied = async (name: string, max: number): Promise<boolean> => {
    using directory = await base.open(name);
    return (await directory?.removeFew(max)) ?? assert.fail();
  };
  make('few');
  assert.equal(await emptied('few', 3), true);
  assert.deepEqual(readdirSync(`${root}/few`), []);
  assert.equal(await emptied('few', 3), true);
  make('many');
  assert.equal(await emptied('many', 2), false);
  make('deep');
  mkdirSync(`${root}/deep/below`);
  assert.equal(await emptied('deep', 10), false);
  // What is left alone is left whole.
  assert.deepEqual([readdirSync(`${root}/many`).length, readdirSync(`${root}/deep`).length], [3, 4]);
  assert.deepEqual(readdirSync(root).sort(), ['deep', 'few', 'kept', 'many']);
  assert.deepEqual(openBelow(root), [root]);
});
