/** A disk that refuses a write in the middle of a handover: it says where it stood, and the next one finishes. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { contents, HELPER, makeFlat, owners, shell } from '../../native/tree/fixture.ts';
import { NEW, OLD, openSetup, THIRD, userOf } from './fixture.ts';

const INODES = 2 * (40 + 1) + 2;

/** @param when which call of each thread fails, as strace(1) has it */
const REFUSALS = [
  { call: 'fchownat', error: 'ENOSPC', words: 'no space left on device', when: 20 },
  { call: 'fchownat', error: 'EROFS', words: 'read-only file system', when: 20 },
  { call: 'fchownat', error: 'EIO', words: 'i/o error', when: 1 },
  // The first two are of the top.
  { call: 'fchmod,chmod,fchmodat', error: 'ENOSPC', words: 'no space left on device', when: 3 },
] as const;

for (const { call, error, words, when } of REFUSALS) {
  test(`${error} from ${call} in the middle is told with its place, and the next handover finishes`, async context => {
    const setup = openSetup(context);
    await setup.prepare(userOf(OLD), ['foo']);
    const tree = `${setup.root}/lib/private/foo`;
    makeFlat(`${tree}/x`, 2, 40, OLD);
    shell(tree, 'chmod 1777 x/0');
    const before = contents(tree);
    const refusing = `${setup.root}/refusing-helper`;
    const strace = `strace -f -qqq -o /dev/null -e inject=${call}:error=${error}:when=${when}`;
    writeFileSync(refusing, `#!/bin/sh\nexec ${strace} "${HELPER}" "$@"\n`, { mode: 0o755 });

    const refused = openSetup(context, refusing, setup.root).prepare(userOf(NEW), ['foo']);
    await assert.rejects(refused, (reason: unknown) => {
      assert.ok(reason instanceof DynuserError, String(reason));
      assert.deepEqual([reason.code, reason.detail.field], ['DirectoryFailed', 'stateDirectory']);
      const [, path = '', said] = /^\w+ (\/\S+): (.*)$/.exec(reason.message) ?? [];
      assert.equal(said, `${words} (${error})`, reason.message);
      assert.match(path, /\/foo\/x\/[01](?:\/\d+)?$/);
      assert.notEqual(lstatSync(path).uid, NEW, 'it is the one that could not be changed');
      return true;
    });
    assert.deepEqual([lstatSync(tree).uid, lstatSync(tree).gid, lstatSync(tree).mode & 0o7777], [0, 65_534, 0o700]);
    assert.deepEqual(readdirSync(`${setup.root}/lib/private`), ['foo'], 'no lock is left');

    // Whoever comes next: the one it was to go to, the one it came from, or a third.
    for (const next of [THIRD, OLD, NEW]) {
      const { directories } = await setup.prepare(userOf(next), ['foo']);
      assert.equal(directories[0]?.handover, 'chown');
      assert.deepEqual([...owners(tree)], [[`${next}:${next}`, INODES]]);
    }
    assert.ok(contents(tree).equals(before));
  });
}

test('nothing is lost where the first write of all is refused', async context => {
  const setup = openSetup(context);
  await setup.prepare(userOf(OLD), ['foo']);
  const tree = `${setup.root}/lib/private/foo`;
  mkdirSync(`${tree}/x`);
  const refusing = `${setup.root}/refusing-helper`;
  const strace = 'strace -f -qqq -o /dev/null -e inject=fchown:error=EROFS';
  writeFileSync(refusing, `#!/bin/sh\nexec ${strace} "${HELPER}" "$@"\n`, { mode: 0o755 });
  await assert.rejects(openSetup(context, refusing, setup.root).prepare(userOf(NEW), ['foo']), /read-only file system/);
  assert.equal(lstatSync(tree).uid, OLD, 'it is still its former user’s');
  assert.equal((await setup.prepare(userOf(OLD), ['foo'])).directories[0]?.handover, 'none');
});
