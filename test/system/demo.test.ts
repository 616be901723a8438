/** The demo passes, as root and, where the kernel lets everybody make user namespaces, as anybody. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { CHECKOUT } from '../../src/tooling/checkout.ts';

const DEADLINE_MS = 120_000;
const DEMO = `${CHECKOUT}dist/test/demo/demo.js`;
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] as const;

const isRoot = process.getuid?.() === 0;

/** Whether another user can read the checkout and run Node, and may make what the machine of the demo stands on. */
function anybodyCan(): boolean {
  const [program, ...options] = NOBODY;
  const attempt = ['unshare', '--user', '--map-root-user', '--mount', process.execPath, '--check', DEMO];
  return spawnSync(program, [...options, ...attempt], { timeout: DEADLINE_MS }).status === 0;
}

async function passes(prefix: readonly string[]): Promise<string> {
  const [program = '', ...rest] = [...prefix, process.execPath, DEMO];
  const { stdout } = await promisify(execFile)(program, rest, { timeout: DEADLINE_MS });
  assert.match(stdout, /\nThe demo passed: \d+ commands did what they should\.\n$/);
  return stdout;
}

describe('the demo', () => {
  it('passes as root, with dynuser-run', { skip: !isRoot }, async () => {
    assert.match(await passes([]), /^# dynuser-run .*StateDirectory=/m);
  });

  it('passes without root', {
    skip: isRoot && !anybodyCan() && 'nobody else may make user namespaces here',
  }, async () => {
    assert.match(await passes(isRoot ? NOBODY : []), /dynuser-run is shown to root alone/);
  });
});
