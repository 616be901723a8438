/** The installed daemon under systemd is restarted and killed while many use it. */
// runs alone: it loads every processor
// time limit: 180 s
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const RESTARTS = 6;

let machine: Machine;
before(async () => {
  machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
  await machine.output(['systemctl', 'daemon-reload']);
  await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service', 'dynuserd.socket', 'dynuserd.service']);
});
after(() => machine.stop());

it('loses nothing that was answered when it is restarted under load', async () => {
  const load = await machine.spawn([process.execPath, `${CHECKOUT}dist/test/support/programs/load.js`]);
  let [text, complaints] = ['', ''];
  load.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk;
  });
  load.stderr.setEncoding('utf8').on('data', chunk => {
    complaints += chunk;
  });
  await until(
    'the connection has its lease',
    async () => (await machine.run(['getent', 'passwd', 'connected'])).status === 0,
  );
  for (let restart = 0; restart < RESTARTS; restart++) {
    await sleep(200);
    await machine.output([
      'systemctl',
      ...(restart % 2 === 0 ? ['restart', 'dynuserd'] : ['kill', '-s', 'KILL', 'dynuserd']),
    ]);
  }
  await until('it is back', async () => (await machine.run(['dynuserctl', 'list'])).status === 0);
  load.stdin.end();
  assert.equal(await load.ended, 0, complaints);
  const { answers, lost, claims, held } = JSON.parse(text);
  assert.ok(answers > 100 && held > 50 && lost > RESTARTS, text);
  assert.ok(claims >= 1, 'the lease of the connection was claimed');
  const leases: { userName: string }[] = JSON.parse(await machine.output(['dynuserctl', 'list', '--json=short']));
  for (const { userName } of leases) {
    await machine.run(['dynuserctl', 'release', '--all', userName]);
  }
  await until('nothing is left', async () => (await machine.output(['ls', '/run/dynuser/leases'])) === '');
});
