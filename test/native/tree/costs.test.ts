/** What a handover of a tree that is right costs, counted in system calls: one look at each inode, and no write. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { chown, HELPER, makeFlat, NEW, OLD, shell, temporaryDirectory } from './fixture.ts';

const DIRECTORIES = 20;
const FILES = 300;
/** The top is looked at once more; and the loader looks at the libraries of the program. */
const OTHER_LOOKS = 10;

/** Everything that could write to an inode, whichever way it is named. */
const WRITES = /^(?:f|l)?(?:chown|chmod|setxattr|removexattr)(?:at2?)?$|^(?:file_setattr|utimensat)$/;
/** Everything that looks at one inode. */
const LOOKS = /^(?:statx|newfstatat|fstat|stat|lstat|l?listxattr|flistxattr|[fl]?getxattr)$/;

/** @returns how often the helper made each call */
function count(context: TestContext, tree: string, verb: readonly string[]): Map<string, number> {
  const trace = `${temporaryDirectory(context)}/trace`;
  const top = openSync(tree, 'r');
  try {
    const argv = ['-f', '-qqq', '-o', trace, HELPER, 'tree', ...verb];
    const { status, stderr } = spawnSync('strace', argv, { stdio: ['ignore', 'pipe', 'pipe', top], encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  } finally {
    closeSync(top);
  }
  const counts = new Map<string, number>();
  for (const [, call = ''] of readFileSync(trace, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)) {
    counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  return counts;
}

function callsLike(counts: ReadonlyMap<string, number>, pattern: RegExp): [call: string, times: number][] {
  return [...counts].filter(([call]) => pattern.test(call));
}

test('a tree that is right costs one statx(2) an inode, and not one write', context => {
  const tree = `${temporaryDirectory(context)}/tree`;
  makeFlat(tree, DIRECTORIES, FILES, OLD);
  shell(tree, 'ln -s nowhere symlink; mkfifo fifo; ln 0/0 second; chown -h "$1:$1" symlink fifo', NEW);
  assert.equal(chown(tree, NEW).status, 0);
  for (const verb of [
    ['chown', String(NEW), String(NEW), '755'],
    ['count', String(NEW), String(NEW)],
  ]) {
    const counts = count(context, tree, verb);
    assert.deepEqual(callsLike(counts, WRITES), [], verb[0]);
    const looks = callsLike(counts, LOOKS).reduce((sum, [, times]) => sum + times, 0);
    const inodes = DIRECTORIES * (FILES + 1) + 1 + 3;
    assert.ok(looks >= inodes && looks <= inodes + OTHER_LOOKS, `${JSON.stringify([...counts])}: ${inodes} inodes`);
  }
});

test('and each write of one that is not would have been seen', context => {
  const tree = `${temporaryDirectory(context)}/tree`;
  makeFlat(tree, 2, 3, OLD);
  const counts = count(context, tree, ['chown', String(NEW), String(NEW), '755']);
  const owners = callsLike(counts, /chown/).reduce((sum, [, times]) => sum + times, 0);
  assert.ok(owners >= 9, JSON.stringify([...counts]));
});
