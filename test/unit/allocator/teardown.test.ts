import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Teardown } from '../../../src/allocator/teardown.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { directory, userName } from './fakes.ts';
import { buildUseCases, type UseCases } from './use-cases.ts';

const PROCESS = { kind: 'process', pid: 7, command: 'stuck', as: 'user' } as const;

async function ended(built: UseCases, more: Parameters<UseCases['acquire']>[1] = {}) {
  const acquired = await built.acquire('a.service', more);
  return { ...acquired, remains: await built.release(acquired.lease.id) };
}

test('processes go first, then IPC objects, then short-lived directories; then the UID is free', async () => {
  const built = buildUseCases();
  const directories = [directory('runtime', 'run'), directory('state', 'kept')];
  const { user, remains } = await ended(built, { directories });
  assert.equal(remains, undefined);
  assert.deepEqual(built.reaper.asked, [`processes ${user.uid} 5`, `ipc ${user.uid}`]);
  assert.deepEqual(built.reaper.cleared, [user.uid]);
  assert.deepEqual(built.directories.removed, ['/runtime/run']);
  assert.equal(built.users.holding(user.uid), undefined);
  assert.equal(built.locks.held.size + built.registry.ending.size, 0);
});

test('what is left keeps the UID reserved and locked, unresolvable, and is said', async () => {
  const built = buildUseCases('61184-61184');
  built.reaper.processes.set(61184, PROCESS);
  const { user, remains } = await ended(built);
  assert.equal(remains, 'process 7 (stuck) runs with it');
  assert.deepEqual(built.left, ['a: process 7 (stuck) runs with it']);
  assert.equal(built.users.byName(userName('a')), undefined);
  assert.equal(built.registry.byUid.size + built.registry.byName.size, 0);
  assert.ok(built.locks.held.has(user.uid));
  assert.equal(built.registry.ending.size, 1);
  assert.deepEqual(
    [...built.teardown.underWay()].map(({ user: { name }, leftovers }) => [name, leftovers]),
    [['a', remains]],
  );
  await assert.rejects(built.acquire('b.service'), /1 of 1 are held here/);
  built.teardown.stop();
});

test('what is left is tried again, and the UID is free once it is gone', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const built = buildUseCases('61184-61184');
  built.reaper.ipc.set(61184, { kind: 'ipc', object: 'posix-shm', id: '/x' });
  const { user } = await ended(built);
  t.mock.timers.tick(1_000);
  await new Promise(setImmediate);
  assert.ok(built.users.holding(user.uid), 'still there at the second look');
  built.reaper.ipc.clear();
  t.mock.timers.tick(2_000);
  await new Promise(setImmediate);
  await built.teardown.waitFor(user.name);
  assert.equal(built.users.holding(user.uid), undefined);
  assert.equal([...built.teardown.underWay()].length, 0);
});

test('a caller that cleans up by itself is left to it, but for keys, which it could not remove', async () => {
  const built = buildUseCases();
  const { user } = await ended(built, { cleanup: { processes: false, ipc: false } });
  assert.deepEqual(built.reaper.asked, []);
  assert.deepEqual(built.reaper.cleared, [user.uid]);
});

test('the processes of a static user are the host’s own', async () => {
  const built = buildUseCases();
  const account = { uid: 5 as never, gid: 60 as never };
  built.probe.accounts.set('a', { user: account, group: { gid: account.gid } });
  await ended(built);
  assert.deepEqual(built.reaper.asked, []);
  assert.deepEqual(built.reaper.cleared, []);
  assert.equal(built.registry.ending.size, 0);
});

test('the IPC objects of a static user go with its last lease, if that asked for it', async () => {
  const built = buildUseCases();
  const account = { uid: 5 as never, gid: 60 as never };
  built.probe.accounts.set('a', { user: account, group: { gid: account.gid } });
  await ended(built, { removesAccountIpc: true });
  assert.deepEqual(built.reaper.asked, ['account ipc 5 60']);
  const [first, second] = [
    await built.acquire('a.service', { removesAccountIpc: true, directoryGid: 29 as never }),
    await built.acquire('a.service', { removesAccountIpc: true, directoryGid: 29 as never }),
  ];
  await built.release(first.lease.id);
  assert.equal(built.reaper.asked.length, 1, 'another lease still has it');
  await built.release(second.lease.id);
  assert.deepEqual(built.reaper.asked.slice(1), ['account ipc 5 29'], 'of the group that the process had');
  const { user } = await built.acquire('b.service', { removesAccountIpc: true });
  assert.equal(user.leases[0]?.cleanup.accountIpc, undefined, 'a dynamic user has the number for itself');
});

test('a new request for a name waits until the former user has ended, and gets its UID back', async () => {
  const built = buildUseCases();
  const first = await built.acquire('a.service');
  const ending = built.release(first.lease.id);
  const again = await built.acquire('a.service');
  await ending;
  assert.equal(again.user.uid, first.user.uid);
});

test('a freed UID goes to another name only where nothing else is free, until it has cooled down', async () => {
  const built = buildUseCases('61184-61186');
  const { user } = await ended(built);
  const others = [await built.acquire('b.service'), await built.acquire('c.service')];
  assert.ok(others.every(other => other.user.uid !== user.uid));
  assert.equal((await built.acquire('d.service')).user.uid, user.uid);

  const cold = buildUseCases();
  const freed = await cold.acquire('svc42.service');
  await cold.release(freed.lease.id);
  const early = await cold.acquire('svc87.service');
  assert.notEqual(early.user.uid, freed.user.uid, 'though both prefer the same UID');
  await cold.release(early.lease.id);
  cold.now = 60_001;
  assert.equal((await cold.acquire('svc87.service')).user.uid, freed.user.uid);
});

test('a freed UID that owns the directories of a request is given at once: it is kept for the next user of the directories', async () => {
  const built = buildUseCases('61184-61186');
  const freed = await ended(built);
  built.directories.found = [freed.user.uid];
  const next = await built.acquire('b.service', { directories: [directory('state', 'x')] });
  assert.equal(next.user.uid, freed.user.uid);
});

test('a user that ends while its directories are made ready for another holder is made anew', async () => {
  const built = buildUseCases();
  const first = await built.acquire('a.service');
  let open = (): void => undefined;
  const gate = new Promise<void>(resolve => {
    open = resolve;
  });
  built.directories.gate = () => gate;
  const joining = built.acquire('a.service', { directories: [directory('state', 'x')] });
  await new Promise(setImmediate);
  await built.release(first.lease.id);
  open();
  const joined = await joining;
  assert.equal(joined.user.leases.length, 1);
  assert.deepEqual(built.users.byName(userName('a')), joined.user);
  assert.equal(built.registry.byUid.size, 1);
});

test('one of several holders takes its short-lived directories along, and only those', async () => {
  const built = buildUseCases();
  const first = await built.acquire('a.service', { directories: [directory('runtime', 'one')] });
  const second = await built.acquire('a.service', { directories: [directory('runtime', 'two')] });
  await built.release(first.lease.id);
  assert.deepEqual(built.directories.removed, ['/runtime/one']);
  assert.equal(built.users.leaseCount, 1);
  await built.release(second.lease.id);
  assert.deepEqual(built.directories.removed, ['/runtime/one', '/runtime/two']);
});

test('what is left is tried again after 1, 2, 4 … seconds, and at last every minute', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const built = buildUseCases('61184-61184');
  built.reaper.processes.set(61184, PROCESS);
  await ended(built);
  const attempts = () => built.left.length;
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    const before = attempts();
    t.mock.timers.tick(seconds * 1_000 - 1);
    await new Promise(setImmediate);
    assert.equal(attempts(), before);
    t.mock.timers.tick(1);
    await new Promise(setImmediate);
    assert.equal(attempts(), before + 1, `after ${seconds} s`);
  }
  built.teardown.stop();
  const before = attempts();
  t.mock.timers.tick(60_000);
  await new Promise(setImmediate);
  assert.equal(attempts(), before, 'who stops tries no more');
});

test('what fails is told as what is left, and keeps the UID', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const error of [new DynuserError('DirectoryFailed', 'rmdir: busy', {}), new Error('broken')]) {
    const built = buildUseCases();
    built.directories.gate = () => Promise.reject(error);
    const { lease, user } = await acquireWithout(built);
    assert.equal(await built.release(lease.id), error instanceof DynuserError ? 'rmdir: busy' : 'Error: broken');
    assert.equal(built.users.holding(user.uid), user);
    assert.equal(built.teardown.leftoversOf(user), built.left[0]?.replace('a: ', ''));
    built.teardown.stop();
  }
});

/** A user with a short-lived directory, whatever the gate says. */
async function acquireWithout(built: UseCases) {
  const { gate } = built.directories;
  built.directories.gate = async () => undefined;
  const acquired = await built.acquire('a.service', { directories: [directory('runtime', 'run')] });
  built.directories.gate = gate;
  return acquired;
}

test('a name cache forgets a dynamic user before its UID is free, and need not know of others', async () => {
  const built = buildUseCases();
  const log: string[] = [];
  let isPresent = true;
  const nameCache = {
    present: () => isPresent,
    flush: async () => void log.push(`flush, held: ${built.users.heldCount}`),
  };
  const { events, users, registry, locks, reaper, directories, packetFilter, coolDown } = built;
  const teardown = new Teardown({
    ...{ events, users, registry, locks, reaper, directories, packetFilter, coolDown, nameCache, graceMs: 5 },
  });
  const { user } = await built.acquire('a.service');
  await teardown.begin(user);
  assert.deepEqual(log.splice(0), ['flush, held: 1']);
  assert.equal(users.heldCount, 0);
  built.probe.accounts.set('games', { user: { uid: 5 as never, gid: 60 as never } });
  await teardown.begin((await built.acquire('games.service')).user);
  isPresent = false;
  await teardown.begin((await built.acquire('b.service')).user);
  assert.deepEqual(log, []);
});

test('processes and objects are removed only if each lease that ends asks for it', async () => {
  for (const [cleanups, asked] of [
    [[{ processes: true, ipc: true }], ['processes', 'ipc']],
    [[{ processes: true, ipc: false }], ['processes']],
    [[{ processes: false, ipc: true }], ['ipc']],
    [[{ processes: false, ipc: false }], []],
    [
      [
        { processes: true, ipc: true },
        { processes: false, ipc: true },
      ],
      ['ipc'],
    ],
    [
      [
        { processes: true, ipc: true },
        { processes: true, ipc: false },
      ],
      ['processes'],
    ],
  ] as const) {
    const built = buildUseCases();
    let last: Awaited<ReturnType<UseCases['acquire']>> | undefined;
    for (const cleanup of cleanups) {
      last = await built.acquire('a.service', { cleanup });
    }
    const { user } = last ?? assert.fail();
    await built.teardown.begin(user);
    assert.deepEqual(
      built.reaper.asked.map(line => line.split(' ')[0]),
      asked,
      JSON.stringify(cleanups),
    );
    assert.ok(built.reaper.cleared.includes(user.uid), 'keys go in any case');
  }
});

test('a process that does not end keeps the objects from being removed', async () => {
  const built = buildUseCases();
  const { user } = await built.acquire('a.service', { cleanup: { processes: true, ipc: false } });
  built.reaper.processes.set(user.uid, PROCESS);
  assert.equal(await built.teardown.begin(user), 'process 7 (stuck) runs with it');
  assert.deepEqual(built.reaper.cleared, []);
  built.teardown.stop();
});

test('the UID of a lost user cools down if it is nobody’s by then, and is told of', async () => {
  const built = buildUseCases();
  const { user } = await built.acquire('a.service');
  const lost = { ...user, lost: 'its lock file is gone' };
  built.users.put(lost);
  built.locks.release(user.uid);
  assert.equal(await built.teardown.begin(lost), undefined);
  assert.deepEqual([built.lost, built.coolDown.isCooling, built.reaper.asked], [['a'], true, []]);
});

test('an attempt is under way from the first step on, with nothing known to be left', async () => {
  const built = buildUseCases();
  const { user } = await built.acquire('a.service');
  const ending = built.teardown.begin(user);
  assert.deepEqual([...built.teardown.underWay()], [{ user, leftovers: undefined }]);
  assert.equal(built.users.byName(user.name), undefined);
  await ending;
  assert.deepEqual([...built.teardown.underWay()], []);
});

test('a user whose end cannot be written down stays as it was', async () => {
  const built = buildUseCases();
  const { user } = await built.acquire('a.service');
  built.registry.failure = { step: 'revoke', error: new Error('full') };
  assert.throws(() => built.teardown.begin(user), /full/);
  assert.equal(built.users.byName(user.name), user);
  assert.equal([...built.teardown.underWay()].length, 0);
});
