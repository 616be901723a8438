/** The installed daemon exits when it is idle, beside a real systemd that starts it again: whoever asks meanwhile is answered. */
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const NAME = 'io.dynuser.Allocator1';
const CALL = ['busctl', 'call', NAME, '/io/dynuser/Allocator1', NAME];
/** Longer than a client takes to start on a busy machine: it has to be there before the daemon goes. */
const IDLE_SEC = 3;

describe('the exit of an idle daemon beside systemd', () => {
  let machine: Machine;
  let host: Installed;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    host = new Installed(machine);
    await machine.write('/etc/dynuser/dynuserd.conf', `ExitIdleSec=${IDLE_SEC}\nCoolDownSec=0\n`);
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service', 'dynuserd.socket']);
  });
  after(() => machine.stop());

  const show = (property: string) =>
    machine.output(['systemctl', 'show', '--value', '-p', property, 'dynuserd.service']);

  async function untilInactive(): Promise<void> {
    await until('it is inactive', async () => (await show('ActiveState')) === 'inactive');
    assert.equal(await show('Result'), 'success');
  }

  it('who comes on the bus while it gives its name back is answered, and the next one sees to that user', async () => {
    await machine.output([...CALL, 'GetDynamicUsers']);
    const pid = await show('MainPID');
    const argv = [process.execPath, `${CHECKOUT}dist/test/support/programs/late-call.js`, 'late.service'];
    const late = await machine.spawn(argv);
    const lines = createInterface({ input: late.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, 'ready');
    const bus = await machine.output(['systemctl', 'show', '--value', '-p', 'MainPID', 'dbus.service']);
    // The bus takes the call before it hears that the name is given back.
    await machine.output(['kill', '-STOP', bus]);
    late.stdin.write('now\n');
    await until('it goes', async () => (await show('ActiveState')) === 'deactivating');
    await machine.output(['kill', '-CONT', bus]);
    assert.match(String((await lines.next()).value), /^\[\d+,\d+,"late",true,"[0-9a-f]{32}"\]$/);
    await until(
      'the next one runs',
      async () => (await show('ActiveState')) === 'active' && (await show('MainPID')) !== pid,
    );
    assert.equal((await machine.run(['getent', 'passwd', 'late'])).status, 0);
    await host.ctl(['release', 'late']);
    await untilInactive();
  });

  it('a user keeps it, and its end lets it go', async () => {
    await machine.output([...CALL, 'Acquire', 'sa{sv}', 'kept.service', '1', 'lifetime', 's', 'explicit']);
    const pid = await show('MainPID');
    await sleep(IDLE_SEC * 1_500);
    assert.equal(await show('MainPID'), pid);
    await host.ctl(['release', 'kept']);
    await untilInactive();
  });
});
