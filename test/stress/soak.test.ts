/** An hour's worth of use in a minute or two: what the daemon has at the end is what it had at the start. */
// runs alone: it loads every processor
// time limit: 420 s
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { DYNUSER_NSSWITCH } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';

/** One a second for an hour; a faster machine does more of them. */
const USES = 3_600;
const AT_LEAST_MS = 45_000;
const DEADLINE_MS = 400_000;

test('leases of every lifetime, launches, watches, lookups and directories, over and over, leave nothing behind', async t => {
  const machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: DYNUSER_NSSWITCH });
  try {
    await machine.write('/etc/dynuser/dynuserd.conf', 'LogLevel=warn\n');
    await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service']);
    const program = `${CHECKOUT}dist/test/support/programs/soak.js`;
    const argv = [process.execPath, program, String(USES), String(AT_LEAST_MS)];
    const { uses, leases, memory } = JSON.parse(await machine.output(argv, { timeoutMs: DEADLINE_MS }));
    t.diagnostic(`${uses} uses, ${leases} leases; memory, in KiB: ${memory.join(', ')}`);
    assert.ok(uses >= USES);
  } finally {
    await machine.stop();
  }
});
