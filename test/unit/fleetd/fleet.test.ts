/** The transactions of a fleet if others come between them, without end too, and in batches. What both real stores make of each is in integration/fleetd/. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { FleetError, type FleetErrorCode } from '../../../src/fleetd/errors.ts';
import { Fleet, type JoinRequest } from '../../../src/fleetd/fleet.ts';
import { StoreUnavailable } from '../../../src/fleetd/key-store.ts';
import { directoryDigest } from '../../../src/fleetd/keys.ts';
import type { Member } from '../../../src/fleetd/seen-store.ts';
import { MemoryStore } from '../../support/fleet/memory-store.ts';

const RANGES = '65536-79999';
const A = '00000000000000aa';
const MEMBER: Member = { host: A, incarnation: 'one' };
const PRESENT = JSON.stringify({ name: 'here', version: '1' });
const DIRECTORY = { storage: 'nas', path: '/srv/web' };
const DIGEST = directoryDigest('nas', '/srv/web');

let store = new MemoryStore();
let fleet = new Fleet(store, { uidOf: () => undefined, nameOf: () => undefined });

const refusal = (code: FleetErrorCode, detail: object) => (error: unknown) =>
  error instanceof FleetError && assert.deepEqual([error.code, error.detail], [code, detail]) === undefined;
const joining = (more: Partial<JoinRequest> = {}): JoinRequest => ({
  ...{
    host: A,
    hostName: 'here',
    version: '1',
    ranges: RANGES,
    recorded: 'one',
    next: 'two',
    renew: false,
    seen: undefined,
  },
  ...more,
});
/** A name with its UID, which the host holds. */
const held = (name: string, uid: number): Record<string, string> => ({
  [`name/${name}`]: String(uid),
  [`uid/${uid}`]: name,
  [`hold/${name}/${A}`]: 'one',
  [`by-host/${A}/${name}`]: String(uid),
});
const many = (count: number): Record<string, string> =>
  Object.assign({}, ...Array.from({ length: count }, (_, index) => held(`n${index}`, 70_000 + index)));

beforeEach(async () => {
  store = new MemoryStore();
  fleet = new Fleet(store, { uidOf: () => undefined, nameOf: () => undefined });
  await fleet.create(RANGES);
  store.change({ [`inc/${A}`]: 'one', [`host/${A}`]: PRESENT, [`host-name/${A}`]: 'here' });
  store.asked.length = 0;
});

/** What happens each time before a transaction that the test waits for; @returns how often it did. */
function meanwhile(
  change: (count: number) => Readonly<Record<string, string | undefined>>,
  times = Number.POSITIVE_INFINITY,
): () => number {
  let count = 0;
  store.before = () => {
    if (count < times) {
      store.change(change(count++));
    }
  };
  return () => count;
}

describe('a shared directory', () => {
  const owner = (name: string): string => JSON.stringify({ ...DIRECTORY, name });

  it('that is nobody’s is free already', async () => {
    await fleet.freeDirectory(DIRECTORY);
    assert.deepEqual(store.asked, []);
  });

  it('is free of whom it belongs to, in both of its places', async () => {
    store.change(held('web', 70_000));
    await fleet.takeDirectory(MEMBER, DIRECTORY, 'web');
    assert.deepEqual(store.below('dir'), { [`dir/${DIGEST}`]: owner('web'), [`dir-of/web/${DIGEST}`]: owner('web') });
    await fleet.takeDirectory(MEMBER, DIRECTORY, 'web');
    await fleet.freeDirectory(DIRECTORY);
    assert.deepEqual(store.below('dir'), {});
  });

  it('is free of whom it belongs to by then, however often that has changed', async () => {
    const taken = (name: string) => ({ [`dir/${DIGEST}`]: owner(name), [`dir-of/${name}/${DIGEST}`]: owner(name) });
    store.change(taken('n'));
    const count = meanwhile(
      index => ({ [`dir-of/n${index - 1 || ''}/${DIGEST}`]: undefined, ...taken(`n${index}`) }),
      3,
    );
    await fleet.freeDirectory(DIRECTORY);
    assert.equal(count(), 3);
    assert.equal(store.entries.has(`dir/${DIGEST}`), false);
    assert.equal(store.entries.has(`dir-of/n2/${DIGEST}`), false);
  });

  it('is told of if others do not stop to take it', async () => {
    store.change({ [`dir/${DIGEST}`]: owner('web') });
    const count = meanwhile(index => ({ [`dir/${DIGEST}`]: owner(`n${index}`) }));
    await assert.rejects(
      fleet.freeDirectory(DIRECTORY),
      (error: unknown) =>
        error instanceof StoreUnavailable && error.message === '/srv/web of nas was taken again meanwhile; try again',
    );
    assert.equal(count(), 512);
  });

  it('is taken by who holds its name and is a member, while names can be held', async () => {
    await assert.rejects(
      fleet.takeDirectory(MEMBER, DIRECTORY, 'web'),
      refusal('InvalidParameter', { field: 'name', reason: 'this host does not hold web; hold it first' }),
    );
    store.change(held('web', 70_000));
    await assert.rejects(
      fleet.takeDirectory({ ...MEMBER, incarnation: 'zero' }, DIRECTORY, 'web'),
      refusal('NotMember', { incarnation: 'one' }),
    );
    await assert.rejects(fleet.takeDirectory({ ...MEMBER, host: 'bb' }, DIRECTORY, 'web'), refusal('NotMember', {}));
    store.change({ suspended: '1.2' });
    await assert.rejects(fleet.takeDirectory(MEMBER, DIRECTORY, 'web'), refusal('Restoring', {}));
    store.change({ suspended: undefined, confirmed: 'another' });
    await assert.rejects(fleet.takeDirectory(MEMBER, DIRECTORY, 'web'), refusal('Restoring', {}));
    assert.deepEqual(store.below('dir'), {});
    store.change({ confirmed: 'one', [`dir/${DIGEST}`]: 'no JSON' });
    await assert.rejects(fleet.takeDirectory(MEMBER, DIRECTORY, 'web'), refusal('DirectoryOfAnother', { name: '' }));
    store.cluster = 'two';
    await assert.rejects(fleet.takeDirectory(MEMBER, DIRECTORY, 'web'), refusal('Restoring', {}));
  });
});

describe('a host that joins', () => {
  it('is the one that it is by then', async () => {
    const presence = await store.expiry(60);
    meanwhile(() => ({ [`inc/${A}`]: 'two' }), 1);
    const { state, incarnation } = await fleet.join(joining({ renew: true }), presence);
    assert.deepEqual([state, incarnation, store.entries.get(`inc/${A}`)?.value], ['member', 'two', 'two']);
  });

  it('is refused while others do not stop to', async () => {
    const presence = await store.expiry(60);
    const count = meanwhile(index => ({ [`inc/${A}`]: `n${index}`, [`host/${A}`]: undefined }));
    await assert.rejects(
      fleet.join(joining(), presence),
      refusal('HostAlive', { hostName: 'another one that joins at the same time' }),
    );
    assert.equal(count(), 512);
  });

  it('has what it said of itself, for as long as it is heard of', async () => {
    await fleet.join(joining({ hostName: 'name', version: '7' }), await store.expiry(60));
    const [host] = await fleet.hosts();
    assert.deepEqual(host, {
      ...{ host: A, hostName: 'name', version: '7', incarnation: 'one', alive: true, fenced: false, holds: 0 },
    });
    await fleet.disappear(MEMBER);
    assert.deepEqual(await fleet.appear({ ...MEMBER, incarnation: 'zero' }, joining(), await store.expiry(60)), false);
    assert.equal((await fleet.hosts())[0]?.alive, false);
    assert.deepEqual((await fleet.hosts())[0]?.version, undefined);
    assert.deepEqual(await fleet.appear(MEMBER, joining(), await store.expiry(60)), true);
    await fleet.disappear({ ...MEMBER, incarnation: 'zero' });
    assert.equal((await fleet.hosts())[0]?.alive, true);
    // Of an earlier version, which put no name of its own.
    store.change({ [`host-name/${A}`]: undefined });
    assert.equal((await fleet.hosts())[0]?.hostName, 'here');
  });
});

describe('a name', () => {
  it('gets the next candidate if another name gets the first meanwhile', async () => {
    meanwhile(() => ({ 'name/other': '70000', 'uid/70000': 'other' }), 1);
    assert.deepEqual(await fleet.hold(MEMBER, 'web', [70_000, 70_001]), { uid: 70_001, isFresh: true });
    store.before = () => {};
    assert.deepEqual(await fleet.name('web'), { state: 'bound', uid: 70_001, hosts: [A], directories: [] });
    assert.deepEqual(await fleet.hold(MEMBER, 'web', [70_000, 70_001]), { uid: 70_001, isFresh: false });
  });

  it('gets none if each of its candidates goes when it is asked for', async () => {
    meanwhile(index => ({ [`uid/${70_000 + index}`]: 'other' }));
    await assert.rejects(fleet.hold(MEMBER, 'web', [70_000, 70_001]), refusal('NoneFree', {}));
    assert.equal(store.asked.length, 2);
  });

  it('gets none if others do not stop to change it', async () => {
    const count = meanwhile(index => (index % 2 === 0 ? { 'uid/70000': '-web' } : { 'uid/70000': undefined }));
    await assert.rejects(fleet.hold(MEMBER, 'web', [70_000]), refusal('NoneFree', {}));
    assert.equal(count(), 512);
  });

  it('gets the UID that cools down for it, and another name does not', async () => {
    store.change({ 'uid/70000': '-web' });
    await assert.rejects(fleet.hold(MEMBER, 'db', [70_000]), refusal('NoneFree', {}));
    assert.deepEqual(await fleet.name('web'), { state: 'cooling', uid: 70_000, hosts: [], directories: [] });
    assert.deepEqual(await fleet.hold(MEMBER, 'web', [70_000]), { uid: 70_000, isFresh: true });
  });

  it('is asked of those first of which it is not known that they are taken', async () => {
    const known = new Fleet(store, {
      uidOf: () => undefined,
      nameOf: uid => (uid === 70_000 ? 'other' : uid === 70_002 ? 'web' : undefined),
    });
    assert.deepEqual(await known.hold(MEMBER, 'web', [70_000, 70_002, 70_001]), { uid: 70_002, isFresh: true });
    assert.equal(store.asked.length, 1);
  });

  it('has a UID that is a number, or somebody has written to the store by hand', async () => {
    store.change({ 'name/web': 'seven' });
    const words = 'name/web: "seven" is not a UID; somebody has written to the store by hand';
    await assert.rejects(fleet.hold(MEMBER, 'web', [70_000]), { message: words });
    await assert.rejects(fleet.name('web'), { message: words });
  });

  it('that nobody holds is freed for a week, and each at most once', async () => {
    store.change({
      ...held('web', 70_000),
      ...held('db', 70_001),
      [`hold/web/${A}`]: undefined,
      [`hold/db/${A}`]: undefined,
    });
    meanwhile(() => ({ [`hold/web/${A}`]: 'one' }), 1);
    const freed = [];
    for await (const each of fleet.collect()) {
      freed.push(each);
    }
    assert.deepEqual(
      [freed, store.seconds],
      [[{ name: 'db', uid: 70_001 }], [7 * 24 * 3_600]].flat(0),
      'web is held again',
    );
    assert.deepEqual(
      [store.below('uid/'), store.below('name/')],
      [{ 'uid/70000': 'web', 'uid/70001': '-db' }, { 'name/web': '70000' }],
    );
  });
});

describe('a host with many names', () => {
  const sizes = (): number[] => store.asked.map(({ deletes = [] }) => deletes.length / 2);

  it('leaves without them', async () => {
    store.change(many(70));
    await fleet.leave(MEMBER);
    assert.deepEqual(sizes().slice(0, -1), [32, 32, 6]);
    assert.deepEqual(
      [store.below('hold/'), store.below('by-host/'), store.below('inc/'), store.below('host')],
      [{}, {}, {}, {}],
    );
    assert.equal(Object.keys(store.below('name/')).length, 70, 'they are bound still');
    await assert.rejects(
      fleet.leave({ ...MEMBER, incarnation: 'zero' }).then(() => fleet.forgetHost(A)),
      refusal('NoSuchHost', { host: A }),
    );
  });

  it('is given up with all of them, and once', async () => {
    store.change({ ...many(33), [`host/${A}`]: undefined });
    const names = Array.from({ length: 33 }, (_, index) => `n${index}`).sort();
    assert.deepEqual(await fleet.forgetHost(A), names);
    assert.deepEqual(sizes(), [0.5, 32, 1]);
    assert.deepEqual(
      [store.entries.get(`inc/${A}`)?.value, store.entries.get(`uid/fenced.${A}`)?.value],
      ['fenced.one', 'one'],
    );
    assert.deepEqual(await fleet.forgetHost(A), []);
  });

  it('is given up for as long as it does not return', async () => {
    store.change({ ...many(40), [`host/${A}`]: undefined });
    meanwhile(index => (index === 2 ? { [`inc/${A}`]: 'two' } : {}), 3);
    assert.equal((await fleet.forgetHost(A)).length, 32);
    assert.equal(Object.keys(store.below('hold/')).length, 8);
  });

  it('that may be alive is given up if that is asked for', async () => {
    await assert.rejects(fleet.forgetHost(A), refusal('HostAlive', { hostName: 'here' }));
    const off: string[] = [];
    store.hostIsOff = async host => void off.push(host);
    await assert.rejects(fleet.forgetHost(A), refusal('HostAlive', { hostName: 'here' }));
    assert.deepEqual([off, store.below('inc/')], [[], { [`inc/${A}`]: 'one' }]);
    assert.deepEqual(await fleet.forgetHost(A, true), []);
    assert.deepEqual([off, store.below('host/')], [[A], {}]);
    // A store that waits for just that.
    store.change({ [`inc/${A}`]: 'two' });
    const { read } = store;
    let reads = 0;
    store.read = async wanted => {
      if (reads++ === 0) {
        throw new StoreUnavailable('no answer');
      }
      return read.call(store, wanted);
    };
    await fleet.forgetHost(A);
    assert.deepEqual(off, [A, A]);
  });

  it('that others do not stop to join as is not given up', async () => {
    store.change({ [`host/${A}`]: undefined });
    const count = meanwhile(index => ({ [`inc/${A}`]: `n${index}` }));
    await assert.rejects(fleet.forgetHost(A), refusal('HostAlive', { hostName: A }));
    assert.equal(count(), 512);
  });

  it('puts them again after the store went back, and holds none that it has no record of', async () => {
    store.change({ ...many(70), suspended: '1.2' });
    const records = [
      { name: 'n0', uid: 70_000 },
      { name: 'new', uid: 71_000 },
      { name: 'n1', uid: 70_002 },
    ];
    assert.deepEqual(await fleet.restoring.restore(MEMBER, records.slice(0, 1), false), []);
    assert.deepEqual(await fleet.restoring.restore(MEMBER, records.slice(1), true), [
      { name: 'n1', uid: 70_002, boundUid: 70_001, boundName: 'n2' },
    ]);
    assert.deepEqual(Object.keys(store.below('hold/')).sort(), [`hold/n0/${A}`, `hold/new/${A}`]);
    assert.deepEqual(Object.values(store.below('put-again/')), ['one 1.2']);
    assert.deepEqual((await fleet.hosts())[0]?.restored, true);
    await assert.rejects(fleet.restoring.resume(), refusal('NotRestored', { hosts: [], conflicts: [`${A}/n1`] }));
    store.change({ suspended: '1.3' });
    await assert.rejects(fleet.restoring.resume(), refusal('NotRestored', { hosts: [A], conflicts: [] }));
    assert.deepEqual(await fleet.restoring.restore(MEMBER, [], true), []);
    assert.deepEqual([store.below('hold/'), store.below('conflict/')], [{}, {}]);
    await fleet.restoring.resume();
    assert.deepEqual(
      [(await fleet.status()).isRestoring, store.below('suspended'), store.below('uid/suspended')],
      [false, {}, {}],
    );
  });

  it('puts a name again over what happens to it meanwhile, and says what contradicts if that does not stop', async () => {
    store.change({ suspended: '1.2' });
    meanwhile(() => ({ 'uid/70000': '-old' }), 1);
    assert.deepEqual(await fleet.restoring.restore(MEMBER, [{ name: 'web', uid: 70_000 }], false), []);
    assert.deepEqual([store.below('name/'), store.entries.get('uid/70000')?.value], [{ 'name/web': '70000' }, 'web']);
    const count = meanwhile(index => ({ 'uid/70001': `-n${index}` }));
    assert.deepEqual(await fleet.restoring.restore(MEMBER, [{ name: 'db', uid: 70_001 }], false), [
      { name: 'db', uid: 70_001 },
    ]);
    assert.equal(count(), 512);
  });
});
