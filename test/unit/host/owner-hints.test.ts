/** The hint of a directory, as the kernel keeps it; root alone sees it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { asUid, type Uid } from '../../../src/core/ids.ts';
import { HostOwnerHints } from '../../../src/host/owner-hints.ts';

const uid = (number: number): Uid => asUid(number) ?? assert.fail();
const hints = new HostOwnerHints();

/** A directory that is open for a test, and its attribute, by another program. */
function open(context: TestContext) {
  const path = mkdtempSync(`${tmpdir()}/dynuser-hints-`);
  const descriptor = openSync(path, 'r');
  context.after(() => {
    closeSync(descriptor);
    rmSync(path, { recursive: true });
  });
  const python = (call: string, ...values: readonly string[]) =>
    execFileSync('python3', ['-c', `import os, sys; ${call}`, path, ...values], { encoding: 'utf8' });
  return {
    descriptor,
    set: (value: string) => python(`os.setxattr(sys.argv[1], 'trusted.dynuser.uid', sys.argv[2].encode())`, value),
    get: () => python(`print(os.getxattr(sys.argv[1], 'trusted.dynuser.uid').decode(), end='')`),
  };
}

describe('the hint of a directory', { skip: process.geteuid?.() !== 0 && 'root alone sees it' }, () => {
  it('is the UID that was written last', async context => {
    const { descriptor, get } = open(context);
    assert.equal(await hints.read(descriptor), undefined);
    for (const number of [61_184, 61_184, 4_294_967_294, 1]) {
      await hints.write(descriptor, uid(number));
      assert.equal(get(), String(number));
      assert.equal(await hints.read(descriptor), number);
      assert.equal(await hints.read(descriptor, true), number, 'on this thread, too');
    }
  });

  it('is not a UID of a user if it is anything else, and is replaced then', async context => {
    const { descriptor, set } = open(context);
    for (const value of ['', '0', '01', '-1', 'x', '1x', '4294967295', '61184\n', '12345678901']) {
      set(value);
      assert.equal(await hints.read(descriptor), undefined, JSON.stringify(value));
      assert.equal(await hints.read(descriptor, true), undefined, JSON.stringify(value));
    }
    await hints.write(descriptor, uid(61_185));
    assert.equal(await hints.read(descriptor), 61_185);
  });
});

it('what can have no hint has none, and it is not an error to write it', async () => {
  const descriptor = openSync('/proc', 'r');
  await hints.write(descriptor, uid(61_184));
  assert.equal(await hints.read(descriptor), undefined);
  assert.equal(await hints.read(descriptor, true), undefined);
  closeSync(descriptor);
});
