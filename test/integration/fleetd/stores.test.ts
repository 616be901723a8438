// starts early: three etcd nodes
/** What holds for both stores of a fleet, three etcd nodes and a directory: keys, transactions, and each transaction of a fleet. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Binding } from '../../../src/api/generated/io-dynuser-fleet.ts';
import { FleetError, type FleetErrorCode } from '../../../src/fleetd/errors.ts';
import { Fleet, type JoinRequest, type KnownNames } from '../../../src/fleetd/fleet.ts';
import { type Changes, type KeyStore, StoreUnavailable } from '../../../src/fleetd/key-store.ts';
import type { Member } from '../../../src/fleetd/seen-store.ts';
import { directoryStore, etcdStore, type TestStore } from '../../support/fleet/stores.ts';

const RANGES = '65536-79999';
const A = '00000000000000aa';
const B = '00000000000000bb';
/** A companion that has seen nothing yet. */
const NOTHING_KNOWN: KnownNames = { uidOf: () => undefined, nameOf: () => undefined };

function refusal(code: FleetErrorCode, detail?: object) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof FleetError, String(error));
    assert.equal(error.code, code);
    if (detail !== undefined) {
      assert.deepEqual(error.detail, detail);
    }
    return true;
  };
}

function joining(host: string, more: Partial<JoinRequest> = {}): JoinRequest {
  return {
    ...{ host, hostName: `name-${host}`, version: '1', ranges: RANGES, recorded: undefined, seen: undefined },
    ...{ next: `1.${host}`, renew: false, ...more },
  };
}

/** Asks until the store has answered: on a busy machine it may take longer than a call waits, and to ask again is harmless. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let left = 20; ; left--) {
    try {
      return await ask();
    } catch (error) {
      if (left === 0 || !(error instanceof StoreUnavailable)) {
        throw error;
      }
    }
  }
}

/** As a host does that has nothing else under way. */
async function forget(fleet: Fleet, member: Member, name: string): Promise<void> {
  await fleet.forget(member, name, await fleet.status());
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) {
    list.push(value);
  }
  return list;
}

for (const make of [etcdStore, directoryStore] as const) {
  describe(`the store ${make.name.replace('Store', '')}`, () => {
    let store: TestStore;
    let count = 0;
    before(async () => {
      store = await make();
    });
    after(() => store.stop());

    /** A fleet that no other test has. */
    function open(host = A): { readonly name: string; readonly keys: KeyStore; readonly fleet: Fleet } {
      count += 1;
      const name = `test${count}`;
      const keys = store.open(name, host);
      return { name, keys, fleet: new Fleet(keys, NOTHING_KNOWN) };
    }

    async function member(fleet: Fleet, keys: KeyStore, host: string): Promise<Member> {
      const { incarnation } = await fleet.join(joining(host), await keys.expiry(60));
      return { host, incarnation };
    }

    /** A fleet with the hosts A and B. */
    async function two() {
      const { name, keys, fleet } = open();
      await fleet.create(RANGES);
      const other = new Fleet(store.open(name, B), NOTHING_KNOWN);
      return { name, keys, fleet, other, a: await member(fleet, keys, A), b: await member(fleet, keys, B) };
    }

    describe('keys', () => {
      it('are put, read and deleted, and everything is of one store and one revision', async () => {
        const { keys } = open();
        const put = await keys.transact({
          when: [],
          puts: [
            { key: 'a/b', value: 'one' },
            { key: 'a/c/d', value: 'ü\n' },
          ],
        });
        assert.equal(put.done, true);
        const read = await keys.read({ keys: ['a/b', 'a/none'], below: ['a/c/', 'none/'] });
        assert.deepEqual(
          read.entries.map(({ key, value, revision }) => [key, value, revision === put.revision]),
          [
            ['a/b', 'one', true],
            ['a/c/d', 'ü\n', true],
          ],
        );
        assert.equal(read.cluster, put.cluster);
        const gone = await keys.transact({ when: [], deletes: ['a/b', 'a/none'] });
        assert.ok(gone.revision > put.revision);
        assert.deepEqual(
          (await keys.read({ keys: ['a/b'], below: ['a/'] })).entries.map(({ key }) => key),
          ['a/c/d'],
        );
      });

      it('are changed only if all conditions hold, and what is there is told otherwise', async () => {
        const { keys } = open();
        await keys.transact({
          when: [],
          puts: [
            { key: 'k', value: '1' },
            { key: 'below/x/y', value: '2' },
          ],
        });
        const refused: Parameters<KeyStore['transact']>[0]['when'] = [
          { key: 'k', is: undefined },
          { key: 'k', is: '2' },
          { key: 'none', is: '1' },
          { exists: 'none' },
          { nothingBelow: 'below/' },
        ];
        for (const condition of refused) {
          const outcome = await keys.transact({
            when: [{ key: 'k', is: '1' }, condition],
            puts: [{ key: 'k', value: '3' }],
            otherwise: ['k', 'none'],
          });
          assert.deepEqual([outcome.done, [...outcome.found]], [false, [['k', '1']]], JSON.stringify(condition));
        }
        const granted = await keys.transact({
          when: [
            { key: 'k', is: '1' },
            { key: 'none', is: undefined },
            { exists: 'k' },
            { nothingBelow: 'belo/' },
            { nothingBelow: 'below/x/y/' },
          ],
          puts: [{ key: 'k', value: '3' }],
        });
        assert.equal(granted.done, true);
      });

      it('go when their time is over, and stay while it is renewed', async () => {
        const { keys } = open();
        const [short, long] = [await keys.expiry(1), await keys.expiry(1)];
        await keys.transact({
          when: [],
          puts: [
            { key: 'short', value: '', expiry: short },
            { key: 'long', value: '', expiry: long },
          ],
        });
        const end = performance.now() + 2_500;
        while (performance.now() < end) {
          assert.equal(await long.renew(), true);
          await new Promise(resolve => setTimeout(resolve, 200));
        }
        const { entries } = await keys.read({ keys: ['short', 'long'] });
        assert.deepEqual(
          entries.map(({ key }) => key),
          ['long'],
        );
        assert.equal(await short.renew(), false);
      });

      it('are watched: first all, then what happens to them', async () => {
        const { keys } = open();
        await keys.transact({
          when: [],
          puts: [
            { key: 'w/a', value: '1' },
            { key: 'v', value: '1' },
          ],
        });
        const ends = new AbortController();
        const seen: Changes[] = [];
        const watching = (async () => {
          for await (const changes of keys.changes('w/', ends.signal, reason => assert.fail(reason))) {
            seen.push(changes);
            if (changes.changes.some(({ key }) => key === 'w/end')) {
              return;
            }
          }
        })();
        await new Promise(resolve => setTimeout(resolve, 200));
        await keys.transact({ when: [], puts: [{ key: 'w/b', value: '2' }], deletes: ['w/a'] });
        await new Promise(resolve => setTimeout(resolve, 100));
        await keys.transact({ when: [], puts: [{ key: 'w/end', value: '' }] });
        await watching;
        ends.abort();
        assert.deepEqual(
          seen.map(({ reset, changes }) => [
            reset,
            changes
              .map(({ key, value }) => [key, value])
              .sort(([one], [other]) => ((one ?? '') < (other ?? '') ? -1 : 1)),
          ]),
          [
            [true, [['w/a', '1']]],
            [
              false,
              [
                ['w/a', undefined],
                ['w/b', '2'],
              ],
            ],
            [false, [['w/end', '']]],
          ],
        );
      });

      it('are changed by one of those who want the same', async () => {
        const { name, keys } = open();
        const hosts = Array.from({ length: 8 }, (_, index) => store.open(name, `host-${index}`));
        await keys.transact({ when: [], puts: [{ key: 'n', value: '0' }] });
        const taken = await Promise.all(
          hosts.map((host, index) =>
            host.transact({ when: [{ key: 'one', is: undefined }], puts: [{ key: 'one', value: String(index) }] }),
          ),
        );
        assert.equal(taken.filter(({ done }) => done).length, 1);
      });
    });

    describe('a fleet', () => {
      it('is made once, and with its ranges by whoever makes it again', async () => {
        const { fleet } = open();
        await assert.rejects(fleet.status(), refusal('NoFleet'));
        await fleet.create(RANGES);
        await fleet.create(RANGES);
        await assert.rejects(fleet.create('70000-70001'), refusal('FleetExists', { ranges: RANGES }));
        const { ranges, isRestoring } = await fleet.status();
        assert.deepEqual({ ranges, isRestoring }, { ranges: RANGES, isRestoring: false });
      });

      it('takes hosts in: new ones, its own, and those that come with another disk once the former is away', async () => {
        const { keys, fleet } = open();
        await fleet.create(RANGES);
        const presence = await keys.expiry(60);
        const join = (more: Partial<JoinRequest>) => fleet.join(joining(A, more), presence);
        await assert.rejects(join({ ranges: '1-2' }), refusal('RangesDiffer', { ranges: RANGES }));
        const states = async (more: Partial<JoinRequest>) => {
          const { state, incarnation } = await join(more);
          return [state, incarnation];
        };
        assert.deepEqual(await states({ next: 'one' }), ['joined', 'one']);
        assert.deepEqual(await states({ recorded: 'one', next: 'two' }), ['member', 'one']);
        assert.deepEqual(await states({ recorded: 'one', next: 'two', renew: true }), ['member', 'two']);
        // The reply was lost: the same is asked again.
        assert.deepEqual(await states({ recorded: 'one', next: 'two', renew: true }), ['member', 'two']);
        await assert.rejects(join({ next: 'three' }), refusal('HostAlive', { hostName: `name-${A}` }));
        await assert.rejects(join({ recorded: 'one', next: 'three' }), refusal('HostAlive'));
        await fleet.disappear({ host: A, incarnation: 'two' });
        assert.deepEqual(await states({ next: 'three' }), ['replaced', 'three']);
      });

      it('gives a name one UID on all hosts, the first candidate that is free', async () => {
        const { fleet, other, a, b } = await two();
        assert.deepEqual(await fleet.hold(a, 'web', [70_000, 70_001]), { uid: 70_000, isFresh: true });
        assert.deepEqual(await other.hold(b, 'web', [70_001, 70_000]), { uid: 70_000, isFresh: false });
        assert.deepEqual(await other.hold(b, 'db', [70_000, 70_001]), { uid: 70_001, isFresh: true });
        await assert.rejects(other.hold(b, 'web', [70_005]), refusal('NameBound', { uid: 70_000 }));
        await assert.rejects(other.hold(b, 'mail', [70_000, 70_001]), refusal('NoneFree'));
        assert.deepEqual(await fleet.holdsOf(B), [
          { name: 'db', uid: 70_001 },
          { name: 'web', uid: 70_000 },
        ]);
        assert.deepEqual(await fleet.name('web'), { state: 'bound', uid: 70_000, hosts: [A, B], directories: [] });
        assert.deepEqual(await fleet.name('mail'), { state: 'free', hosts: [], directories: [] });
        assert.deepEqual(
          (await fleet.hosts()).map(({ host, holds, alive, fenced, restored }) => ({
            host,
            holds,
            alive,
            fenced,
            restored,
          })),
          [
            { host: A, holds: 1, alive: true, fenced: false, restored: undefined },
            { host: B, holds: 2, alive: true, fenced: false, restored: undefined },
          ],
        );
      });

      it('is not misled by what was known before', async () => {
        const { keys, fleet, a } = await two();
        await fleet.hold(a, 'web', [70_000]);
        const known = (uids: Readonly<Record<number, string>>): KnownNames => ({
          uidOf: name => Number(Object.keys(uids).find(uid => uids[Number(uid)] === name)) || undefined,
          nameOf: uid => uids[uid],
        });
        // The name has another UID, the UID is free, the name has none.
        const stale = new Fleet(keys, known({ 70003: 'web', 70001: 'gone' }));
        assert.deepEqual(await stale.hold(a, 'web', [70_000, 70_003]), { uid: 70_000, isFresh: false });
        assert.deepEqual(await stale.hold(a, 'db', [70_001]), { uid: 70_001, isFresh: true });
        assert.deepEqual(await new Fleet(keys, known({ 70004: 'mail' })).hold(a, 'mail', [70_004]), {
          uid: 70_004,
          isFresh: true,
        });
      });

      it('binds each of many names once, whoever asks', async () => {
        const { fleet, other, a, b } = await two();
        const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
        const candidates = Array.from({ length: 16 }, (_, index) => 70_000 + index);
        const held = await Promise.all(
          names.flatMap(name => [
            insist(() => fleet.hold(a, name, candidates)),
            insist(() => other.hold(b, name, [...candidates].reverse())),
          ]),
        );
        const uids = names.map((_, index) => [held[2 * index]?.uid, held[2 * index + 1]?.uid]);
        assert.ok(
          uids.every(([one, two]) => one === two),
          JSON.stringify(uids),
        );
        assert.equal(new Set(uids.map(([uid]) => uid)).size, names.length);
      });

      it('frees a name when no host holds it and it has no directory, and then keeps its UID for it', async () => {
        const { fleet, other, a, b } = await two();
        const collect = () => all(fleet.collect());
        await fleet.hold(a, 'web', [70_000]);
        await other.hold(b, 'web', [70_000]);
        const directory = { storage: 'nfs:/export', path: '/srv/web' };
        await fleet.takeDirectory(a, directory, 'web');
        await forget(fleet, a, 'web');
        assert.deepEqual(await collect(), []);
        await forget(other, b, 'web');
        assert.deepEqual(await collect(), []);
        await fleet.freeDirectory(directory);
        assert.deepEqual(await collect(), [{ name: 'web', uid: 70_000 }]);
        assert.deepEqual(await fleet.name('web'), { state: 'cooling', uid: 70_000, hosts: [], directories: [] });
        await assert.rejects(fleet.hold(a, 'db', [70_000]), refusal('NoneFree'));
        assert.deepEqual(await fleet.hold(a, 'web', [70_000]), { uid: 70_000, isFresh: true });
        assert.deepEqual(await all(fleet.collect('web')), []);
        await forget(fleet, a, 'web');
        assert.deepEqual(await all(fleet.collect('web')), [{ name: 'web', uid: 70_000 }]);
      });

      it('frees no name that somebody holds, or that has a directory, since it was looked at', async () => {
        const { keys, fleet, other, a, b } = await two();
        /** What happens between the look and the transaction. */
        const collectAfter = (meanwhile: () => Promise<unknown>) => {
          const late = Object.assign(Object.create(keys), {
            read: async (wanted: Parameters<KeyStore['read']>[0]) => {
              const listing = await keys.read(wanted);
              await meanwhile();
              return listing;
            },
            transact: (transaction: Parameters<KeyStore['transact']>[0]) => keys.transact(transaction),
            expiry: (seconds: number) => keys.expiry(seconds),
          }) as KeyStore;
          return all(new Fleet(late, NOTHING_KNOWN).collect());
        };
        await fleet.hold(a, 'web', [70_000]);
        await forget(fleet, a, 'web');
        assert.deepEqual(await collectAfter(() => other.hold(b, 'web', [70_000])), []);
        await forget(other, b, 'web');
        const takeAndForget = async () => {
          await other.hold(b, 'web', [70_000]);
          await other.takeDirectory(b, { storage: 's', path: '/srv/web' }, 'web');
          await forget(other, b, 'web');
        };
        assert.deepEqual(await collectAfter(takeAndForget), []);
        assert.equal((await fleet.name('web')).state, 'bound');
      });

      it('ends no hold by what was asked before that was put, however late it is done', async () => {
        const { fleet, a } = await two();
        await fleet.hold(a, 'web', [70_000]);
        const seen = await fleet.status();
        await fleet.forget(a, 'web', seen);
        // Once more: a member of the store that did not answer in time passes it on now, say.
        await fleet.forget(a, 'web', seen);
        await fleet.hold(a, 'web', [70_000]);
        const late = (error: unknown) => error instanceof StoreUnavailable && /web was held again/.test(error.message);
        await assert.rejects(fleet.forget(a, 'web', seen), late);
        assert.deepEqual((await fleet.name('web')).hosts, [A]);
        // Nor by what was asked of another store.
        await assert.rejects(
          fleet.forget(a, 'web', { ...(await fleet.status()), cluster: 'abc' }),
          refusal('Restoring'),
        );
        assert.deepEqual((await fleet.name('web')).hosts, [A]);
        await forget(fleet, a, 'web');
        assert.deepEqual((await fleet.name('web')).hosts, []);
      });

      it('lets no host go that has held a name since its holds were listed', async () => {
        const { keys, fleet, a } = await two();
        await fleet.hold(a, 'web', [70_000]);
        const late = {
          async read(wanted: Parameters<KeyStore['read']>[0]) {
            const listing = await keys.read(wanted);
            await fleet.hold(a, 'db', [70_001]);
            return listing;
          },
          transact: (transaction: Parameters<KeyStore['transact']>[0]) => keys.transact(transaction),
        } as KeyStore;
        await assert.rejects(new Fleet(late, NOTHING_KNOWN).leave(a), StoreUnavailable);
        assert.deepEqual(await fleet.holdsOf(A), [{ name: 'db', uid: 70_001 }]);
        await fleet.leave(a);
        assert.deepEqual(await fleet.holdsOf(A), []);
      });

      it('gives a shared directory to one name', async () => {
        const { fleet, other, a, b } = await two();
        const directory = { storage: 'nfs:/export', path: '/srv/web' };
        await fleet.hold(a, 'web', [70_000]);
        await other.hold(b, 'web', [70_000]);
        await other.hold(b, 'db', [70_001]);
        await fleet.takeDirectory(a, directory, 'web');
        await other.takeDirectory(b, directory, 'web');
        await assert.rejects(other.takeDirectory(b, directory, 'db'), refusal('DirectoryOfAnother', { name: 'web' }));
        await assert.rejects(
          other.takeDirectory(b, { ...directory, path: '/srv/db' }, 'mail'),
          refusal('InvalidParameter'),
        );
        assert.deepEqual((await fleet.name('web')).directories, [directory]);
      });

      it('refuses a host that was forgotten, and holds again what is still as it was', async () => {
        const { keys, fleet, other, a, b } = await two();
        await fleet.hold(a, 'web', [70_000]);
        await fleet.hold(a, 'db', [70_001]);
        await other.hold(b, 'web', [70_000]);
        await assert.rejects(other.forgetHost(A), refusal('HostAlive', { hostName: `name-${A}` }));
        await assert.rejects(other.forgetHost('00000000000000cc'), refusal('NoSuchHost'));
        assert.deepEqual([...(await other.forgetHost(A, true))].sort(), ['db', 'web']);
        await assert.rejects(fleet.hold(a, 'mail', [70_002]), refusal('NotMember', { incarnation: `fenced.1.${A}` }));
        await assert.rejects(forget(fleet, a, 'web'), refusal('NotMember'));
        // db is given to nobody, and its UID to another name.
        assert.deepEqual(await all(other.collect()), [{ name: 'db', uid: 70_001 }]);
        const presence = await keys.expiry(60);
        const back = await fleet.join(joining(A, { recorded: a.incarnation, next: 'two' }), presence);
        assert.deepEqual([back.state, back.incarnation], ['fenced', `fenced.1.${A}`]);
        const fence = { host: A, incarnation: back.incarnation };
        assert.equal(await fleet.holdAgain(fence, { name: 'web', uid: 70_000 }), true);
        assert.equal(await fleet.holdAgain(fence, { name: 'db', uid: 70_001 }), false);
        // Who forgets it once more meanwhile takes away nothing of what it holds again.
        assert.deepEqual(await other.forgetHost(A, true), []);
        assert.deepEqual((await other.name('web')).hosts, [A, B]);
        const joined = await fleet.join(joining(A, { recorded: fence.incarnation, next: 'two' }), presence);
        assert.deepEqual([joined.state, joined.incarnation], ['member', 'two']);
        assert.deepEqual(await fleet.holdsOf(A), [{ name: 'web', uid: 70_000 }]);
      });

      it('knows what hosts are called while they are away or given up, and nothing of one that has left', async () => {
        const { keys, fleet, other, a, b } = await two();
        const called = async () => (await other.hosts()).map(({ hostName, alive }) => [hostName, alive]);
        await fleet.disappear(a);
        assert.deepEqual(await called(), [
          [`name-${A}`, false],
          [`name-${B}`, true],
        ]);
        await other.forgetHost(A);
        assert.deepEqual((await called())[0], [`name-${A}`, false]);
        await fleet.join({ ...joining(B, { recorded: b.incarnation }), hostName: 'renamed' }, await keys.expiry(60));
        assert.deepEqual((await called())[1], ['renamed', true]);
        await other.leave(b);
        const { entries } = await keys.read({ below: ['host-name/'] });
        assert.deepEqual(
          entries.map(({ key }) => key),
          [`host-name/${A}`],
        );
      });

      it('gives up a host with more names than etcd takes operations in a transaction', async () => {
        const { fleet, other, a, b } = await two();
        // A directory has no such bound, and each of its transactions waits for the disk.
        const names = Array.from({ length: make === etcdStore ? 150 : 10 }, (_, index) => `name-${index}`);
        for (const [index, name] of names.entries()) {
          await fleet.hold(a, name, [70_000 + index]);
        }
        await other.hold(b, 'name-7', [70_007]);
        assert.deepEqual([...(await other.forgetHost(A, true))].sort(), [...names].sort());
        assert.deepEqual(await other.holdsOf(A), []);
        assert.equal((await all(other.collect())).length, names.length - 1);
        assert.deepEqual((await other.name('name-7')).hosts, [B]);
      });

      it('lets a host go that holds nothing', async () => {
        const { fleet, other, a } = await two();
        await fleet.hold(a, 'web', [70_000]);
        await fleet.leave(a);
        assert.deepEqual(
          (await other.hosts()).map(({ host }) => host),
          [B],
        );
        assert.deepEqual((await other.name('web')).hosts, []);
        await fleet.leave(a).catch(refusal('NotMember'));
      });
    });

    describe('a store that went back', () => {
      /** What has the same name and the revision of a former time: the keys are deleted and put by hand. */
      async function goBack(keys: KeyStore, fleet: Fleet, kept: readonly string[]) {
        const { entries } = await keys.read({ below: ['name/', 'uid/', 'hold/', 'by-host/'] });
        const gone = entries.filter(({ key }) => !kept.some(prefix => key.startsWith(prefix)));
        await keys.transact({
          when: [],
          deletes: gone.map(({ key }) => key),
          puts: [{ key: 'confirmed', value: 'another' }],
        });
        assert.equal((await fleet.status()).isRestoring, true);
      }

      it('binds no name until every host has put its bindings again, and somebody has said so', async () => {
        const { keys, fleet, other, a, b } = await two();
        await fleet.hold(a, 'web', [70_000]);
        await other.hold(b, 'db', [70_001]);
        await goBack(keys, fleet, ['name/web', 'uid/70000', `hold/web/${A}`, `by-host/${A}/web`]);
        await assert.rejects(fleet.hold(a, 'mail', [70_001]), refusal('Restoring'));
        await assert.rejects(fleet.hold(a, 'web', [70_000]), refusal('Restoring'));
        await assert.rejects(fleet.holdAgain(a, { name: 'web', uid: 70_000 }), refusal('Restoring'));
        await assert.rejects(fleet.restoring.resume(), refusal('NotRestored', { hosts: [A, B], conflicts: [] }));
        assert.deepEqual(await fleet.restoring.restore(a, [{ name: 'web', uid: 70_000 }], true), []);
        assert.deepEqual(
          (await fleet.hosts()).map(({ restored }) => restored),
          [true, false],
        );
        await assert.rejects(fleet.restoring.resume(), refusal('NotRestored', { hosts: [B], conflicts: [] }));
        assert.deepEqual(await other.restoring.restore(b, [{ name: 'db', uid: 70_001 }], false), []);
        assert.deepEqual(await other.restoring.restore(b, [], true), []);
        await fleet.restoring.resume();
        assert.equal((await fleet.status()).isRestoring, false);
        await assert.rejects(fleet.hold(a, 'mail', [70_001]), refusal('NoneFree'));
        assert.deepEqual(await fleet.hold(a, 'mail', [70_002]), { uid: 70_002, isFresh: true });
      });

      it('keeps a host from what it has no record of, and tells what contradicts a record', async () => {
        const { keys, fleet, other, a, b } = await two();
        // Once b had "old" with the UID that a has for "new" now.
        await other.hold(b, 'old', [70_000]);
        await goBack(keys, fleet, ['name/old', 'uid/70000', 'hold/old', `by-host/${B}`]);
        const records: readonly Binding[] = [{ name: 'new', uid: 70_000 }];
        const conflict = { name: 'new', uid: 70_000, boundName: 'old' };
        assert.deepEqual(await fleet.restoring.restore(a, records, true), [conflict]);
        assert.deepEqual(await other.restoring.restore(b, [], true), []);
        assert.deepEqual(await other.holdsOf(B), []);
        await assert.rejects(fleet.restoring.resume(), refusal('NotRestored', { hosts: [], conflicts: [`${A}/new`] }));
        assert.deepEqual(await all(fleet.collect()), [{ name: 'old', uid: 70_000 }]);
        assert.deepEqual(await fleet.restoring.restore(a, records, true), []);
        await fleet.restoring.resume();
        assert.deepEqual(await fleet.name('new'), { state: 'bound', uid: 70_000, hosts: [A], directories: [] });
      });

      it('waits for no host that is powered off, and not for what contradicts its records', async () => {
        const { keys, fleet, other, a, b } = await two();
        await fleet.hold(a, 'web', [70_000]);
        await goBack(keys, fleet, []);
        await fleet.restoring.restore(a, [{ name: 'web', uid: 70_000 }], true);
        assert.equal((await other.restoring.restore(b, [{ name: 'web', uid: 70_001 }], true)).length, 1);
        await assert.rejects(fleet.restoring.resume(), refusal('NotRestored', { hosts: [], conflicts: [`${B}/web`] }));
        await other.forgetHost(B, true);
        await fleet.restoring.resume();
        await assert.rejects(other.hold(b, 'web', [70_000]), refusal('NotMember'));
      });

      it('shows by a lower revision than a host has seen', async () => {
        const { keys, fleet } = open();
        await fleet.create(RANGES);
        const { cluster, revision } = await fleet.status();
        const seen = { cluster, revision: revision + 100 };
        const joined = await fleet.join(joining(A, { seen }), await keys.expiry(60));
        assert.equal(joined.restoring, true);
        assert.equal((await fleet.status()).isRestoring, true);
        const other = await new Fleet(keys, NOTHING_KNOWN).join(joining(B), await keys.expiry(60));
        assert.equal(other.restoring, true);
      });
    });
  });
}
