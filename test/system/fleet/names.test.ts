/** Two hosts that share storage and three etcd nodes: one name, one UID, and what works while the nodes are away. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Fleet } from '../../support/fleet/hosts.ts';
import { until } from '../../support/until.ts';

const FIRST = 65_536;
const LAST = 99_999;

describe('two hosts of a fleet', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await Fleet.boot({ hosts: 2 });
    await fleet.start();
  });
  after(() => fleet?.stop());

  const isOfFleet = (uid: number) => uid >= FIRST && uid <= LAST;

  it('give a name one UID, and two names two', async () => {
    const [one, other] = fleet.hosts;
    const web = await one?.acquire('web');
    assert.ok(web !== undefined && isOfFleet(web), String(web));
    assert.equal(await other?.acquire('web'), web);
    const db = await other?.acquire('db');
    assert.ok(db !== undefined && isOfFleet(db) && db !== web, String(db));
    assert.equal(await one?.acquire('db'), db);
    const names = JSON.parse((await fleet.host(0).fleet(['names', '--json=short'])).stdout);
    assert.deepEqual(names, [
      { name: 'db', uid: db, state: 'bound', hosts: ['host1', 'host2'] },
      { name: 'web', uid: web, state: 'bound', hosts: ['host1', 'host2'] },
    ]);
    assert.equal((await fleet.host(1).fleet(['check'])).status, 0);
    const { status, stdout } = await fleet.host(1).fleet(['doctor']);
    assert.match(
      stdout,
      /^ok +Fleet +host2 is a member of \S+, and holds 2 names\nwarning +Fleet +\S+\.certificate expires in less than a day\n/,
    );
    assert.equal(status, 0, 'warnings alone');
  });

  it('have other names for themselves, from the range that is theirs', async () => {
    const own = await fleet.host(0).acquire('own');
    assert.ok(!isOfFleet(own), String(own));
    assert.equal((await fleet.host(1).fleet(['names', 'own', '--no-legend'])).stdout, '');
    const { stdout } = await fleet.host(0).machine.run(['dynuser-run', 'id', '-u']);
    assert.ok(!isOfFleet(Number(stdout)), stdout);
  });

  it('read and write the same files, which belong to one user, and none of which changes its owner', async () => {
    const append = 'echo "$(hostname)" >>/srv/shared/tree/file && cat /srv/shared/tree/file';
    const uid = await fleet.host(0).acquire('f-shared');
    assert.equal(await fleet.host(1).acquire('f-shared'), uid);
    await fleet.host(0).machine.output(['install', '-d', '-o', String(uid), '-g', String(uid), '/srv/shared/tree']);
    const launch = ['dynuser-run', '-u', 'f-shared', '-p', 'ReadWritePaths=/srv/shared', 'sh', '-c', append];
    assert.equal(await fleet.host(0).machine.output(launch), 'host1');
    const inode = await fleet.host(0).machine.output(['stat', '-c', '%i %Z', '/srv/shared/tree']);
    assert.equal(await fleet.host(1).machine.output(launch), 'host1\nhost2');
    for (const { machine } of fleet.hosts) {
      assert.equal(
        await machine.output(['stat', '-c', '%u %U %G', '/srv/shared/tree/file']),
        `${uid} f-shared f-shared`,
      );
      assert.equal(await machine.output(['stat', '-c', '%i %Z', '/srv/shared/tree']), inode);
    }
  });

  it('start what they hold while most nodes are away, and nothing else of the fleet', async () => {
    const uid = await fleet.host(0).acquire('f-held');
    await fleet.host(0).release('f-held');
    await fleet.host(0).release('own');
    const paused = fleet.cluster?.nodes.slice(0, 2) ?? [];
    for (const node of paused) {
      node.pause();
    }
    try {
      assert.equal(await fleet.host(0).acquire('f-held'), uid);
      await assert.rejects(fleet.host(0).acquire('f-new'), /store|fleet/i);
      assert.ok(!isOfFleet(await fleet.host(0).acquire('own')));
      await assert.rejects(fleet.host(1).acquire('f-held'), /store|fleet/i, 'it holds it on one host alone');
    } finally {
      for (const node of paused) {
        node.resume();
      }
    }
    await fleet.cluster?.untilAgreed();
    await until('the name is held on the other host, too', async () => {
      const acquired = await fleet.host(1).ctl(['acquire', '--user=f-held', 'f-held.service']);
      return acquired.status === 0 && Number(acquired.stdout) === uid;
    });
    assert.ok(isOfFleet(await fleet.host(0).acquire('f-new')));
  });

  it('give a name back, which frees its UID when no host holds it any more, and only then', async () => {
    const uid = await fleet.host(0).acquire('f-gone');
    assert.equal(await fleet.host(1).acquire('f-gone'), uid);
    const refused = await fleet.host(0).fleet(['forget', 'f-gone']);
    assert.equal(refused.status, 1, 'it lives');
    await fleet.host(0).release('f-gone');
    assert.equal((await fleet.host(0).fleet(['forget', 'f-gone'])).status, 0);
    assert.equal((await fleet.host(0).fleet(['gc', 'f-gone'])).stdout, 'Freed 0 names.\n');
    await fleet.host(1).release('f-gone');
    assert.equal((await fleet.host(1).fleet(['forget', 'f-gone'])).status, 0);
    assert.equal((await fleet.host(1).fleet(['gc', 'f-gone'])).stdout, `${uid} of f-gone cools down.\nFreed 1 name.\n`);
    // The UID is the name's again if it comes back, and nobody else's meanwhile.
    assert.equal(await fleet.host(0).acquire('f-gone'), uid);
  });
});
