/** A helper that does what it should not: each time an error with words, never a hang, and no process left behind. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { HeldDirectory } from '../../../src/directories/held-directory.ts';
import { HELPER_LINE_MAX, HELPER_WORDS_MAX } from '../../../src/directories/limits.ts';
import { parseTreeLine, type TreeHelper, treeHelper, type WalkOptions } from '../../../src/directories/tree-helper.ts';

const directory = mkdtempSync(`${tmpdir()}/dynuser-helper-`);
after(() => rmSync(directory, { recursive: true }));

const SILENCE_MS = 1_500;

/** Runs a script as the helper, on a directory. */
async function chown(script: string | undefined, more: WalkOptions = {}) {
  const program = `${directory}/helper`;
  rmSync(program, { force: true });
  if (script !== undefined) {
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
  }
  const top = await HeldDirectory.makeBase(directory, 'stateDirectory');
  try {
    return await treeHelper(program, SILENCE_MS).chown(top, 1, 2, 0o755, more);
  } finally {
    top.close();
  }
}

test('passes the verb and the open top, and reads the answer', async () => {
  const progress: unknown[] = [];
  const script = `[ "$*" = "tree chown 1 2 755" ] && [ /proc/self/fd/3 -ef ${directory} ] || exit 1
    echo mount a; echo progress 1 0; echo left b; echo done 5 4 1 1`;
  assert.deepEqual(await chown(script, { onProgress: counts => progress.push(counts) }), {
    ...{ inodes: 5, changed: 4, leftPaths: ['b'], mountPaths: ['a'] },
  });
  assert.deepEqual(progress, [{ inodes: 1, changed: 0 }]);
});

const WRONG: readonly (readonly [what: string, script: string | undefined, reason: RegExp])[] = [
  ['is not there', undefined, /cannot be started: .*ENOENT/],
  ['says why it failed', 'echo failed fchownat 30 a/b; exit 1', /^fchownat .*\/a\/b: read-only file system \(EROFS\)$/],
  ['saw a change', 'echo changed a/b; exit 1', /\/a\/b was changed while the tree was handed over/],
  ['says nothing and ends', 'echo broken >&2; exit 3', /ended with status 3: broken; the next handover finishes/],
  ['is killed', 'kill -9 $$', /ended with SIGKILL/],
  ['says nothing', 'exec sleep 60', /said nothing for 1\.5 s/],
  ['says a line that is not understood', 'echo hello; exec sleep 60', /gave an answer that is not understood/],
  [
    'does not end a line',
    'head -c 10000 /dev/zero | tr "\\0" x; exec sleep 60',
    /gave an answer that is not understood/,
  ],
];

for (const [what, script, reason] of WRONG) {
  test(`a helper that ${what}`, async () => {
    await assert.rejects(chown(script), error => {
      assert.ok(error instanceof DynuserError);
      assert.deepEqual([error.code, error.detail.field], ['DirectoryFailed', 'stateDirectory']);
      assert.match(error.message, reason);
      return true;
    });
  });
}

test('a tree that is not empty because of a mount point is told with that', async () => {
  const script = 'echo mount a/b%20c; echo failed rmdir 16 a; exit 1';
  await assert.rejects(chown(script), {
    message: `rmdir ${directory}/a: resource busy or locked (EBUSY); ${directory}/a/b c is a mount point`,
  });
});

test('an answer to another question is not taken for one', async () => {
  await assert.rejects(chown('echo yes'), { message: `the helper for ${directory} ended without an answer` });
});

test('a line may be as long as it can be, and of its words on standard error the beginning is told', async () => {
  const path = 'x'.repeat(HELPER_LINE_MAX - 'left '.length);
  const { leftPaths } = await chown(`printf 'left %s' ${path}; echo; echo done 1 0 1 0`);
  assert.deepEqual(leftPaths, [path]);
  await assert.rejects(chown('head -c 5000 /dev/zero | tr "\\0" e >&2; exit 1'), {
    message: `the helper for ${directory} ended with status 1: ${'e'.repeat(HELPER_WORDS_MAX)}; the next handover finishes what it began`,
  });
});

/** Runs a script as the helper, and asks it otherwise than by chown(). */
async function ask<Result>(
  script: string,
  question: (helper: TreeHelper, top: HeldDirectory) => Promise<Result>,
): Promise<Result> {
  const program = `${directory}/helper`;
  rmSync(program, { force: true });
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  using top = await HeldDirectory.makeBase(directory, 'stateDirectory');
  return await question(treeHelper(program, SILENCE_MS), top);
}

test('each question has its words', async () => {
  const counted = { inodes: 3, changed: 2, leftPaths: [], mountPaths: [] };
  const answering = (words: string, answer: string) => `[ "$*" = "${words}" ] || exit 9; echo ${answer}`;
  const count = answering('tree count 1 2', 'done 3 2 0 0');
  assert.deepEqual(await ask(count, (helper, top) => helper.count(top, 1, 2, {})), counted);
  const remove = answering('tree remove', 'done 3 2 0 0');
  assert.deepEqual(await ask(remove, (helper, top) => helper.removeContents(top)), counted);
  const probe = (answer: string) => ask(answering('tree probe', answer), (helper, top) => helper.canMap(top));
  assert.equal(await probe('yes'), true);
  assert.equal(await probe('no mount_setattr 22'), false);
  const limit = (answer: string) =>
    ask(answering('tree limit 1048576,20', answer), (helper, top) => helper.limit(top, 1_048_576, 20, {}));
  assert.equal(await limit('done 3 2 0 0'), undefined);
  assert.equal(await limit('no project 17'), 'project');
  assert.deepEqual(await limit('no quotactl_fd 38'), { refused: 'quotactl_fd: function not implemented (ENOSYS)' });
  await assert.rejects(limit('failed ioctl_fsxsetattr 28 sub'), /ioctl_fsxsetattr .*\/sub: no space left on device/);
});

test('a walk that is given up before it begins starts no helper', async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(chown(`touch ${directory}/started; echo done 0 0 0 0`, { signal }), /was given up$/);
  assert.equal(existsSync(`${directory}/started`), false);
});

test('a walk that is given up ends its helper', async () => {
  const given = new AbortController();
  const onProgress = () => given.abort();
  const walk = chown('echo progress 1 0; exec sleep 60', { onProgress, signal: given.signal });
  await assert.rejects(walk, /was given up; the next handover finishes what it began/);
});

test('reads the lines of the helper', () => {
  assert.deepEqual(parseTreeLine('progress 512 3'), { kind: 'progress', inodes: 512, changed: 3 });
  assert.deepEqual(parseTreeLine('done 4 3 2 1'), { kind: 'done', inodes: 4, changed: 3, left: 2, mounts: 1 });
  assert.deepEqual(parseTreeLine('mount a/b'), { kind: 'mount', path: 'a/b' });
  assert.deepEqual(parseTreeLine('failed openat2 5 a/b%20c'), {
    kind: 'failed',
    call: 'openat2',
    errno: 5,
    path: 'a/b c',
  });
  assert.deepEqual(parseTreeLine('no mount_setattr 22'), { kind: 'no', call: 'mount_setattr', errno: 22 });
  assert.deepEqual(parseTreeLine('yes'), { kind: 'yes' });
});

test('keeps in a path escaped what a terminal would obey, and what is not text', () => {
  assert.deepEqual(parseTreeLine('left %C3%BC%0Ab%1B%5B2J'), { kind: 'left', path: '%C3%BC%0Ab%1B%5B2J' });
  assert.deepEqual(parseTreeLine('left %C3%BCb'), { kind: 'left', path: 'üb' });
  assert.deepEqual(parseTreeLine('changed a%FF'), { kind: 'changed', path: 'a%FF' });
  assert.deepEqual(parseTreeLine('left a%20b%21'), { kind: 'left', path: 'a b!' });
});

test('any other line is not read', () => {
  for (const line of [
    '',
    'done',
    'done 1 2 3',
    'done 1 2 3 x',
    'progress -1 2',
    'yes 1',
    'failed openat2 x a',
    'other 1',
    'toString',
    'done 1 2 3 4567890123456789',
    'no mount_setattr',
  ]) {
    assert.equal(parseTreeLine(line), undefined, line);
  }
});
