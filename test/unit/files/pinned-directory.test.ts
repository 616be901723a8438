import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode, PinnedDirectory } from '../../../src/files/pinned-directory.ts';

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

test('says whether its path still leads to it', () => {
  inTemporary(path => {
    const inner = join(path, 'a/d');
    using pinned = PinnedDirectory.open(inner, { create: { mode: 0o755 } });
    assert.equal(pinned.isInPlace(), true);
    renameSync(inner, join(path, 'moved'));
    assert.equal(pinned.isInPlace(), false, 'there is nothing');
    mkdirSync(inner);
    assert.equal(pinned.isInPlace(), false, 'there is another');
    rmSync(join(path, 'a'), { recursive: true });
    writeFileSync(join(path, 'a'), '');
    assert.equal(pinned.isInPlace(), false, 'what is above it is not a directory');
    rmSync(join(path, 'a'));
    mkdirSync(join(path, 'a'));
    renameSync(join(path, 'moved'), inner);
    assert.equal(pinned.isInPlace(), true);
  });
});

test('is made with all that is above it, each with the mode; what is there stays as it is', () => {
  inTemporary(path => {
    mkdirSync(join(path, 'there'), { mode: 0o700 });
    const umask = process.umask(0o022);
    try {
      PinnedDirectory.open(join(path, 'there/b/c'), { create: { mode: 0o750 } }).close();
      PinnedDirectory.open(join(path, 'there'), { create: { mode: 0o755 } }).close();
    } finally {
      process.umask(umask);
    }
    const modes = ['there', 'there/b', 'there/b/c'].map(name => (statSync(join(path, name)).mode & 0o777).toString(8));
    assert.deepEqual(modes, ['700', '750', '750']);
    writeFileSync(join(path, 'file'), '');
    assert.throws(() => PinnedDirectory.open(join(path, 'file'), { create: { mode: 0o755 } }), /EEXIST/);
    assert.throws(() => PinnedDirectory.open(join(path, 'file/d'), { create: { mode: 0o755 } }), /ENOTDIR/);
    assert.throws(() => PinnedDirectory.open(join(path, 'missing')), /ENOENT/);
    assert.deepEqual(readdirSync(path).sort(), ['file', 'there']);
  });
});

test('a directory below it is made if it is missing, and has its own path', () => {
  inTemporary(path => {
    using pinned = PinnedDirectory.open(path);
    for (let times = 0; times < 2; times++) {
      using below = pinned.subdirectory('below', 0o700);
      assert.equal(below.path, join(path, 'below'));
      below.link(`name${times}`, 'text');
    }
    assert.equal(statSync(join(path, 'below')).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(join(path, 'below')).sort(), ['name0', 'name1']);
    chmodSync(join(path, 'below'), 0o770);
    assert.throws(() => pinned.subdirectory('below', 0o700), /writable by nobody else/);
    writeFileSync(join(path, 'file'), '');
    assert.throws(() => pinned.subdirectory('file', 0o700), /ENOTDIR/);
  });
});

test('links are replaced only if they say something else, and what is not a link is never read as one', () => {
  inTemporary(path => {
    using pinned = PinnedDirectory.open(path);
    pinned.link('name', 'text');
    const { ino } = lstatSync(join(path, 'name'));
    pinned.link('name', 'text');
    assert.equal(lstatSync(join(path, 'name')).ino, ino, 'it is the same one');
    writeFileSync(join(path, 'file'), 'data');
    assert.equal(pinned.readLink('file'), undefined);
    assert.throws(() => pinned.readLink('x'.repeat(256)), /ENAMETOOLONG/);
    assert.throws(() => pinned.link('x'.repeat(256), 'text'), /ENAMETOOLONG/);
    assert.throws(() => pinned.remove('x'.repeat(256)), /ENAMETOOLONG/);
  });
});

test('names are moved within it and into another, and what has the new name is replaced', () => {
  inTemporary(path => {
    using pinned = PinnedDirectory.open(path);
    using below = pinned.subdirectory('below', 0o700);
    pinned.link('a', '1');
    pinned.link('b', '2');
    pinned.rename('a', 'b');
    assert.deepEqual([pinned.readLink('a'), pinned.readLink('b')], [undefined, '1']);
    pinned.rename('b', 'c', below);
    assert.deepEqual([pinned.readLink('b'), below.readLink('c')], [undefined, '1']);
    assert.throws(() => pinned.rename('missing', 'x'), /ENOENT/);
  });
});

test('one that was closed is not used any more, and may be closed again', () => {
  inTemporary(path => {
    const pinned = PinnedDirectory.open(path);
    pinned.close();
    pinned.close();
    assert.throws(() => pinned.descriptor, { name: 'TypeError', message: `${path} was closed` });
    assert.throws(() => pinned.names(), TypeError);
  });
});

test('a directory that is refused is not left open', () => {
  inTemporary(path => {
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    chmodSync(path, 0o720);
    assert.throws(() => PinnedDirectory.open(path), /writable by nobody else/);
    chmodSync(path, 0o700);
    assert.equal(open(), before);
  });
});

test('errors of the system are known by their code', () => {
  const error = Object.assign(new Error('x'), { code: 'ENOENT' });
  assert.deepEqual([hasCode(error, 'ENOENT'), hasCode(error, 'EIO')], [true, false]);
  assert.deepEqual([hasCode(new Error('ENOENT'), 'ENOENT'), hasCode({ code: 'ENOENT' }, 'ENOENT')], [false, false]);
});

test('is the working directory for as long as names are used as paths, and no longer', () => {
  inTemporary(path => {
    const pinned = PinnedDirectory.open(join(path, 'd'), { create: { mode: 0o755 } });
    renameSync(join(path, 'd'), join(path, 'moved'));
    pinned.link('name', 'text');
    const before = process.cwd();
    assert.deepEqual(
      pinned.inside(entry => [readlinkSync(entry('name')), pinned.readLink('name', entry)]),
      ['text', 'text'],
    );
    for (const wrong of ['../moved', '..', '.', '']) {
      assert.throws(() => pinned.inside(entry => entry(wrong)), /not a single path component/, wrong);
    }
    assert.equal(process.cwd(), before);
  });
});

test('a symlink is replaced in one step, whatever a former try has left', () => {
  inTemporary(path => {
    const pinned = PinnedDirectory.open(path);
    pinned.link('name.new', 'torn');
    pinned.relink('name', 'text');
    pinned.relink('name', 'other');
    assert.deepEqual([pinned.readLink('name'), pinned.names()], ['other', ['name']]);
  });
});
