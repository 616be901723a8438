/** The installed daemon under systemd while something around it goes: the bus, stopped, hung or killed. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const DEADLINE_MS = 20_000;
const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
const NAME = 'io.dynuser.Allocator1';
const PATH = '/io/dynuser/Allocator1';

describe('the daemon under systemd', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service', 'dynuserd.socket', 'dynuserd.service']);
  });
  after(() => machine.stop());

  const systemctl = (...argv: readonly string[]) => machine.output(['systemctl', ...argv]);
  const run = (unit: string) => machine.output(['systemd-run', '--quiet', `--unit=${unit}`, 'sleep', 'infinity']);
  const acquire = (unit: string, timeoutMs = DEADLINE_MS) => {
    const parameters = JSON.stringify({ unit: `${unit}.service`, lifetime: 'unit' });
    const argv = ['varlinkctl', 'call', '--json=short', SOCKET, 'io.dynuser.Allocator.Acquire', parameters];
    return machine.run(argv, { timeoutMs });
  };
  const resolves = async (name: string) => (await machine.run(['id', name])).status === 0;
  it('keeps the lease of a unit over a restart of the bus, and ends it when the unit has ended, in between or after', async () => {
    for (const unit of ['between', 'beyond']) {
      await run(unit);
      assert.equal((await acquire(unit)).status, 0);
    }
    await systemctl('kill', '-s', 'KILL', 'dbus.service');
    await systemctl('stop', 'dbus.socket', 'dbus.service');
    await systemctl('stop', 'between');
    await systemctl('daemon-reexec');
    assert.ok(await resolves('between'), 'nobody could tell that it has ended');
    await systemctl('start', 'dbus.socket', 'dbus.service');
    await until('what ended meanwhile is gone', async () => !(await resolves('between')));
    assert.ok(await resolves('beyond'));
    await systemctl('kill', '-s', 'SEGV', 'beyond');
    await until('a unit that fails ends its lease', async () => !(await resolves('beyond')));
  });

  it('refuses what needs a bus that hangs within a bounded time, serves all else, and sees what ended when it continues', async () => {
    await run('hung');
    assert.equal((await acquire('hung')).status, 0);
    await systemctl('kill', '-s', 'STOP', 'dbus.service');
    try {
      const waiting = acquire('dbus');
      assert.match(await machine.output(['dynuserctl', 'acquire', 'served.service']), /^\d+$/);
      await machine.output(['dynuserctl', 'release', 'served']);
      const refused = await waiting;
      assert.match(refused.stderr, /io\.dynuser\.Allocator\.ProbeFailed/);
      assert.match(refused.stdout, /no answer|does not (?:say|answer)|within/);
      await systemctl('stop', 'hung');
    } finally {
      await systemctl('kill', '-s', 'CONT', 'dbus.service');
    }
    await until('the end of the unit is seen', async () => !(await resolves('hung')));
    await until('units can be followed again', async () => (await acquire('dbus')).status === 0);
    assert.equal((await machine.run(['dynuserctl', 'release', '--all', 'dbus'])).status, 0);
  });

  it('is introspected, called and monitored with busctl', async () => {
    const introspected = await machine.output(['busctl', 'introspect', NAME, PATH]);
    for (const member of ['Acquire +method', 'Release +method', 'UserAllocated +signal', 'UserReleased +signal']) {
      assert.match(introspected, new RegExp(`^\\.${member}`, 'm'));
    }
    const monitor = await machine.spawn(['busctl', 'monitor', '--json=short', NAME]);
    let heard = '';
    for (const stream of [monitor.stdout, monitor.stderr]) {
      stream.setEncoding('utf8').on('data', chunk => {
        heard += chunk;
      });
    }
    // It does not say when it has begun.
    await until('it hears', async () => {
      await machine.run(['busctl', 'call', NAME, PATH, NAME, 'GetDynamicUsers']);
      return heard !== '';
    });
    const call = ['busctl', 'call', NAME, PATH, NAME];
    const answer = await machine.output([
      ...call,
      'Acquire',
      'sa{sv}',
      'seen.service',
      '1',
      'lifetime',
      's',
      'explicit',
    ]);
    const lease = /"([0-9a-f]{32})"$/.exec(answer)?.[1] ?? '';
    await machine.output([...call, 'Release', 's', lease]);
    await until('both signals are heard', async () =>
      /"UserAllocated".*"seen"[\s\S]*"UserReleased".*"seen"/.test(heard),
    );
    monitor.kill('SIGTERM');
    await monitor.ended;
  });
});
