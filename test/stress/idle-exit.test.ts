/** Around the moment at which an idle daemon exits, over and over: whoever asks is answered. */
// runs alone: it meets the moment at which a daemon exits
// time limit: 300 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const NAME = 'io.dynuser.Allocator1';
const CALL = ['busctl', 'call', NAME, '/io/dynuser/Allocator1', NAME];
const ROUNDS = 16;

describe('the exit of an idle daemon beside systemd', () => {
  let machine: Machine;
  let host: Installed;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    host = new Installed(machine);
    await machine.write('/etc/dynuser/dynuserd.conf', 'ExitIdleSec=1\nCoolDownSec=0\n');
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service', 'dynuserd.socket']);
  });
  after(() => machine.stop());

  const show = (property: string) =>
    machine.output(['systemctl', 'show', '--value', '-p', property, 'dynuserd.service']);

  /** Counts the processes of the service while something runs. */
  async function generations(work: Promise<unknown>): Promise<number> {
    const pids = new Set<string>();
    let over = false;
    const watch = (async () => {
      while (!over) {
        const pid = await show('MainPID');
        if (pid !== '0') {
          pids.add(pid);
        }
        await sleep(100);
      }
    })();
    await work.finally(() => {
      over = true;
    });
    await watch;
    return pids.size;
  }

  async function untilInactive(): Promise<void> {
    await until('it is inactive', async () => (await show('ActiveState')) === 'inactive');
    assert.equal(await show('Result'), 'success');
  }

  it('fails no connection around the moment at which it exits', async () => {
    let text = '';
    const hammer = host.program('hammer', { timeoutMs: 120_000 }, [String(ROUNDS), '40', '960', '200']);
    const count = await generations(hammer.then(output => (text = output)));
    const { calls, failures } = JSON.parse(text);
    assert.deepEqual(failures, []);
    assert.equal(calls, ROUNDS * 40);
    assert.ok(count > 3, `it was started ${count} times`);
    await untilInactive();
    await host.untilNothingIsKept();
  });

  it('fails no call on the bus either', async () => {
    const script = `
      for round in $(seq ${ROUNDS}); do
        for one in 1 2 3 4 5 6; do
          ${CALL.join(' ')} GetDynamicUsers >/dev/null || echo failed &
          sleep 0.01
        done
        wait
        sleep 0.$((960 + RANDOM % 40)); sleep 0.0$((RANDOM % 10)); sleep 0.0$((RANDOM % 10))
      done`;
    let text = '';
    const count = await generations(
      machine.output(['bash', '-c', script], { timeoutMs: 120_000 }).then(output => (text = output)),
    );
    assert.equal(text, '');
    assert.ok(count > 3, `it was started ${count} times`);
    await untilInactive();
  });
});
