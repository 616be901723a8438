/** What the tests of fleets stand on: real nodes that fail when they are told to, and hosts that reach them by a cable. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { EtcdCluster } from '../support/fleet/etcd.ts';
import { Fleet } from '../support/fleet/hosts.ts';
import { until } from '../support/until.ts';

describe('three nodes on this host', () => {
  let cluster: EtcdCluster;
  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(() => cluster?.stop());

  it('keep what is put, while one of them is away and after a backup was put back', async () => {
    await cluster.etcdctl(['put', 'key', 'before']);
    const snapshot = await cluster.save();
    const leader = await cluster.leader();
    assert.ok(leader);
    await leader.kill();
    const others = cluster.nodes.filter(node => node !== leader);
    await until('another one leads', async () => others.includes((await cluster.leader()) ?? leader));
    await cluster.etcdctl(['put', 'key', 'after'], others);
    await cluster.startAll();
    assert.deepEqual([...(await cluster.keys(''))], [['key', 'after']]);
    await cluster.restore(snapshot, true);
    assert.deepEqual([...(await cluster.keys(''))], [['key', 'before']]);
  });

  it('answer nobody while two of them are paused', async () => {
    const paused = cluster.nodes.slice(0, 2);
    for (const node of paused) {
      node.pause();
    }
    await assert.rejects(cluster.etcdctl(['put', 'key', 'lost', '--command-timeout=1s']));
    for (const node of paused) {
      node.resume();
    }
    await cluster.untilAgreed();
  });
});

describe('hosts of a fleet', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await Fleet.boot({ hosts: 2 });
  });
  after(() => fleet?.stop());

  it('are different hosts, which have storage in common', async () => {
    writeFileSync(`${fleet.shared}/file`, 'shared\n');
    const script = 'hostname; cat /etc/machine-id /proc/sys/kernel/random/boot_id /srv/shared/file';
    const [one, other] = await Promise.all(
      fleet.hosts.map(async ({ machine }) => (await machine.sh(script)).split('\n')),
    );
    assert.equal(one?.[0], 'host1');
    assert.deepEqual(
      one.map((line, index) => line === other?.[index]),
      [false, false, false, true],
    );
  });

  it('reach every node, until their cable is pulled', async () => {
    const host = fleet.host(0);
    const reach = (address: string) =>
      host.machine
        .run(['timeout', '1', 'bash', '-c', `: </dev/tcp/${address}/2379`])
        .then(({ status }) => status === 0);
    const addresses = fleet.cluster?.endpoints.map(endpoint => new URL(endpoint).hostname) ?? [];
    assert.deepEqual(await Promise.all(addresses.map(reach)), [true, true, true]);
    await host.cutOff();
    assert.deepEqual(await Promise.all(addresses.map(reach)), [false, false, false]);
    await host.reconnect();
    await until('a node is reached again', () => reach(addresses[0] ?? ''));
  });
});
