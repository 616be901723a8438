import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';

test('the flags are known to this Node, whichever it is', () => {
  const script = `import { tierUpSooner } from '${CHECKOUT}dist/src/host/tier-up.js'; tierUpSooner();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  // V8 complains of a flag that it does not know, and continues.
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});
