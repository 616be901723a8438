/** One holder of a runtime directory, also against flock(1). */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { it } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { PinnedDirectory } from '../../../src/files/pinned-directory.ts';
import { takeRuntimeLock } from '../../../src/host/runtime-lock.ts';

it('a runtime directory has one daemon at a time', () => {
  const path = mkdtempSync(`${tmpdir()}/dynuser-runtime-`);
  const directory = PinnedDirectory.open(path);
  try {
    const lock = takeRuntimeLock(directory, 'lock');
    assert.ok(lock !== undefined);
    assert.equal(takeRuntimeLock(directory, 'lock'), undefined);
    assert.throws(() => execFileSync('flock', ['--nonblock', `${path}/lock`, 'true']), /Command failed/);
    lock.release();
    execFileSync('flock', ['--nonblock', `${path}/lock`, 'true']);
    const again = takeRuntimeLock(directory, 'lock');
    assert.ok(again !== undefined);
    again.release();
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
