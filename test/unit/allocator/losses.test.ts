/** Users whose UID somebody else has locked: nothing of it is touched, nothing resolves to it, and it is said. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { LeaseEventKind } from '../../../src/allocator/events.ts';
import { confirmUser, LockWatch, lossOf } from '../../../src/allocator/losses.ts';
import type { Uid } from '../../../src/core/ids.ts';
import { directory, userName } from './fakes.ts';
import { restart } from './restart.ts';
import { assertEmpty, buildUseCases, fails, type UseCases } from './use-cases.ts';

/** One user with a runtime directory, whose UID somebody else has locked since. */
async function loseOne(built: UseCases, leases = 1) {
  const directories = [directory('runtime', 'mine')];
  const first = await built.acquire('mine.service', { directories });
  const others = [];
  for (let count = 1; count < leases; count++) {
    others.push(await built.acquire('mine.service', { directories: [directory('runtime', `mine${count}`)] }));
  }
  built.locks.foreign.add(first.user.uid);
  return { uid: first.user.uid, leases: [first, ...others].map(({ lease }) => lease.id) };
}

function assertUntouched({ reaper, directories }: UseCases): void {
  assert.deepEqual([reaper.asked, reaper.cleared, directories.removed, directories.unpublished], [[], [], [], []]);
}

test('the release of a user whose UID somebody else has locked touches nothing of that UID', async () => {
  const built = buildUseCases();
  const { uid, leases } = await loseOne(built);
  const [lease] = leases;
  assert.ok(lease);
  assert.equal(await built.release(lease), undefined);
  assertUntouched(built);
  assert.deepEqual(built.lost, ['mine']);
  assert.equal(built.locks.files.delete(uid), true, 'the file is the other one`s');
  assertEmpty(built);
  assert.equal(built.coolDown.isCooling, false, 'it is not ours to cool down');
});

test('so does the release of each of several leases', async () => {
  const built = buildUseCases();
  const { leases } = await loseOne(built, 3);
  confirmUser(built, built.users.byName(userName('mine')) ?? assert.fail());
  for (const lease of leases) {
    assert.equal(await built.release(lease), undefined);
  }
  assertUntouched(built);
  assert.equal(built.users.leaseCount, 0);
});

test('what could not be removed before is not tried again once the UID is lost', async () => {
  const built = buildUseCases();
  const { user, lease } = await built.acquire('mine.service');
  built.reaper.processes.set(user.uid, { kind: 'process', pid: 1, command: 'stays', as: 'user' });
  assert.match((await built.release(lease.id)) ?? '', /process 1/);
  built.reaper.asked.length = 0;
  built.locks.foreign.add(user.uid);
  const [ending] = [...built.teardown.underWay()];
  assert.ok(ending);
  assert.equal(await built.teardown.resume(ending.user), undefined);
  assertUntouched(built);
  built.teardown.stop();
});

test('a lost user does not resolve, is told of, and keeps its UID from being given out', async () => {
  const built = buildUseCases('61184-61185');
  const changes: LeaseEventKind[] = [];
  const { uid } = await loseOne(built);
  built.events.on(['allocated', 'released', 'lost'], ({ kind }) => changes.push(kind));
  await fails(
    built.acquire('mine.service'),
    'NameConflict',
    /the user mine has lost its UID \d+: .*; release its leases/,
  );
  const name = userName('mine');
  assert.deepEqual(changes, ['lost']);
  assert.match(built.users.byName(name)?.lost ?? '', /somebody else has locked its UID/);
  assert.deepEqual([built.users.dynamicByName(name), built.users.dynamicByUid(uid)], [undefined, undefined]);
  assert.deepEqual([...built.users.dynamic()], []);
  assert.deepEqual([built.registry.byName.size, built.registry.byUid.size], [0, 0]);
  assert.equal(built.registry.leases.get(name)?.lost, built.users.byName(name)?.lost, 'it is written down');
  assert.equal(built.directories.removed.length, 0);
  // The other one ends: the number is kept until the lost leases are released.
  built.locks.foreign.delete(uid);
  built.locks.files.delete(uid);
  assert.notEqual((await built.acquire('first.service')).user.uid, uid);
  await fails(built.acquire('second.service'), 'RangeExhausted');
});

test('a directory that a lost user had is not kept from others by it', async () => {
  const built = buildUseCases();
  await loseOne(built);
  assert.equal(built.users.directoriesInUse().length, 1);
  await fails(built.acquire('mine.service'), 'NameConflict');
  assert.equal(built.users.directoriesInUse().length, 0);
});

test('a UID that somebody else locked while no daemon ran is lost, and stays lost', async () => {
  const built = buildUseCases();
  const { uid } = await loseOne(built);
  const first = await restart(built);
  assert.deepEqual(first.lost, ['mine']);
  assert.equal(built.registry.byUid.size, 0);
  // The other one has ended by now, and may have left anything.
  built.locks.foreign.delete(uid);
  const { users, lost } = await restart(built);
  assert.deepEqual(lost, [], 'it was told before');
  assert.match(users.byName(userName('mine'))?.lost ?? '', /somebody else/);
  assert.equal(built.locks.held.size, 0);
  assertUntouched(built);
});

test('a user that was ending, and whose UID somebody else locked while no daemon ran, ends without a touch', async () => {
  const built = buildUseCases();
  const { user, lease } = await built.acquire('mine.service');
  built.reaper.processes.set(user.uid, { kind: 'process', pid: 1, command: 'stays', as: 'user' });
  await built.release(lease.id);
  built.teardown.stop();
  built.reaper.asked.length = 0;
  built.locks.foreign.add(user.uid);
  const { users } = await restart(built);
  assertUntouched(built);
  assert.deepEqual([users.heldCount, built.registry.ending.size], [0, 0]);
});

test('a lock that was kept is there for the next daemon, and one that was not is taken if it is free', async () => {
  for (const keeps of [true, false]) {
    const built = buildUseCases();
    built.locks.keeps = keeps;
    const { user } = await built.acquire('mine.service');
    const { users, lost } = await restart(built);
    assert.deepEqual([lost, [...built.locks.held]], [[], [user.uid]]);
    assert.equal(users.dynamicByUid(user.uid)?.name, 'mine');
  }
});

test('from time to time all users are looked at, however many there are', async () => {
  const built = buildUseCases();
  const uids = [];
  for (let count = 0; count < 150; count++) {
    uids.push((await built.acquire(`many${count}.service`)).user.uid);
  }
  mock.timers.enable({ apis: ['setTimeout'] });
  const { events, users, registry, locks, lost } = built;
  const onFailure = (what: string, cause: unknown) => assert.fail(`${what}: ${cause}`);
  const watch = new LockWatch({ events, users, registry, locks, onFailure });
  try {
    for (const index of [0, 70, 149]) {
      locks.foreign.add(uids[index] ?? assert.fail());
    }
    for (let round = 0; round < 2; round++) {
      mock.timers.tick(10_000);
      for (let turns = 0; turns < 10; turns++) {
        await turn();
      }
      assert.deepEqual(lost, ['many0', 'many70', 'many149'], 'each is told of once');
    }
  } finally {
    watch.stop();
    mock.timers.reset();
  }
});

test('why a UID is not ours is said in words', () => {
  assert.equal(lossOf({ kind: 'locked' }), undefined);
  assert.equal(lossOf({ kind: 'taken' }), 'somebody else has locked its UID');
  assert.equal(lossOf({ kind: 'unusable', reason: 'ELOOP' }), 'its UID cannot be locked: ELOOP');
});

test('a loss that cannot be written down is a loss all the same, and is told with the reason', async () => {
  const built = buildUseCases();
  const { uid } = await loseOne(built);
  const user = built.users.dynamicByUid(uid) ?? assert.fail();
  const error = new Error('the registry is full');
  built.registry.failure = { step: 'intend', error };
  const told: unknown[] = [];
  built.events.on(['lost'], event => told.push(event));
  const lost = confirmUser(built, user);
  assert.equal(lost.lost, 'somebody else has locked its UID');
  assert.deepEqual(told, [{ kind: 'lost', user: lost, cause: error }]);
  assert.equal(built.users.byName(user.name), lost);
  assert.equal(built.registry.leases.get(user.name), user, 'the next daemon finds it out by itself');
});

test('a loss is written down as a user is, so that a crash in between leaves one of the two', async () => {
  const built = buildUseCases();
  const { uid } = await loseOne(built);
  const steps: string[] = [];
  const registry = {
    unpublish: () => void steps.push('unpublish'),
    intend: () => void steps.push('intend'),
    commit: () => void steps.push('commit'),
    tellMembers: () => assert.fail('it is in no group'),
    tellGroups: () => assert.fail('it is in no group'),
  };
  const { events, users, locks } = built;
  confirmUser({ events, users, locks, registry }, users.dynamicByUid(uid) ?? assert.fail());
  assert.deepEqual(steps, ['unpublish', 'intend', 'commit']);
});

test('a static user has no UID to lose, and a lost one loses nothing more', async () => {
  const built = buildUseCases();
  const { uid } = await loseOne(built);
  const live = built.users.dynamicByUid(uid) ?? assert.fail();
  const told = built.lost.length;
  for (const user of [
    { ...live, dynamic: false },
    { ...live, lost: 'before' },
  ]) {
    assert.equal(confirmUser(built, user), user);
  }
  assert.equal(built.lost.length, told);
});

test('locks that cannot be looked at are told of, and are looked at again', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const built = buildUseCases();
  const { user } = await built.acquire('a.service');
  const { events, users, registry } = built;
  let looks = 0;
  const locks = {
    confirm(number: number) {
      looks++;
      assert.equal(number, user.uid);
      throw new Error('too many open files');
    },
    release: () => {},
  };
  const failures: string[] = [];
  const onFailure = (what: string, cause: unknown) => failures.push(`${what}: ${cause}`);
  const watch = new LockWatch({ events, users, registry, locks, onFailure });
  try {
    for (let round = 1; round <= 2; round++) {
      mock.timers.tick(9_999);
      await turn();
      assert.equal(looks, round - 1);
      mock.timers.tick(1);
      await turn();
      assert.equal(looks, round);
    }
    const told = 'cannot check that the UIDs of users are still locked: Error: too many open files';
    assert.deepEqual(failures, [told, told]);
    watch.stop();
    mock.timers.tick(60_000);
    await turn();
    assert.equal(looks, 2);
  } finally {
    watch.stop();
    mock.timers.reset();
  }
});

test('nothing is looked at any more once the watch was stopped, also in the middle of a round', async () => {
  const built = buildUseCases();
  for (let count = 0; count < 150; count++) {
    await built.acquire(`many${count}.service`);
  }
  mock.timers.enable({ apis: ['setTimeout'] });
  const { events, users, registry, locks } = built;
  let looks = 0;
  const counting = {
    confirm(number: Uid) {
      looks++;
      return locks.confirm(number);
    },
    release: () => assert.fail('none is lost'),
  };
  const onFailure = (what: string, cause: unknown) => assert.fail(`${what}: ${cause}`);
  const watch = new LockWatch({ events, users, registry, locks: counting, onFailure });
  try {
    mock.timers.tick(10_000);
    watch.stop();
    const before = looks;
    assert.ok(before > 0 && before < 150, `${before}`);
    for (let round = 0; round < 2; round++) {
      for (let turns = 0; turns < 10; turns++) {
        await turn();
      }
      mock.timers.tick(60_000);
    }
    assert.equal(looks, before);
  } finally {
    watch.stop();
    mock.timers.reset();
  }
});
