/** What goes wrong with hosts of a fleet: each is one clear error, and frees nothing. Each waits for a deadline of somebody. */
// time limit: 600 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Fleet, type FleetHost } from '../support/fleet/hosts.ts';
import { until } from '../support/until.ts';

const MINUTES_MS = 60_000;
/** The store says for a minute that a host is alive, which it may be told of by a backup. */
const AWAY_MS = 3 * MINUTES_MS;

describe('hosts of a fleet', () => {
  let fleet: Fleet;
  let web: number;
  before(async () => {
    fleet = await Fleet.boot({ hosts: 2 });
    await fleet.start();
    web = await fleet.host(0).acquire('web');
    await fleet.host(1).acquire('web');
  });
  after(() => fleet?.stop());

  /** Waits for a host that is not a member to say why. */
  async function untilRefused(host: FleetHost, why: RegExp): Promise<void> {
    let said = '';
    await until(
      () => `${host.name} says why it is not a member; it says: ${said}; its companion: ${host.log}`,
      async () => {
        const { state, reason = '' } = await host.status();
        said = `${state}: ${reason}`;
        return state !== 'member' && why.test(reason);
      },
    );
  }

  /** Asks for a name, which must not be given, until the reason is the one that is expected. */
  async function untilRejected(host: FleetHost, name: string, why: RegExp): Promise<void> {
    let said = '';
    await until(
      () => `${name} is refused; ${host.name} says: ${said}; its companion: ${host.log}`,
      async () => {
        const { status, stdout, stderr } = await host.ctl(['acquire', `--user=${name}`, `${name}.service`]);
        said = stderr;
        assert.notEqual(status, 0, stdout);
        return why.test(stderr);
      },
      AWAY_MS,
    );
  }

  it('with another range do not join', async () => {
    const host = await fleet.addHost();
    await host.configure('FleetUidRange=70000-79999');
    await host.start();
    await untilRefused(host, /65536-79999 90000-99999/);
    await assert.rejects(host.acquire('web'), /65536-79999/);
    assert.equal((await fleet.host(0).fleet(['check'])).status, 0);
    await host.machine.stop();
  });

  it('with the machine-id of another one do not join while that is alive', async () => {
    const host = await fleet.addHost();
    await host.setMachineId(fleet.host(0).machineId);
    await host.start();
    await untilRefused(host, /machine-id/);
    await assert.rejects(host.acquire('web'), /machine-id/);
    assert.equal((await fleet.host(0).status()).state, 'member');
    await fleet.host(0).acquire('f-not-cloned');
    await host.machine.stop();
  });

  it('whose certificate has expired still start what they hold', async () => {
    const host = fleet.host(1);
    await host.release('web');
    const cluster = fleet.cluster;
    assert.ok(cluster);
    const now = Date.now();
    await host.setCertificate(
      cluster.client(host.name, { from: new Date(now - 2 * MINUTES_MS), until: new Date(now - MINUTES_MS) }),
    );
    await host.restartCompanion();
    assert.equal(await host.acquire('web'), web);
    await untilRejected(host, 'f-expired', /certificate/);
    const { stdout } = await host.ctl(['doctor']);
    assert.match(stdout, /certificate has expired/);
    await host.setCertificate(cluster.client(host.name));
    await host.restartCompanion();
    await until('names are given again', async () => {
      const { status } = await host.ctl(['acquire', '--user=f-expired', 'f-expired.service']);
      return status === 0;
    });
  });

  it('that boot while the nodes are away wait with users of the fleet, and with no other', async () => {
    const host = fleet.host(1);
    await host.reboot();
    const paused = fleet.cluster?.nodes.slice(0, 2) ?? [];
    for (const node of paused) {
      node.pause();
    }
    try {
      await host.start();
      assert.ok((await host.acquire('own')) < 65_536);
      await assert.rejects(host.acquire('web'), /boot/);
      await host.kill();
      await host.configure('FleetTrustBoot=yes');
      await host.machine.sh('rm -rf /run/dynuser');
      await host.start();
      assert.equal(await host.acquire('web'), web);
      await host.release('web');
      await host.kill();
      await host.configure('');
      await host.reboot();
      await host.start();
    } finally {
      for (const node of paused) {
        node.resume();
      }
    }
    await host.untilMember();
    assert.equal(await host.acquire('web'), web);
  });

  for (const asNewCluster of [true, false]) {
    it(`see that the store was restored from a backup ${asNewCluster ? 'as another cluster' : 'with the same identity'}, and give no name away before all have put theirs again`, async () => {
      const { cluster } = fleet;
      assert.ok(cluster);
      const snapshot = await cluster.save();
      const name = `f-since-${Number(asNewCluster)}`;
      const since = await fleet.host(0).acquire(name);
      await cluster.restore(snapshot, asNewCluster);
      await until('the restore is seen', async () => {
        const { stdout } = await fleet.host(0).fleet(['check', '--json=short']);
        return stdout !== '' && JSON.parse(stdout).status.restoring === true;
      });
      await fleet.host(0).release(name);
      assert.equal(await fleet.host(0).acquire(name), since, 'what a host holds continues');
      for (const host of fleet.hosts.slice(0, 2)) {
        await until(
          `${host.name} sees it before it uses a name`,
          async () => (await host.status()).state === 'restoring',
        );
        await untilRejected(host, `f-later-${Number(asNewCluster)}`, /restored from a backup/);
      }
      await until(
        'every host has put its bindings again',
        async () => (await fleet.host(0).fleet(['resume'])).status === 0,
      );
      await until('names are given again', async () => {
        const { status, stdout } = await fleet.host(1).ctl(['acquire', `--user=${name}`, `${name}.service`]);
        return status === 0 && Number(stdout) === since;
      });
      assert.deepEqual(JSON.parse((await fleet.host(0).fleet(['check', '--json=short'])).stdout).faults, []);
    });
  }

  it('are given up only if somebody says that they are off, and hold again what is still theirs when they return', async () => {
    const [one, other] = [fleet.host(0), fleet.host(1)];
    const gone = await other.acquire('f-lost');
    assert.equal((await one.fleet(['forget-host', other.name])).status, 2);
    const alive = await one.fleet(['forget-host', other.name, '--powered-off']);
    assert.match(alive.stderr, /heard of within the last minute/);
    await other.reboot();
    await fleet.expire(other);
    // A host that is away has told nobody its name.
    assert.equal((await one.fleet(['forget-host', other.id, '--powered-off'])).status, 0);
    assert.match((await one.fleet(['gc', 'f-lost'])).stdout, new RegExp(`^${gone} of f-lost cools down`));
    await other.start();
    await other.untilMember();
    const { holds } = await other.status();
    assert.ok(
      holds.some(({ name }) => name === 'web'),
      'the other host holds it, too',
    );
    assert.ok(!holds.some(({ name }) => name === 'f-lost'), 'it was freed');
    assert.equal(await other.acquire('web'), web);
  });

  it('are told of that as soon as they are not cut off any more, and end what was given away', async () => {
    const [one, other] = [fleet.host(0), fleet.host(1)];
    const gone = await other.acquire('f-given');
    const kept = await other.acquire('f-kept');
    assert.equal(await one.acquire('f-kept'), kept);
    await other.cutOff();
    await until('the store does not count it as alive', async () => {
      await fleet.expire(other);
      return (await one.fleet(['forget-host', other.id, '--powered-off'])).status === 0;
    });
    assert.match((await one.fleet(['gc', 'f-given'])).stdout, new RegExp(`^${gone} of f-given cools down`));
    const { holds: before } = await other.status();
    assert.ok(before.some(({ name, live }) => name === 'f-given' && live));
    await other.reconnect();
    // It looks by itself after 2.5 minutes at the earliest.
    await until(
      'it has ended what it does not hold any more',
      async () => {
        const { holds, state } = await other.status();
        return state === 'member' && !holds.some(({ name }) => name === 'f-given');
      },
      MINUTES_MS,
    );
    const { holds } = await other.status();
    assert.deepEqual(
      holds.find(({ name }) => name === 'f-kept'),
      { name: 'f-kept', uid: kept, live: true },
    );
  });
});
