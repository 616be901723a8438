import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  assert.equal(built.locks.held.size + built.registry.endings.size, 0);
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
  assert.equal(built.registry.endings.size, 1);
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
  assert.equal(built.registry.endings.size, 0);
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

test('a freed UID that owns the directories of a request is given at once: whoever comes next is its heir', async () => {
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
