import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseFor, releaseGone } from '../../../src/allocator/release.ts';
import { DynuserError, type ErrorCode } from '../../../src/core/errors.ts';
import type { Uid } from '../../../src/core/ids.ts';
import { LEASES_PER_USER_MAX } from '../../../src/core/limits.ts';
import { directory, gid, uid, userName } from './fakes.ts';
import { assertEmpty, buildUseCases, fails, type UseCases } from './use-cases.ts';

test('a name gets its preferred UID, is locked, published and durable', async () => {
  const built = buildUseCases();
  const { user, lease } = await built.acquire('dynamic-user-test.service');
  assert.equal(user.uid, 64642);
  assert.equal(user.gid, 64642);
  assert.equal(user.dynamic, true);
  assert.equal(built.registry.byUid.get(uid(64642)), 'dynamic-user-test');
  assert.equal(built.registry.byName.get(userName('dynamic-user-test')), 64642);
  assert.deepEqual(built.registry.leases.get('dynamic-user-test'), user);
  assert.ok(built.locks.held.has(uid(64642)));
  await built.release(lease.id);
  assertEmpty(built);
});

test('several holders share the user of a name, and the last one ends it', async () => {
  const built = buildUseCases();
  const first = await built.acquire('one.service', { userName: userName('shared') });
  const second = await built.acquire('two.service', { userName: userName('shared') });
  assert.equal(first.user.uid, second.user.uid);
  assert.notEqual(first.lease.id, second.lease.id);
  await built.release(first.lease.id);
  assert.equal(built.registry.byUid.size, 1);
  assert.equal(built.registry.leases.get('shared')?.leases.length, 1);
  await built.release(second.lease.id);
  assertEmpty(built);
});

test('two requests for one name at the same time make one user', async () => {
  const built = buildUseCases();
  const [first, second] = await Promise.all([built.acquire('tmpl@a.service'), built.acquire('tmpl@b.service')]);
  assert.equal(first.user.uid, second.user.uid);
  assert.equal(built.users.heldCount, 1);
  assert.equal(built.users.leaseCount, 2);
});

test('each evidence costs its UID and not the request', async () => {
  const built = buildUseCases();
  const preferred = uid(64642);
  const spoil: ((built: UseCases) => void)[] = [
    ({ locks }) => locks.foreign.add(preferred),
    ({ locks }) => locks.strange.set(preferred, 'it is a directory'),
    ({ probe }) => probe.against.set(preferred, { kind: 'user', name: 'someone' }),
    ({ probe }) => probe.against.set(preferred, { kind: 'ipc', object: 'posix-mq', id: '/q' }),
    ({ probe }) => probe.against.set(preferred, { kind: 'process', pid: 9, command: 'left', as: 'group' }),
  ];
  for (const spoilOne of spoil) {
    const fresh = buildUseCases();
    spoilOne(fresh);
    const { user, lease } = await fresh.acquire('dynamic-user-test.service');
    assert.notEqual(user.uid, preferred);
    await fresh.release(lease.id);
    assertEmpty(fresh);
  }
  assert.equal((await built.acquire('dynamic-user-test.service')).user.uid, preferred);
});

test('owners of directories are tried before the preferred UID', async () => {
  const built = buildUseCases();
  built.directories.found = [uid(0), uid(65534), uid(63122)];
  const directories = [directory('state', 'wuff')];
  assert.equal((await built.acquire('run-u16087.service', { directories })).user.uid, 63122);
});

test('while one UID is free a request succeeds, and then the range is exhausted', async () => {
  const built = buildUseCases('61184-61186');
  const uids = new Set<Uid>();
  for (const unit of ['a', 'b', 'c']) {
    uids.add((await built.acquire(unit)).user.uid);
  }
  assert.deepEqual([...uids].toSorted(), [61184, 61185, 61186]);
  await assert.rejects(built.acquire('d'), (error: unknown) => {
    assert.ok(error instanceof DynuserError);
    assert.equal(error.code, 'RangeExhausted');
    assert.equal(error.detail.held, 3);
    return true;
  });
  const b = built.users.byName(userName('b'));
  assert.ok(b?.leases[0]);
  await built.release(b.leases[0].id);
  assert.equal((await built.acquire('d')).user.uid, b.uid);
});

test('a UID that a failing request was trying is not lost for one that waits', async () => {
  const built = buildUseCases('61184-61184');
  const caller = new AbortController();
  let open = (): void => undefined;
  const gate = new Promise<void>(resolve => {
    open = resolve;
  });
  built.probe.gate = () => gate;
  const first = built.acquire('one', { signal: caller.signal });
  await new Promise(setImmediate);
  built.probe.gate = async () => undefined;
  const second = built.acquire('two');
  await new Promise(setImmediate);
  caller.abort();
  open();
  await fails(first, 'LimitReached', /gone/);
  assert.equal((await second).user.uid, 61184);
});

test('the directories are for another group where the request says so', async () => {
  const built = buildUseCases();
  const acquired = await built.acquire('foo.service', {
    directories: [directory('state', 'foo')],
    directoryGid: gid(20),
  });
  assert.deepEqual(
    acquired.directories.map(each => [each.diskUid, each.diskGid]),
    [[acquired.user.uid, 20]],
  );
  assert.equal(acquired.user.gid, acquired.user.uid as number);
});

for (const step of ['intend', 'publish', 'commit'] as const) {
  test(`a registry that fails at "${step}" leaves nothing of a new user behind`, async () => {
    const built = buildUseCases();
    built.registry.failure = { step, error: new DynuserError('LimitReached', 'full') };
    await fails(built.acquire('a.service'), 'LimitReached');
    assertEmpty(built);
    assert.ok((await built.acquire('a.service')).user.dynamic);
  });
}

test('a registry that fails while a user is joined leaves the user as it was', async () => {
  const built = buildUseCases();
  const { user } = await built.acquire('a.service');
  built.registry.failure = { step: 'intend', error: new DynuserError('LimitReached', 'full') };
  await fails(built.acquire('a.service'), 'LimitReached');
  assert.deepEqual(built.users.byName(user.name), user);
});

test('a lease whose connection is gone goes even where the registry cannot be written', async () => {
  const built = buildUseCases();
  const first = await built.acquire('a.service', { lifetime: 'connection' });
  await built.acquire('a.service');
  built.registry.failure = { step: 'intend', error: new DynuserError('LimitReached', 'full') };
  await assert.rejects(releaseGone(built, first.lease.id), DynuserError);
  assert.equal(built.users.leaseCount, 1);
  await releaseGone(built, first.lease.id);
  assert.equal(built.users.leaseCount, 1);
});

test('where directories cannot be exposed after all, the lease is dropped again, and others stay', async () => {
  const built = buildUseCases();
  const directories = [{ ...directory('state', 'a'), exposed: true }];
  const first = await built.acquire('a.service');
  built.directories.exposing = () => {
    throw new DynuserError('DirectoryFailed', 'in the way');
  };
  await fails(built.acquire('a.service', { directories }), 'DirectoryFailed', /in the way/);
  assert.deepEqual(built.users.byName(first.user.name)?.leases, [first.lease]);
  assert.deepEqual(built.directories.unpublished, ['a']);
  await built.release(first.lease.id);
  await fails(built.acquire('b.service', { directories }), 'DirectoryFailed', /in the way/);
  assertEmpty(built);
});

test('of two leases that leave at a time, the last one puts the directory away; a third without it keeps nothing', async () => {
  const built = buildUseCases();
  const directories = [{ ...directory('state', 'a'), exposed: true }];
  await built.acquire('a.service');
  const two = [await built.acquire('a.service', { directories }), await built.acquire('a.service', { directories })];
  let open: () => void = () => undefined;
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  built.directories.gate = () => opened;
  const releases = two.map(({ lease }) => built.release(lease.id));
  open();
  await Promise.all(releases);
  assert.ok(built.directories.unpublished.length > 0);
  assert.equal(built.users.leaseCount, 1);
  const again = await built.acquire('a.service', { directories });
  const last = await built.acquire('a.service', { directories });
  built.directories.unpublished.length = 0;
  await built.release(again.lease.id);
  assert.deepEqual(built.directories.unpublished, [], 'another one has it');
  await built.release(last.lease.id);
  assert.deepEqual(built.directories.unpublished, ['a']);
});

test('a caller that is gone before it was answered leaves nothing', async () => {
  const built = buildUseCases();
  await fails(built.acquire('a.service', { signal: AbortSignal.abort() }), 'LimitReached', /gone/);
  assertEmpty(built);
});

test('leases are bounded for one user', async () => {
  const built = buildUseCases();
  for (let count = 0; count < LEASES_PER_USER_MAX; count++) {
    await built.acquire('a.service');
  }
  await fails(built.acquire('a.service'), 'LimitReached', /256 leases already/);
});

test('a foreign lease, an unknown one and one that was released are refused', async () => {
  const built = buildUseCases();
  const { lease } = await built.acquire('a.service', { owner: uid(1000) });
  const stranger = { uid: uid(1001), isRoot: false };
  const code = (expected: ErrorCode) => (error: unknown) => error instanceof DynuserError && error.code === expected;
  await assert.rejects(releaseFor(built, lease.id, stranger), code('NotPermitted'));
  await releaseFor(built, lease.id, { uid: uid(1000), isRoot: false });
  await assert.rejects(built.release(lease.id), code('NoSuchLease'));
});

test('if a name cache cannot be made to forget, the lease is dropped again: nobody knows of it', async () => {
  const nameCache = {
    present: () => true,
    flush: async () => {
      throw new DynuserError('HostFailed', 'nscd does not answer');
    },
  };
  const built = buildUseCases(undefined, undefined, { nameCache });
  await fails(built.acquire('a.service'), 'HostFailed', /nscd/);
  await built.teardown.waitFor('a' as never);
  assertEmpty(built);
});

test('what cannot be taken back after a failure does not hide the failure', async () => {
  const built = buildUseCases();
  const { forget } = built.registry;
  built.registry.forget = () => {
    throw new DynuserError('HostFailed', 'it cannot be removed');
  };
  built.registry.failure = { step: 'commit', error: new DynuserError('LimitReached', 'the registry is full') };
  await fails(built.acquire('a.service'), 'LimitReached', /the registry is full/);
  built.registry.forget = forget;
  assert.equal(built.users.leaseCount, 0);
});

for (const step of ['intend', 'commit'] as const) {
  test(`a join or a release that the registry does not ${step} is refused, and the user stays as it was`, async () => {
    const built = buildUseCases();
    const first = await built.acquire('a.service');
    const failure = { step, error: new DynuserError('LimitReached', 'the registry is full') };
    built.registry.failure = failure;
    await fails(built.acquire('a.service'), 'LimitReached', /the registry is full/);
    assert.equal(built.users.leaseCount, 1);
    assert.equal(built.registry.intents.size, 0);
    await built.acquire('a.service');
    built.registry.failure = failure;
    await fails(built.release(first.lease.id), 'LimitReached', /the registry is full/);
    assert.equal(built.users.leaseCount, 2);
    assert.equal(built.registry.leases.get('a')?.leases.length, 2);
    assert.equal(built.registry.intents.size, 0);
  });
}

test('a release that fails leaves the lease with its directories', async () => {
  const built = buildUseCases();
  const directories = [directory('runtime', 'a')];
  await built.acquire('a.service');
  const { lease } = await built.acquire('a.service', { directories });
  built.directories.gate = async () => {
    throw new DynuserError('DirectoryFailed', 'busy');
  };
  await fails(built.release(lease.id), 'DirectoryFailed', /busy/);
  assert.equal(built.users.leaseCount, 2);
  assert.deepEqual(
    built.users.directoriesThatStay().map(({ directories: [first] }) => first?.source),
    ['a'],
  );
});
