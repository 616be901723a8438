/** What an operator of a fleet is shown: who is of the fleet, what it says of a name, and hosts that are away. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Fleet } from '../../support/fleet/hosts.ts';
import { until } from '../../support/until.ts';

describe('an operator of a fleet', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await Fleet.boot({ hosts: 2 });
    await fleet.start();
  });
  after(() => fleet?.stop());

  const jsonOf = async (argv: readonly string[], host = 0) => {
    const { status, stdout, stderr } = await fleet.host(host).ctl(['--json=short', ...argv]);
    assert.equal(stderr, '');
    return { status, value: JSON.parse(stdout) };
  };

  it('sees which users of this host are of the fleet, and who lives elsewhere', async () => {
    const web = await fleet.host(0).acquire('web');
    const own = await fleet.host(0).acquire('own');
    const db = await fleet.host(1).acquire('db');
    const { value: leases } = await jsonOf(['list', 'web', 'own']);
    assert.deepEqual(
      leases.map(({ uid, userName, fleet: isOfFleet }: Record<string, unknown>) => [uid, userName, isOfFleet]),
      [
        [own, 'own', undefined],
        [web, 'web', true],
      ].sort(([one], [other]) => Number(one) - Number(other)),
    );
    assert.match((await fleet.host(0).ctl(['list', 'web'])).stdout, /^ *\d+ +web +web\.service +fleet +explicit /m);
    assert.match((await fleet.host(0).ctl(['show', 'web'])).stdout, /^ +Kind: fleet: its name has this UID/m);
    assert.equal((await jsonOf(['list', '--kind=fleet', 'own'])).value.length, 0);
    const everywhere = [
      { uid: web, userName: 'web', live: true },
      { uid: db, userName: 'db', live: false },
    ].sort((one, other) => one.uid - other.uid);
    await until('the host has heard of the other', async () => (await jsonOf(['list', '--fleet'])).value.length > 1);
    assert.deepEqual((await jsonOf(['list', '--fleet', 'web', 'db'])).value, everywhere);
    const table = await fleet.host(0).ctl(['list', '--fleet', '--sort=name']);
    assert.match(table.stdout, /^ *\d+ +db +-\n *\d+ +web +lives\n\n2 users of the fleet; 1 lives here\.\n$/m);
  });

  it('is told what the fleet says of a name, before it is used', async () => {
    const finding = async (name: string, host = 0) => {
      const { value } = await jsonOf(['explain', `--user=${name}`, 'some.service'], host);
      return [value.outcome, value.fleet?.outcome, value.fleet?.uid];
    };
    const db = await fleet.host(1).acquire('db');
    assert.deepEqual(await finding('own'), ['join', undefined, undefined]);
    assert.deepEqual(await finding('db', 1), ['join', 'held', db]);
    assert.deepEqual(await finding('db', 0), ['allocate', 'bound', db]);
    assert.deepEqual(await finding('f-new'), ['allocate', 'free', undefined]);
    assert.match(
      (await fleet.host(0).ctl(['explain', '--user=db', 'some.service'])).stdout,
      new RegExp(`^ +Fleet: bound \\(${db}\\): the name has this UID on every host`, 'm'),
    );
  });

  it('still knows hosts by their names when they are away, given up, and back', async () => {
    const shown = async () => (await fleet.host(0).fleet(['hosts', '--no-legend'])).stdout;
    assert.match(await shown(), /^host1 .* alive .*\nhost2 .* alive /);
    const away = fleet.host(1);
    await away.kill();
    await fleet.expire(away);
    await until('the other is away', async () => /^host2 .* away /m.test(await shown()));
    const { status, stderr } = await fleet.host(0).fleet(['forget-host', 'host2']);
    assert.deepEqual([status, /--powered-off/.test(stderr)], [2, true]);
    const { stdout } = await fleet.host(0).fleet(['forget-host', 'host2', '--powered-off']);
    assert.match(stdout, /^host2 is given up, and holds none of its /);
    assert.match(await shown(), /^host2 .* given up /m);
  });

  it('sees nobody of other hosts any more as soon as this one has left', async () => {
    const host = await fleet.addHost();
    await host.start();
    await host.untilMember();
    const found = async () => (await host.machine.run(['getent', 'passwd', 'web'])).status;
    await until('the host has heard of the others', async () => (await found()) === 0);
    const { status, stderr } = await host.fleet(['leave']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(await found(), 2);
    assert.deepEqual((await jsonOf(['list', '--fleet'], fleet.hosts.indexOf(host))).value, []);
  });

  it('is told what is wrong without the name of an option that is not', async () => {
    const host = fleet.host(0);
    host.companion?.kill('SIGTERM');
    await host.companion?.ended;
    const refused = await host.ctl(['acquire', '--user=f-other', 'f-other.service']);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /^dynuserctl: the fleet gives no UID for f-other: /);
    await host.release('web');
    assert.match((await host.fleet(['forget', 'web'])).stderr, /^dynuserctl: this host cannot forget web: /);
    assert.match((await host.fleet(['leave'])).stderr, /^dynuserctl: this host cannot leave the fleet: /);
    const { stdout } = await host.ctl(['explain', '--user=f-other', 'f-other.service']);
    assert.match(
      stdout,
      /^Outcome: refused: .*\n(?:.*\n)* +Fleet: unavailable: this host is not a member, and does not/,
    );
    host.daemon?.kill('SIGTERM');
    await host.daemon?.ended;
    const listed = await host.ctl(['list', '--fleet']);
    assert.match(listed.stdout, / web +unknown\n/);
  });

  it('sees nobody of other hosts any more when this one is in no fleet', async () => {
    const host = fleet.host(0);
    const found = async () => (await host.machine.run(['getent', 'passwd', 'web'])).status;
    assert.equal(await found(), 0, 'with the daemon away');
    await host.configure('Fleet=off');
    host.daemon = await host.installed.startDaemon();
    assert.equal(await found(), 2);
    const { status, stderr } = await host.ctl(['list', '--fleet']);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^dynuserctl: this host knows no users of a fleet .*; set Fleet= in dynuserd\.conf, and start dynuserd\n$/,
    );
  });
});
