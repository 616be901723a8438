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
  await machine.output(['systemctl', 'start', 'dbus.socket', 'systemd-userdbd.socket', 'dynuserd']);
  await machine.output(['dynuserctl', 'acquire', 'web.service']);
});
after(() => machine.stop());

/** @returns what is not ok, each with its level */
async function amiss(): Promise<string[]> {
  const { stdout } = await machine.run(['dynuserctl', 'doctor', '--json=short']);
  const findings: Finding[] = JSON.parse(stdout);
  assert.ok(findings.length > 10);
  return findings.filter(({ level }) => level !== 'ok').map(({ check, level }) => `${level} ${check}`);
}

test('a host as the README sets it up is well', async () => {
  assert.deepEqual(await amiss(), []);
});

test('no link in the user database, and no policy on the bus', async () => {
  await machine.output(['rm', '/run/systemd/userdb/io.dynuser.DynamicUser']);
  await machine.output(['rm', '/usr/share/dbus-1/system.d/io.dynuser.Allocator1.conf']);
  assert.deepEqual(await amiss(), ['warning User database', 'warning D-Bus']);
});

test('a daemon that hangs costs a bounded wait, and all else is looked at', async () => {
  const pid = await machine.output(['systemctl', 'show', '-P', 'MainPID', 'dynuserd']);
  await machine.output(['kill', '-STOP', pid]);
  const found = await amiss();
  assert.deepEqual(found, ['problem Daemon', 'warning User database', 'unknown Ended users', 'warning D-Bus']);
  await machine.output(['kill', '-CONT', pid]);
});
