/** A daemon that is killed at every step of making and of ending a user, with a thousand leases of all lifetimes beside. */
// time limit: 900 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { Machine } from '../support/machine.ts';

const LEASES = 1_000;
const DEADLINE_MS = 840_000;
/** Connections wait for the program that kills, however slow the machine is. */
const CONFIG = 'ConnectionGraceSec=600\nIdleTimeoutSec=3600\nLogLevel=warn\n';

describe('a daemon that is killed at every step', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    await machine.write('/etc/dynuser/dynuserd.conf', CONFIG);
    await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service']);
  });
  after(() => machine.stop());

  it('keeps what was answered, takes back what was not, and ends what had begun to end', async t => {
    const program = `${CHECKOUT}dist/test/support/programs/kill-steps.js`;
    const text = await machine.output([process.execPath, program, String(LEASES)], { timeoutMs: DEADLINE_MS });
    const { kills, missed, steps } = JSON.parse(text);
    t.diagnostic(`${kills} kills, ${missed} that came too late; ${Object.keys(steps).length} scenarios`);
    assert.ok(kills > 70, `${kills} kills`);
  });
});
