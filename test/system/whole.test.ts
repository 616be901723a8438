/** The installed daemon, sandboxed as its unit says, beside a real systemd: trees that change sides, units, and the bus. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DYNUSER_NSSWITCH, errorOf, Installed, replyOf } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';
const BUS = ['io.dynuser.Allocator1', '/io/dynuser/Allocator1', 'io.dynuser.Allocator1'];

describe('the installed daemon beside systemd', () => {
  let machine: Machine;
  let host: Installed;

  before(async () => {
    const nsswitch = { ...DYNUSER_NSSWITCH, passwd: 'files dynuser systemd', group: 'files dynuser systemd' };
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch, varLib: 'disk' });
    host = new Installed(machine);
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\nAllowUsers=2\n');
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dbus.socket', 'dbus.service', 'dynuserd.service']);
  });
  after(() => machine.stop());

  async function acquire(parameters: Record<string, unknown>) {
    return replyOf((await host.calls([[ACQUIRE, { lifetime: 'explicit', ...parameters }]]))[0]);
  }
  const release = (lease: unknown) => host.calls([[RELEASE, { lease }]]);
  const handover = (reply: Record<string, unknown>) =>
    (reply['directories'] as Record<string, unknown>[])[0]?.['handover'];

  /** Runs a command as a DynamicUser= unit with the state directory, to its end. */
  const unit = (name: string, command: string) =>
    machine.output(
      [
        'systemd-run',
        '--wait',
        '--quiet',
        '--pipe',
        '-u',
        name,
        '-p',
        'DynamicUser=yes',
        '-p',
        'StateDirectory=shared',
      ].concat(['sh', '-c', command]),
    );

  it('takes over what a DynamicUser= unit wrote, and gives it back, mapped and chowned', async () => {
    await unit('sysd', 'mkdir -p $STATE_DIRECTORY/deep/er; echo one >$STATE_DIRECTORY/deep/er/file');
    assert.equal(await machine.sh('stat -c "%u" /var/lib/private/shared/deep/er/file'), '65534', 'systemd maps it');

    const mapped = await acquire({ unit: 'ours.service', stateDirectory: ['shared'], makesMounts: true });
    assert.equal(handover(mapped), 'map');
    assert.equal(await machine.sh('stat -c "%u" /var/lib/private/shared/deep/er/file'), '65534');
    await release(mapped['lease']);

    const owned = await acquire({ unit: 'ours.service', stateDirectory: ['shared'] });
    assert.equal(handover(owned), 'chown');
    assert.equal(await machine.sh('stat -c "%u" /var/lib/private/shared/deep/er/file'), String(owned['uid']));
    await machine.sh(`setpriv --reuid=${owned['uid']} --regid=${owned['uid']} --clear-groups true`);
    await release(owned['lease']);

    const back = 'cat $STATE_DIRECTORY/deep/er/file; echo two >>$STATE_DIRECTORY/deep/er/file; id -u';
    assert.equal(await unit('sysd', back), `one\n${owned['uid']}`, 'systemd reuses the owner of the directory');
    const again = await acquire({ unit: 'ours.service', stateDirectory: ['shared'] });
    assert.equal(handover(again), 'none');
    assert.equal(await machine.sh('cat /var/lib/shared/deep/er/file'), 'one\ntwo');
    await release(again['lease']);
  });

  it('moves a static service’s directory below /var/lib/private, and back', async () => {
    await machine.sh(
      'mkdir -p /var/lib/moving && echo kept >/var/lib/moving/file && chown -R games:games /var/lib/moving',
    );
    const dynamic = await acquire({ unit: 'moving.service', stateDirectory: ['moving'] });
    assert.equal(await machine.sh('readlink /var/lib/moving'), 'private/moving');
    assert.equal(await machine.sh('stat -c %u /var/lib/private/moving/file'), String(dynamic['uid']));
    await release(dynamic['lease']);
    const fixed = await acquire({ unit: 'x.service', userName: 'games', stateDirectory: ['moving'] });
    assert.equal(fixed['dynamic'], false);
    assert.equal(await machine.sh('stat -c "%F %U" /var/lib/moving'), 'directory games');
    assert.equal(await machine.sh('cat /var/lib/moving/file; ls /var/lib/private'), 'kept\nshared');
    assert.equal(await machine.sh('stat -c %U /var/lib/moving/file'), 'games');
    await release(fixed['lease']);
  });

  it('binds a lease to a unit, over a restart of the daemon and a re-execution of systemd', async () => {
    const gone = async () => (await machine.run(['getent', 'passwd', 'held'])).status !== 0;
    const refused = await host.calls([[ACQUIRE, { unit: 'held.service', lifetime: 'unit' }]]);
    const { error, parameters } = errorOf(refused[0]);
    assert.equal(error, 'io.dynuser.Allocator.LifetimeEnded', String(parameters['reason']));
    assert.match(String(parameters['reason']), /held\.service is not active/);
    await machine.output(['systemd-run', '--quiet', '-u', 'held', 'sleep', '600']);
    await acquire({ unit: 'held.service', lifetime: 'unit' });
    await machine.output(['systemctl', 'restart', 'dynuserd.service']);
    await machine.output(['systemctl', 'daemon-reexec']);
    await sleep(500);
    assert.equal(await gone(), false);
    await machine.output(['systemctl', 'stop', 'held.service']);
    await until('the user has ended', gone);
  });

  it('answers on the bus, and says there who comes and goes', async () => {
    const call = (...argv: string[]) => machine.run(['busctl', 'call', ...BUS, ...argv]);
    const monitor = await machine.spawn(['busctl', 'monitor', '--json=short', 'io.dynuser.Allocator1']);
    let seen = '';
    monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    await until('the monitor sees what is called', async () => {
      await call('GetDynamicUsers');
      return seen !== '';
    });
    const acquired = await call('Acquire', 'sa{sv}', 'bus.service', '1', 'lifetime', 's', 'explicit');
    const [, uid, , , , lease] = acquired.stdout.trim().split(' ');
    assert.equal((await call('LookupDynamicUserByName', 's', 'bus')).stdout, `u ${uid}\n`);
    assert.equal((await call('LookupDynamicUserByUID', 'u', String(uid))).stdout, 's "bus"\n');
    assert.match((await call('GetDynamicUsers')).stdout, new RegExp(`^a\\(us\\) \\d+ .*${uid} "bus"`));
    assert.match((await call('LookupDynamicUserByUID', 'u', '61184')).stderr, /no dynamic user|NoSuchDynamicUser/i);
    const denied = await machine.run(['busctl', 'call', ...BUS, 'Acquire', 'sa{sv}', 'x.service', '0'], { uid: 1 });
    assert.match(denied.stderr, /may not acquire/);
    const naming = ['Acquire', 'sa{sv}', 'x.service', '1', 'stateDirectory', 'as', '1', 'dpkg'];
    const allowed = await machine.run(['busctl', 'call', ...BUS, ...naming], { uid: 2 });
    assert.match(allowed.stderr, /the user 2 may acquire users, but name no directories/);
    assert.equal((await call('Release', 's', String(lease).replaceAll('"', ''))).status, 0);
    // Those of users before it may still be on their way when the monitor begins.
    const released = /"member":"UserReleased".*"bus"/;
    await until(
      () => `the bus says who goes; it says: ${seen}`,
      () => released.test(seen),
    );
    assert.match(seen, /"member":"UserAllocated".*"bus"/);
    assert.match(await machine.output(['busctl', 'introspect', ...BUS]), /\.GetDynamicUsers\s+method/);
    monitor.kill('SIGTERM');
    await monitor.ended;
  });
});
