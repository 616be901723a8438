/** A tree of somebody else's: nothing in it leads out of it, makes a reader wait, or makes it read without end. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { RootedTree, RootedTreeError } from '../../../src/files/rooted-tree.ts';

const MAX = 1000;

describe('a rooted tree', () => {
  let folder: string;
  let tree: RootedTree;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dynuser-tree-'));
    const top = join(folder, 'top');
    mkdirSync(join(top, 'etc/deep/er'), { recursive: true });
    writeFileSync(join(folder, 'secret'), 'secret');
    writeFileSync(join(top, 'etc/hostname'), 'inside');
    writeFileSync(join(top, 'secret'), 'own');
    const links = {
      'etc/absolute': '/etc/hostname',
      'etc/up': '../../../../../../etc/hostname',
      'etc/out': join(folder, 'secret'),
      'etc/above': '../../secret',
      'etc/deep/er/back': '../../hostname',
      'etc/magic': '/proc/self/root/etc/passwd',
      'etc/self': 'self',
      'etc/one': 'other',
      'etc/other': 'one',
      'etc/folder': '/etc/deep',
      'etc/broken': 'nowhere',
      'etc/dots': './deep/../deep/./er//../../hostname',
    };
    for (const [name, target] of Object.entries(links)) {
      symlinkSync(target, join(top, name));
    }
    execFileSync('mkfifo', [join(top, 'etc/fifo')]);
    writeFileSync(join(top, 'etc/long'), 'x'.repeat(MAX + 1));
    writeFileSync(join(top, 'etc/full'), 'x'.repeat(MAX));
    execFileSync('truncate', ['-s', '1T', join(top, 'etc/sparse')]);
    tree = RootedTree.open(top);
  });
  after(() => {
    tree[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  const read = (path: string): string | undefined => tree.readFile(path, MAX)?.toString();

  it('follows its links as if its top were the root', () => {
    for (const path of ['etc/hostname', '/etc/hostname', 'etc/absolute', 'etc/up', 'etc/folder/er/back', 'etc/dots']) {
      assert.equal(read(path), 'inside', path);
    }
    assert.equal(read('etc/above'), 'own', 'above the top is the top');
    assert.equal(read('../../secret'), 'own');
  });

  it('has nothing of outside', () => {
    for (const path of [
      'etc/out',
      'etc/magic',
      'etc/broken',
      'nowhere/at/all',
      'etc/hostname/below',
      'x'.repeat(300),
    ]) {
      assert.equal(read(path), undefined, path);
    }
  });

  it('refuses what is not a file, what leads around, and what is too long', () => {
    const refused = {
      'etc/fifo': /not a regular file/,
      'etc/deep': /not a regular file/,
      '/': /not a regular file/,
      'etc/self': /more than 40 symlinks/,
      'etc/one': /more than 40 symlinks/,
      'etc/long': /more than 1000 bytes/,
      'etc/sparse': /more than 1000 bytes/,
    };
    for (const [path, message] of Object.entries(refused)) {
      assert.throws(() => read(path), { name: 'RootedTreeError', message }, path);
    }
    assert.equal(read('etc/full')?.length, MAX);
  });

  it('lists a directory, with what its links say, and no more names than it may', () => {
    const names = tree.names('etc/folder/er', 1);
    assert.deepEqual(names, [{ name: 'back', link: '../../hostname' }]);
    assert.throws(() => tree.names('etc', 3), RootedTreeError);
    assert.equal(tree.names('etc/hostname', MAX), undefined);
    assert.equal(tree.names('nowhere', MAX), undefined);
    assert.ok(tree.names('/', MAX)?.some(({ name }) => name === 'etc'));
  });

  it('stays the tree that was opened, and closes what it opens', () => {
    const open = (): string => execFileSync('ls', [`/proc/${process.pid}/fd`], { encoding: 'utf8' });
    const before = open().split('\n').length;
    renameSync(join(folder, 'top'), join(folder, 'elsewhere'));
    symlinkSync('/', join(folder, 'top'));
    assert.equal(read('etc/hostname'), 'inside');
    assert.throws(() => RootedTree.open(join(folder, 'top')), { code: /^(?:ELOOP|ENOTDIR)$/ });
    const rounds = 20;
    for (let round = 0; round < rounds; round++) {
      assert.throws(() => read('etc/self'));
      tree.names('etc/folder', MAX);
      read('etc/folder/er/back');
    }
    // The runner opens a few now and then; what each round left open would be there as often as there were rounds.
    const after = open().split('\n').length;
    assert.ok(after < before + rounds, `${after} descriptors, and there were ${before}`);
  });

  it('bounds how deep it goes', () => {
    const deep = Array(70).fill('d').join('/');
    mkdirSync(join(folder, 'elsewhere', deep), { recursive: true });
    assert.throws(() => read(`${deep}/file`), /more than 64 directories/);
  });
});
