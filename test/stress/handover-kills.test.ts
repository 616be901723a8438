// time limit: 420 s
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';

/** Handovers that are cut short by the death of their helper, and as many by that of the daemon. */
const EACH = 100;
const DEADLINE_MS = 400_000;

test(`${2 * EACH} handovers whose helper or daemon is killed: each is completed by the next acquisition, none is answered half done`, async t => {
  const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
  try {
    const host = new Installed(machine);
    const text = await host.program('handover-kills', { timeoutMs: DEADLINE_MS }, [String(EACH)]);
    const interrupted: { readonly helper: number; readonly daemon: number } = JSON.parse(text);
    t.diagnostic(
      `in the middle of a walk: ${interrupted.helper} of ${EACH} helpers, ${interrupted.daemon} of ${EACH} by the daemon`,
    );
    assert.ok(interrupted.helper > EACH / 10 && interrupted.daemon > EACH / 10, text);
  } finally {
    await machine.stop();
  }
});
