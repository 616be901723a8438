/** A helper that does what it should not: each time an error with words, never a hang, and no process left behind. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { HeldDirectory } from '../../../src/directories/held-directory.ts';
import { treeHelper, type WalkOptions } from '../../../src/directories/tree-helper.ts';

const directory = mkdtempSync(`${tmpdir()}/dynuser-helper-`);
after(() => rmSync(directory, { recursive: true }));

const SILENCE_MS = 300;

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
    ...{ inodes: 5, changed: 4, left: 1, leftPaths: ['b'], mounts: 1, mountPaths: ['a'] },
  });
  assert.deepEqual(progress, [{ inodes: 1, changed: 0 }]);
});

const WRONG: readonly (readonly [what: string, script: string | undefined, reason: RegExp])[] = [
  ['is not there', undefined, /cannot be started: .*ENOENT/],
  ['says why it failed', 'echo failed fchownat 30 a/b; exit 1', /^fchownat .*\/a\/b: read-only file system \(EROFS\)$/],
  ['saw a change', 'echo changed a/b; exit 1', /\/a\/b was changed while the tree was handed over/],
  ['says nothing and ends', 'echo broken >&2; exit 3', /ended with status 3: broken; the next handover finishes/],
  ['is killed', 'kill -9 $$', /ended with SIGKILL/],
  ['says nothing', 'exec sleep 60', /said nothing for 0\.3 s/],
  ['says what is none of its lines', 'echo hello; exec sleep 60', /said what is none of its lines/],
  ['does not end a line', 'head -c 10000 /dev/zero | tr "\\0" x; exec sleep 60', /said what is none of its lines/],
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
