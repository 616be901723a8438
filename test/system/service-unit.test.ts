/** dynuserd.service as systemd runs it: it reloads, and comes back after every end but a wanted one. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Machine } from '../support/machine.ts';

const DEADLINE_MS = 15_000;

describe('dynuserd.service', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd']);
  });
  after(() => machine.stop());

  const show = (property: string) => machine.output(['systemctl', 'show', '-P', property, 'dynuserd']);
  const until = async (what: string, condition: () => Promise<boolean>): Promise<void> => {
    for (const deadline = Date.now() + DEADLINE_MS; !(await condition()); await sleep(20)) {
      assert.ok(Date.now() < deadline, `never: ${what}`);
    }
  };

  it('systemctl reload reads the configuration again, in the same process', async () => {
    const pid = await show('MainPID');
    const acquire = () => machine.run(['dynuserctl', 'acquire', 'peers.service'], { uid: 4_711 });
    assert.equal((await acquire()).status, 1);
    await machine.write('/etc/dynuser/dynuserd.conf', 'AllowUsers=4711\n');
    await machine.output(['systemctl', 'reload', 'dynuserd']);
    await until('the new configuration is in force', async () => (await acquire()).status === 0);
    await until('it is active again', async () => (await show('ActiveState')) === 'active');
    assert.equal(await show('MainPID'), pid);
    assert.equal((await machine.run(['systemctl', 'show', '-P', 'Result', 'dynuserd'])).stdout, 'success\n');
  });

  for (const signal of ['TERM', 'INT', 'KILL', 'USR2', 'ABRT']) {
    it(`it comes back after SIG${signal} of somebody`, async () => {
      const pid = await show('MainPID');
      await machine.output(['kill', '-s', signal, pid]);
      const isBack = async () => !['0', pid].includes(await show('MainPID')) && (await show('SubState')) === 'running';
      await until('it runs again', isBack);
      assert.equal((await machine.run(['dynuserctl', 'list'])).status, 0);
    });
  }

  it('SIGHUP, SIGUSR1 and SIGPIPE of somebody end nothing', async () => {
    const pid = await show('MainPID');
    for (const signal of ['HUP', 'USR1', 'PIPE', 'HUP']) {
      await machine.output(['kill', '-s', signal, pid]);
    }
    assert.equal((await machine.run(['dynuserctl', 'list'])).status, 0);
    assert.equal(await show('MainPID'), pid);
  });

  it('it stays away after a stop', async () => {
    await machine.output(['systemctl', 'stop', 'dynuserd']);
    await sleep(500);
    assert.deepEqual([await show('ActiveState'), await show('Result')], ['inactive', 'success']);
  });
});
