/** What etcd alone does: nodes that die, hang or lose their leader, history that is compacted, and a cluster that is put back. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FleetError } from '../../../src/fleetd/errors.ts';
import { EtcdKeys } from '../../../src/fleetd/etcd-keys.ts';
import { Fleet } from '../../../src/fleetd/fleet.ts';
import { type Changes, StoreUnavailable } from '../../../src/fleetd/key-store.ts';
import { Mirror } from '../../../src/fleetd/mirror.ts';
import type { Member } from '../../../src/fleetd/seen-store.ts';
import { EtcdCluster } from '../../support/fleet/etcd.ts';
import { etcdClient } from '../../support/fleet/stores.ts';
import { until } from '../../support/until.ts';

const RANGES = '65536-79999';
const A = '00000000000000aa';
const B = '00000000000000bb';

describe('a fleet in etcd', () => {
  let cluster: EtcdCluster;
  const opened: EtcdKeys[] = [];
  let count = 0;
  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(async () => {
    for (const keys of opened) {
      keys.close();
    }
    await cluster.stop();
  });

  function open(name = `etcd${++count}`, callMs?: number) {
    const options = callMs === undefined ? {} : { callMs };
    const keys = new EtcdKeys(etcdClient(cluster, options), `/dynuser/v1/${name}/`);
    opened.push(keys);
    const mirror = new Mirror(keys);
    return { name, keys, mirror, fleet: new Fleet(keys, mirror) };
  }

  async function member(fleet: Fleet, keys: EtcdKeys, host: string): Promise<Member> {
    const request = { host, hostName: host, version: '1', ranges: RANGES, recorded: undefined, seen: undefined };
    const { incarnation } = await fleet.join({ ...request, next: 'one', renew: false }, await keys.expiry(60));
    return { host, incarnation };
  }

  /** Asks until there is an answer, as a daemon does. */
  async function untilAnswered<Result>(ask: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) {
          throw error;
        }
      }
    }
  }

  it('binds each name once while its leader is killed, and a watch hears of all of them', async () => {
    const { keys, mirror, fleet } = open();
    await fleet.create(RANGES);
    const a = await member(fleet, keys, A);
    const heard = new Map<string, number>();
    mirror.listen({
      changed({ changes }) {
        for (const { name, uid } of changes) {
          assert.equal(heard.get(name) ?? uid, uid);
          heard.set(name, uid);
        }
      },
    });
    const watching = mirror.run();
    const names = Array.from({ length: 60 }, (_, index) => `n${index}`);
    const uids: number[] = [];
    for (const [index, name] of names.entries()) {
      if (index === 20 || index === 40) {
        const leader = await cluster.leader();
        assert.ok(leader !== undefined);
        await leader.kill();
        void sleep(500).then(() => leader.start());
      }
      uids.push((await untilAnswered(() => fleet.hold(a, name, [70_000 + index, 71_000 + index]))).uid);
    }
    assert.deepEqual(
      uids,
      names.map((_, index) => 70_000 + index),
    );
    await until('the watch has heard of all', () => heard.size === names.length);
    assert.deepEqual(
      names.map(name => heard.get(name)),
      uids,
    );
    mirror.stop();
    await watching;
    await cluster.startAll();
  });

  it('answers by another node while one hangs', async () => {
    // More than the usual deadline, since the machine may be busy.
    const { keys } = open(undefined, 10_000);
    for (const node of cluster.nodes) {
      const leader = await cluster.leader();
      if (node === leader) {
        continue;
      }
      node.pause();
      try {
        assert.equal((await keys.transact({ when: [], puts: [{ key: 'k', value: node.name }] })).done, true);
        assert.equal((await keys.transact({ when: [], puts: [{ key: 'k', value: node.name }] })).done, true);
      } finally {
        node.resume();
      }
    }
  });

  it('says that there is no majority, and binds nothing then', async () => {
    const { keys, fleet } = open();
    await fleet.create(RANGES);
    const a = await member(fleet, keys, A);
    const [one, other] = cluster.nodes;
    await Promise.all([one?.kill(), other?.kill()]);
    await assert.rejects(fleet.hold(a, 'web', [70_000]), (error: unknown) => {
      assert.ok(error instanceof StoreUnavailable, String(error));
      assert.match(error.message, /^etcd does not answer \(https:/);
      return true;
    });
    await cluster.startAll();
    assert.equal((await fleet.hold(a, 'web', [70_000])).uid, 70_000);
  });

  it('is read anew by a watch that was away while its history was compacted', async () => {
    const { keys } = open();
    await keys.transact({ when: [], puts: [{ key: 'w/gone', value: '1' }] });
    const ends = new AbortController();
    const seen: Changes[] = [];
    const changes = keys.changes('w/', ends.signal, () => undefined)[Symbol.asyncIterator]();
    seen.push((await changes.next()).value);
    // Nobody asks for more meanwhile: the watch begins after the history of this is gone.
    const { revision } = await keys.transact({ when: [], puts: [{ key: 'w/new', value: '2' }], deletes: ['w/gone'] });
    const { revision: last } = await keys.transact({ when: [], puts: [{ key: 'v', value: '' }] });
    assert.ok(last > revision);
    await cluster.etcdctl(['compact', String(last)]);
    seen.push((await changes.next()).value);
    ends.abort();
    assert.deepEqual(
      seen.map(({ reset, changes }) => [reset, changes.map(({ key, value }) => [key, value])]),
      [
        [true, [['w/gone', '1']]],
        [true, [['w/new', '2']]],
      ],
    );
  });

  for (const asNewCluster of [true, false]) {
    it(`binds nothing after it was put back, ${asNewCluster ? 'as another cluster' : 'with the same identity'}`, async () => {
      const { name, keys, fleet } = open();
      await fleet.create(RANGES);
      const a = await member(fleet, keys, A);
      const b = await member(fleet, keys, B);
      await fleet.hold(a, 'web', [70_000]);
      const snapshot = await cluster.save();
      await fleet.hold(b, 'db', [70_001]);
      const { cluster: id, revision } = await fleet.status();
      await cluster.restore(snapshot, asNewCluster);
      // A companion that has seen the former store, and one that has not.
      const refused = (error: unknown) => error instanceof FleetError && error.code === 'Restoring';
      const fresh = open(name);
      if (!asNewCluster) {
        // Only who has seen more than there is can tell.
        const request = { host: B, hostName: B, version: '1', ranges: RANGES, recorded: 'one', renew: false };
        const joined = await fresh.fleet.join(
          { ...request, next: 'two', seen: { cluster: id, revision } },
          await fresh.keys.expiry(60),
        );
        assert.deepEqual([joined.state, joined.restoring], ['member', true]);
      }
      await assert.rejects(
        untilAnswered(() => fleet.hold(a, 'mail', [70_001])),
        refused,
      );
      await assert.rejects(
        untilAnswered(() => fresh.fleet.hold(a, 'mail', [70_001])),
        refused,
      );
      assert.deepEqual(await fleet.restoring.restore(a, [{ name: 'web', uid: 70_000 }], true), []);
      assert.deepEqual(await fresh.fleet.restoring.restore(b, [{ name: 'db', uid: 70_001 }], true), []);
      await fresh.fleet.restoring.resume();
      assert.deepEqual(await fleet.name('db'), { state: 'bound', uid: 70_001, hosts: [B], directories: [] });
      await assert.rejects(
        fleet.hold(a, 'mail', [70_001]),
        (error: unknown) => error instanceof FleetError && error.code === 'NoneFree',
      );
      assert.equal((await fleet.hold(a, 'mail', [70_002])).uid, 70_002);
    });
  }

  it('says what a role does not allow', async () => {
    const { keys } = open();
    const users = [
      'user add root --no-password',
      'role add root',
      'user grant-role root root',
      'user add dynuser --no-password',
    ];
    const role = [
      'role add fleet',
      'role grant-permission fleet --prefix=true readwrite /dynuser/v1/',
      'user grant-role dynuser fleet',
    ];
    for (const command of [...users, ...role, 'auth enable']) {
      await cluster.etcdctl(command.split(' '));
    }
    try {
      const other = new EtcdKeys(etcdClient(cluster), '/somebody/else/');
      opened.push(other);
      await assert.rejects(other.transact({ when: [], puts: [{ key: 'k', value: '' }] }), (error: unknown) => {
        assert.ok(error instanceof StoreUnavailable, String(error));
        assert.match(error.message, /^etcd refuses \(https:\S+: etcdserver: permission denied\); check the rights/);
        return true;
      });
      await keys.transact({ when: [], puts: [{ key: 'k', value: '' }] });
      await (await keys.expiry(60)).renew();
    } finally {
      await cluster.etcdctl(['auth', 'disable']);
    }
  });
});
