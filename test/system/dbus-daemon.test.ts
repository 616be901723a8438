/** The installed daemon on the system bus of a real systemd: started by who asks, and leases that end with what they are bound to. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Machine } from '../support/machine.ts';

const DEADLINE_MS = 30_000;
const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
const NAME = 'io.dynuser.Allocator1';
const PATH = '/io/dynuser/Allocator1';

describe('the daemon on the system bus', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service']);
  });
  after(() => machine.stop());

  const call = (method: string, ...argv: readonly string[]) =>
    machine.run(['busctl', 'call', NAME, PATH, NAME, method, ...argv]);
  const acquire = (unit: string, lifetime: string) =>
    call('Acquire', 'sa{sv}', `${unit}.service`, '1', 'lifetime', 's', lifetime);
  const users = async (): Promise<string[]> => {
    const { stdout } = await call('GetDynamicUsers');
    return [...stdout.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name);
  };
  const untilUsers = async (...wanted: readonly string[]): Promise<void> => {
    const deadline = Date.now() + DEADLINE_MS;
    for (let found = await users(); found.join() !== wanted.join(); found = await users()) {
      assert.ok(Date.now() < deadline, `there still are ${found.join(', ') || 'no users'}`);
      await sleep(20);
    }
  };

  it('is started by the first call', async () => {
    assert.equal((await machine.run(['systemctl', 'is-active', 'dynuserd.service'])).stdout, 'inactive\n');
    const { stdout } = await acquire('dynamic-user-test', 'explicit');
    assert.match(stdout, /^uusbs 64642 64642 "dynamic-user-test" true "[0-9a-f]{32}"\n$/);
    assert.equal(await machine.output(['id', '-u', 'dynamic-user-test']), '64642');
    assert.equal((await call('LookupDynamicUserByUID', 'u', '64642')).stdout, 's "dynamic-user-test"\n');
  });

  it('ends a lease with its unit, and refuses one for a unit that is not there', async () => {
    await machine.output(['systemd-run', '--quiet', '--unit=web', 'sleep', 'infinity']);
    assert.equal((await acquire('web', 'unit')).status, 0);
    await untilUsers('dynamic-user-test', 'web');
    await machine.output(['systemctl', 'stop', 'web']);
    await untilUsers('dynamic-user-test');
    assert.match((await acquire('web', 'unit')).stderr, /the unit web\.service is not active/);
  });

  it('gives a unit its lease from its own ExecStartPre=, for as long as it lives', async () => {
    const before = `ExecStartPre=/usr/bin/busctl call ${NAME} ${PATH} ${NAME} Acquire sa{sv} self.service 1 lifetime s unit`;
    await machine.output(['systemd-run', '--quiet', '--unit=self', '-p', before, 'sleep', 'infinity']);
    await untilUsers('dynamic-user-test', 'self');
    await machine.output(['systemctl', 'daemon-reexec']);
    await machine.output(['systemctl', 'kill', '-s', 'KILL', 'self']);
    await untilUsers('dynamic-user-test');
  });

  it('ends a lease with the connection of its caller', async () => {
    assert.equal((await acquire('brief', 'connection')).status, 0);
    await untilUsers('dynamic-user-test');
  });

  it('ends a lease whose unit ended while daemon and bus were away', async () => {
    await machine.output(['systemd-run', '--quiet', '--unit=apart', 'sleep', 'infinity']);
    assert.equal((await acquire('apart', 'unit')).status, 0);
    await machine.output(['systemctl', 'stop', 'dynuserd.service', 'dynuserd.socket', 'dbus.service', 'dbus.socket']);
    await machine.output(['systemctl', 'stop', 'apart']);
    await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service', 'dynuserd.service']);
    await untilUsers('dynamic-user-test');
  });

  it('serves on without a bus, and says why a unit cannot be followed', async () => {
    await machine.output(['systemctl', 'stop', 'dbus.socket', 'dbus.service']);
    assert.match(await machine.output(['dynuserctl', 'list', '--no-legend']), /^64642 /);
    const method = 'io.dynuser.Allocator.Acquire';
    const parameters = '{"unit":"dynuserd.service","lifetime":"unit"}';
    const refused = await machine.run(['varlinkctl', 'call', '--json=short', SOCKET, method, parameters]);
    assert.match(refused.stderr, /io\.dynuser\.Allocator\.ProbeFailed/);
    assert.match(refused.stdout, /leases cannot be bound to units: cannot use the message bus at \/run\/dbus\//);
  });
});
