import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rehearse, rehearseOnce } from '../../../src/api/rehearsal.ts';

const KERNEL = { processor: 'x64', deniesWriteExecute: true };

test('what is rehearsed is a whole launch, with a mount namespace and its mounts', async () => {
  const plan = rehearseOnce(KERNEL);
  assert.equal(plan.uid, 61_184);
  assert.equal(plan.mountNamespace, true);
  assert.ok(plan.mountOps.length > 0);
  await rehearse(KERNEL);
});
