import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PinnedDirectory } from '../../../src/files/pinned-directory.ts';

function inTemporary(run: (path: string) => void): void {
  const path = mkdtempSync(join(tmpdir(), 'dynuser-pinned-'));
  try {
    run(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

test('stays with the inode when its path is put elsewhere and replaced', () => {
  inTemporary(path => {
    const pinned = PinnedDirectory.open(join(path, 'd'), { create: { mode: 0o755 } });
    renameSync(join(path, 'd'), join(path, 'moved'));
    mkdirSync(join(path, 'd'));
    pinned.link('name', 'text');
    assert.ok(!existsSync(join(path, 'd/name')));
    assert.equal(pinned.readLink('name'), 'text');
    assert.deepEqual(pinned.names(), ['name']);
    pinned.link('name', 'other');
    assert.equal(pinned.readLink('name'), 'other');
    pinned.remove('name');
    pinned.remove('name');
    assert.equal(pinned.readLink('name'), undefined);
    pinned.close();
  });
});

test('a name with a slash, an empty one, "." and ".." are mistakes of the caller', () => {
  inTemporary(path => {
    const pinned = PinnedDirectory.open(path);
    for (const name of ['', '.', '..', 'a/b', '/', 'a\0']) {
      assert.throws(() => pinned.entry(name), TypeError);
    }
    pinned.close();
  });
});

test('a symlink, a file, a directory that others may write to or own is refused', () => {
  inTemporary(path => {
    mkdirSync(join(path, 'real'));
    symlinkSync('real', join(path, 'link'));
    assert.throws(() => PinnedDirectory.open(join(path, 'link')), /ELOOP|ENOTDIR/);
    chmodSync(join(path, 'real'), 0o777);
    assert.throws(() => PinnedDirectory.open(join(path, 'real')), /writable by nobody else/);
    chmodSync(join(path, 'real'), 0o755);
    if (process.geteuid?.() === 0) {
      chownSync(join(path, 'real'), 1000, 1000);
      assert.throws(() => PinnedDirectory.open(join(path, 'real')), /must belong to the user 0/);
    }
  });
});
