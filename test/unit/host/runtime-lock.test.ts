/** One holder of a runtime directory, also against flock(1). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { it, type TestContext } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { PinnedDirectory } from '../../../src/files/pinned-directory.ts';
import { openRuntimeDirectory, takeRuntimeLock } from '../../../src/host/runtime-lock.ts';

it('a runtime directory has one daemon at a time', () => {
  const path = mkdtempSync(`${tmpdir()}/dynuser-runtime-`);
  const directory = PinnedDirectory.open(path);
  try {
    const release = takeRuntimeLock(directory, 'lock');
    assert.ok(release !== undefined);
    assert.equal(statSync(`${path}/lock`).mode & 0o7777, 0o600, 'nobody else can open it, and so lock it');
    assert.equal(takeRuntimeLock(directory, 'lock'), undefined);
    assert.throws(() => execFileSync('flock', ['--nonblock', `${path}/lock`, 'true']), /Command failed/);
    release();
    execFileSync('flock', ['--nonblock', `${path}/lock`, 'true']);
    const releaseAgain = takeRuntimeLock(directory, 'lock');
    assert.ok(releaseAgain !== undefined);
    releaseAgain();
    symlinkSync('/dev/null', `${path}/link`);
    assert.throws(
      () => takeRuntimeLock(directory, 'link'),
      error => error instanceof DynuserError && error.code === 'HostFailed' && error.message.includes(`${path}/link`),
    );
  } finally {
    directory.close();
    rmSync(path, { recursive: true });
  }
});

function temporaryDirectory(context: TestContext): string {
  const path = mkdtempSync(`${tmpdir()}/dynuser-runtime-`);
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

it('a runtime directory is made with its mode if it is missing, and used as it is if not', context => {
  const path = `${temporaryDirectory(context)}/run/dynuser`;
  openRuntimeDirectory(path, 0o711).close();
  assert.equal(statSync(path).mode & 0o7777, 0o711);
  openRuntimeDirectory(path, 0o755).close();
  assert.equal(statSync(path).mode & 0o7777, 0o711);
});

it('a runtime directory that others may write to is refused, and so is what is not a directory', context => {
  const top = temporaryDirectory(context);
  const [open, file] = [`${top}/open`, `${top}/file`];
  openRuntimeDirectory(open, 0o755).close();
  chmodSync(open, 0o777);
  writeFileSync(file, '');
  for (const path of [open, file]) {
    assert.throws(
      () => openRuntimeDirectory(path, 0o755),
      error =>
        error instanceof DynuserError &&
        error.code === 'HostFailed' &&
        error.message.startsWith(`cannot use the runtime directory ${path}: `),
    );
  }
});
