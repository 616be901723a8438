/** A user lives on a host, and the fleet has its name, or its UID, otherwise: what continues, what does not, and what is said. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FLEET_NAME, Fleet, type FleetHost } from '../support/fleet/hosts.ts';
import { until } from '../support/until.ts';

const PREFIX = `/dynuser/v1/${FLEET_NAME}`;

describe('a user that lives on a host of a fleet', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await Fleet.boot({ hosts: 2, config: 'Fleet=preferred' });
    await fleet.start();
  });
  after(() => fleet?.stop());

  const uidNamed = async ({ machine }: FleetHost, name: string) => {
    const { stdout } = await machine.run(['getent', 'passwd', name]);
    return Number(stdout.split(':')[2]);
  };

  it('with a UID of the host alone keeps it until it ends, and has that of the fleet then', async () => {
    const [host, other] = [fleet.host(0), fleet.host(1)];
    host.companion?.kill('SIGTERM');
    await host.companion?.ended;
    const own = await host.acquire('web');
    assert.ok(own < 65_536, `${own} is of this host`);
    const shared = await other.acquire('web');
    assert.ok(shared >= 65_536, `${shared} is of the fleet`);
    await host.startCompanion();
    await host.untilMember();
    await until('the host has heard of the name', async () => {
      const { stdout } = await host.fleet(['explain', 'web', '--json=short']);
      return JSON.parse(stdout).uid === shared;
    });
    assert.equal(await host.acquire('web'), own, 'who joins it has its UID');
    assert.equal(await uidNamed(host, 'web'), own);
    assert.equal(await uidNamed(other, 'web'), shared);
    assert.match((await host.ctl(['show', 'web'])).stdout, /^ +Kind: .*this host/m);
    assert.equal((await host.status()).holds.length, 0);
    await host.release('web');
    assert.equal(await host.acquire('web'), shared);
    assert.equal(await uidNamed(host, 'web'), shared);
  });

  it('with a UID that the store has otherwise runs on, and nobody joins it', async () => {
    const host = fleet.host(0);
    const uid = await host.acquire('db');
    const another = uid === 79_999 ? uid - 1 : uid + 1;
    // As a backup has it that is of before the name was freed once.
    for (const argv of [
      ['put', `${PREFIX}/name/db`, String(another)],
      ['put', `${PREFIX}/uid/${another}`, 'db'],
      ['del', `${PREFIX}/uid/${uid}`],
      ['del', `${PREFIX}/hold/db/${host.id}`],
      ['del', `${PREFIX}/by-host/${host.id}/db`],
    ]) {
      await fleet.cluster?.etcdctl(argv);
    }
    await host.restartCompanion();
    await until('it is seen', async () => (await host.status()).holds.some(({ conflict }) => conflict !== undefined));
    await host.untilMember();
    const words = new RegExp(
      `this host holds db with UID ${uid}, but the store of the fleet has the name with UID ${another}; nothing more is started as db here`,
    );
    assert.equal(
      host.daemonLog.split('\n').filter(line => words.test(line)).length,
      1,
      'it is said once, and to who asks',
    );
    const joined = await host.ctl(['acquire', '--user=db', 'db.service']);
    assert.deepEqual([joined.status, words.test(joined.stderr)], [1, true], joined.stderr);
    assert.equal(await uidNamed(host, 'db'), uid);
    assert.match((await host.ctl(['list', 'db'])).stdout, new RegExp(`^ *${uid} +db +db\\.service `, 'm'));
    assert.match((await host.fleet(['explain', 'db'])).stdout, words);
    assert.equal((await host.fleet(['check'])).status, 1);
    await host.release('db');
    const again = await host.ctl(['acquire', '--user=db', 'db.service']);
    assert.deepEqual([again.status, words.test(again.stderr)], [1, true], again.stderr);
    assert.equal((await host.fleet(['forget', 'db'])).status, 0);
    await until('the host has heard of the other UID', async () => {
      const { stdout } = await host.fleet(['explain', 'db', '--json=short']);
      return JSON.parse(stdout).uid === another;
    });
    assert.equal(await host.acquire('db'), another);
    assert.equal((await host.fleet(['check'])).status, 0);
  });
});
