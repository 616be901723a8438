/** doctor beside the real systemd: the system bus, the user database, a daemon that hangs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { Machine } from '../support/machine.ts';

const LINES = 'files dynuser systemd';
let machine: Machine;

before(async () => {
  const nsswitch = { passwd: LINES, group: LINES, shadow: LINES, gshadow: LINES };
  machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch });
  await machine.output(['systemctl', 'start', 'dbus.socket', 'systemd-userdbd.socket']);
});
after(() => machine.stop());

/** @returns what is not ok, each with its level */
async function findingsNotOk(...options: readonly string[]): Promise<string[]> {
  const { stdout } = await machine.run(['dynuserctl', 'doctor', '--json=short', ...options]);
  const findings: Finding[] = JSON.parse(stdout);
  assert.ok(findings.length > 10);
  return findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => `${level} ${check}`);
}

test('a fresh host as the README sets it up is well, before anything has asked the daemon', async () => {
  await machine.output(['systemctl', 'enable', '--now', 'dynuserd.socket']);
  // Nobody lives who could be looked up: that is not known, and no alarm.
  assert.deepEqual(await findingsNotOk(), ['unknown Lookups']);
  const { status, stdout } = await machine.run(['dynuserctl', 'doctor', '--try']);
  assert.match(stdout, /\n0 problems, 0 warnings\.\n$/);
  assert.doesNotMatch(stdout, /^(?!ok )[a-z]+ {2}/m);
  assert.equal(status, 0);
  assert.equal(await machine.output(['dynuserctl', 'list', '--json=short']), '[]');
});

test('a host with a live user is well', async () => {
  await machine.output(['dynuserctl', 'acquire', 'web.service']);
  assert.deepEqual(await findingsNotOk(), []);
  assert.deepEqual(await findingsNotOk('--try'), []);
});

test('a source that goes to the network, which the unit does not have', async () => {
  await machine.output(['sed', '-i', 's/^passwd: .*/passwd: files dynuser systemd nis/', '/etc/nsswitch.conf']);
  assert.deepEqual(await findingsNotOk(), ['warning Network of the daemon']);
  const dropIn = '[Service]\nPrivateNetwork=no\n';
  await machine.write('/run/systemd/system/dynuserd.service.d/network.conf', dropIn);
  await machine.sh('systemctl daemon-reload && systemctl restart dynuserd');
  assert.deepEqual(await findingsNotOk(), []);
});

test('no link in the user database, and no policy on the bus', async () => {
  await machine.output(['rm', '/run/systemd/userdb/io.dynuser.DynamicUser']);
  await machine.output(['rm', '/usr/share/dbus-1/system.d/io.dynuser.Allocator1.conf']);
  assert.deepEqual(await findingsNotOk(), ['warning User database', 'warning D-Bus']);
});

test('a daemon that hangs costs a bounded wait, and all else is looked at', async () => {
  const pid = await machine.output(['systemctl', 'show', '-P', 'MainPID', 'dynuserd']);
  await machine.output(['kill', '-STOP', pid]);
  const found = await findingsNotOk();
  assert.deepEqual(found, ['problem Daemon', 'warning User database', 'unknown Ended users', 'warning D-Bus']);
  await machine.output(['kill', '-CONT', pid]);
});
