/** Mount points below a tree are never entered, and a file system that cannot be written to stops a handover with words. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { skipUnless } from '../../support/host.ts';
import { chown, HELPER, NEW, OLD, owners, resultOf, shell, temporaryDirectory, type VerbResult } from './fixture.ts';

/** Runs a verb on ./tree below a directory in a mount namespace of its own, after a script has mounted something there. */
function runMounted(directory: string, mounts: string, verb: string): VerbResult {
  const script = `${mounts}\ncode=0\n"${HELPER}" tree ${verb} 3<tree || code=$?\nfind . -printf '%U:%G %p\\n' | sort >&2; exit $code`;
  return resultOf(spawnSync('unshare', ['-m', 'sh', '-euc', script], { cwd: directory, encoding: 'utf8' }));
}

function makeTree(directory: string): void {
  for (const path of ['tree/a/mounted', 'tree/z', 'other/below']) {
    mkdirSync(`${directory}/${path}`, { recursive: true });
  }
  for (const path of ['tree/f', 'tree/a/f', 'tree/a/bound', 'tree/z/f', 'other/file', 'other/below/file']) {
    writeFileSync(`${directory}/${path}`, '');
  }
  shell(directory, 'chown -R "$1:$1" tree', OLD);
}

for (const [kind, mount] of [
  ['a tmpfs', 'mount -t tmpfs none tree/a/mounted; touch tree/a/mounted/file'],
  ['a bind mount of the same file system', 'mount --bind other tree/a/mounted'],
  ['a read-only bind mount', 'mount --bind -o ro other tree/a/mounted'],
] as const) {
  test(`leaves ${kind} below the tree alone, says so, and hands over the rest`, context => {
    const directory = temporaryDirectory(context);
    makeTree(directory);
    const result = runMounted(directory, `${mount}; mount --bind other/file tree/a/bound`, `chown ${NEW} ${NEW} 755`);
    assert.equal(result.status, 0, result.stderr);
    assert.deepEqual([...result.lines].sort(), ['done 7 6 0 2', 'mount a/bound', 'mount a/mounted'].sort());
    assert.match(result.stderr, new RegExp(`^${NEW}:${NEW} ./tree/z/f$`, 'm'));
    assert.match(result.stderr, /^0:0 .\/tree\/a\/mounted\/file$/m);
    assert.match(result.stderr, /^0:0 .\/other\/file$/m);
  });
}

test('stops on a read-only file system, says where it stood, and is finished by the next run', context => {
  const directory = temporaryDirectory(context);
  makeTree(directory);
  const readOnly = runMounted(directory, 'mount --bind -o ro tree tree', `chown ${NEW} ${NEW} 755`);
  assert.equal(readOnly.status, 1);
  assert.match(readOnly.last, /^failed chmod 30 \.$/, 'EROFS');
  assert.deepEqual([...owners(`${directory}/tree`).keys()], [`${OLD}:${OLD}`]);
  assert.equal(chown(`${directory}/tree`, NEW).status, 0);
});

test('needs no space on a full disk', context => {
  const directory = temporaryDirectory(context);
  const full = `mkdir -p tree; mount -t tmpfs -o size=1m none tree; mkdir tree/a; touch tree/a/f; chown -R ${OLD}:${OLD} tree
    head -c 2m /dev/zero 2>/dev/null >tree/a/big || :`;
  const result = runMounted(directory, full, `chown ${NEW} ${NEW} 755`);
  assert.equal(result.status, 0);
  assert.equal(result.last, 'done 4 4 0 0');
});

test('removes nothing behind a mount point, and names it', context => {
  const directory = temporaryDirectory(context);
  makeTree(directory);
  const result = runMounted(directory, 'mount --bind other tree/a/mounted', 'remove');
  assert.equal(result.status, 1);
  assert.deepEqual(
    [result.lines[0], result.last.split(' ').slice(0, 2).join(' ')],
    ['mount a/mounted', 'failed unlinkat'],
  );
  assert.match(result.stderr, /\.\/other\/below\/file$/m);
});

test('says whether a file system can id-map: a disk and tmpfs can, proc cannot', {
  skip: skipUnless('id-mapped mounts'),
}, context => {
  const directory = temporaryDirectory(context);
  makeTree(directory);
  assert.equal(runMounted(directory, ':', 'probe').last, 'yes');
  assert.equal(runMounted(directory, 'mount -t tmpfs none tree', 'probe').last, 'yes');
  assert.match(runMounted(directory, 'mount -t proc none tree', 'probe').last, /^no mount_setattr 22$/);
});
