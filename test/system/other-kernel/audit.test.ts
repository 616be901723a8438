/**
 * Users that come and go are records of the kernel's audit. In a machine the kernel takes none, as in a container: so another kernel has to.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Machine } from '../../support/machine.ts';
import { runUnderOtherKernel, type StepResult, skipUnlessKernel } from '../../support/other-kernel.ts';

/** What nobody fetches the kernel writes to its log. */
const RECORDS =
  'tries=0; until dmesg | grep -q "type=1115" || [ $tries -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done; dmesg | grep -E "type=111[45]"';

describe('the audit of the kernel', { skip: skipUnlessKernel() }, () => {
  let machine: Machine;
  let results: ReadonlyMap<string, StepResult> = new Map();
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true });
    const steps = [
      { name: 'user', script: 'dynuserctl acquire web.service && dynuserctl release web' },
      { name: 'records', script: RECORDS },
    ];
    results = await runUnderOtherKernel(machine, steps, { parameters: ['audit=1'] });
  });
  after(() => machine?.stop());

  it('has a record of each begin and each end, with name and UID', () => {
    assert.equal(results.get('user')?.status, 0, results.get('user')?.text);
    const uid = results.get('user')?.text.trim();
    const records = results.get('records')?.text.trim().split('\n') ?? [];
    assert.equal(records.length, 2, records.join('\n'));
    for (const [index, type, operation] of [
      [0, 1114, 'add'],
      [1, 1115, 'delete'],
    ] as const) {
      const text = `type=${type} .* uid=0 .*msg='op=${operation}-dynamic-user id=${uid} acct="web" .*res=success'`;
      assert.match(records[index] ?? '', new RegExp(text));
    }
  });
});
