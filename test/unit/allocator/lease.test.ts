/** A lease from its directories to its answer: what is asked for them, what is written down, and what is taken back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Directories, HandoverProgress, PrepareOptions } from '../../../src/allocator/directory-ports.ts';
import { type LeaseDeps, prepareLease } from '../../../src/allocator/lease.ts';
import type { AcquireRequest, LeaseOwner } from '../../../src/allocator/request.ts';
import type { LeaseId, Pid } from '../../../src/core/ids.ts';
import type { DynamicUser } from '../../../src/core/lease.ts';
import { directory, gid, uid, unitName, userName } from './fakes.ts';
import { buildUseCases, fails } from './use-cases.ts';

const WEB: DynamicUser = { name: userName('web'), uid: uid(61_200), gid: gid(61_200), dynamic: true, leases: [] };
const REQUEST: AcquireRequest = {
  ...{ unit: unitName('web.service'), perInstance: false, lifetime: 'explicit', directories: [] },
  ...{ makesMounts: false, verify: false, cleanup: { processes: true, ipc: false } },
};

function setup() {
  const built = buildUseCases();
  const caller = new AbortController();
  const owner: LeaseOwner = { requester: { uid: uid(1_000), isRoot: false }, pid: 7 as Pid, signal: caller.signal };
  const deps: LeaseDeps = {
    ...{
      events: built.events,
      users: built.users,
      registry: built.registry,
      teardown: built.teardown,
      directories: built.directories,
      nameCache: { present: () => false, flush: async () => undefined },
    },
    clock: { now: () => 1_234, monotonic: () => 0, sinceBoot: () => 50.5 },
    randomness: { uint32: () => 0, leaseId: () => 'ab'.repeat(16) as LeaseId },
  };
  return { built, caller, owner, deps };
}

test('a lease says who holds it since when, and what becomes of its user', async () => {
  const { owner, deps } = setup();
  await using pending = await prepareLease(deps, WEB, { ...REQUEST, description: 'it barks' }, owner);
  assert.deepEqual(pending.make(), {
    ...{ id: 'ab'.repeat(16), unit: 'web.service', lifetime: 'explicit', pid: 7, owner: 1_000, since: 1_234 },
    ...{ directories: [], cleanup: { processes: true, ipc: false }, description: 'it barks' },
  });
  const process = { boot: 'b', pid: 7 as Pid, startTime: 1, inode: '2' };
  await using bound = await prepareLease(deps, WEB, REQUEST, { ...owner, process });
  assert.deepEqual(bound.make().process, process);
});

test('the objects of an account are removed in its group, or in the one of the directories, if that is asked for', async () => {
  const { owner, deps } = setup();
  const account = { ...WEB, dynamic: false };
  for (const [user, more, accountIpc] of [
    [account, { removesAccountIpc: true }, 61_200],
    [account, { removesAccountIpc: true, directoryGid: gid(20) }, 20],
    [account, { removesAccountIpc: false }, undefined],
    [account, {}, undefined],
    [WEB, { removesAccountIpc: true }, undefined],
  ] as const) {
    await using pending = await prepareLease(deps, user, { ...REQUEST, ...more }, owner);
    assert.equal(pending.make().cleanup.accountIpc, accountIpc, JSON.stringify(more));
  }
});

test('directories are prepared as the request has them, and the lease keeps what is needed at its end', async () => {
  const { built, owner, deps } = setup();
  const told: unknown[] = [];
  const asked: unknown[] = [];
  const progress: HandoverProgress = { publicPath: '/var/lib/web', inodes: 1, changed: 0 };
  const directories: LeaseDeps['directories'] = {
    ...(built.directories as Directories),
    cleanUp: async () => {},
    async prepare(of, { uid: number, gid: group }, options: PrepareOptions) {
      asked.push([of.length, number, group, options.makesMounts, options.verify, options.live()]);
      options.onProgress?.(progress);
      return built.directories.prepare(of, { ...WEB, gid: group }, options);
    },
  };
  const request = { ...REQUEST, directories: [directory('state', 'web')], makesMounts: true, verify: true };
  const listening = { ...owner, onProgress: (...all: readonly unknown[]) => void told.push(all) };
  {
    await using pending = await prepareLease(
      { ...deps, directories },
      WEB,
      { ...request, directoryGid: gid(20) },
      listening,
    );
    const lease = pending.make();
    assert.deepEqual(lease.directories, [
      {
        ...{ kind: 'state', source: 'web', publicPath: '/state/web', handover: 'chown' },
        ...{ preserved: true, exposed: false, aliases: [] },
      },
    ]);
    const acquired = await pending.written({ ...WEB, leases: [lease] }, lease);
    assert.deepEqual([acquired.directories.map(({ diskGid }) => diskGid), acquired.lease], [[20], lease]);
  }
  assert.deepEqual(asked, [[1, 61_200, 20, true, true, []]]);
  assert.deepEqual(told, [[progress, WEB]]);
  assert.equal(built.directories.preparing, 0);
  await using silent = await prepareLease({ ...deps, directories }, WEB, request, owner);
  assert.equal(silent.make().directories.length, 1, 'who does not want to hear of progress is told nothing');
  assert.equal(told.length, 1);
});

test('for a caller that has gone there is no lease', async () => {
  const { caller, owner, deps } = setup();
  await using pending = await prepareLease(deps, WEB, REQUEST, owner);
  caller.abort();
  assert.throws(() => pending.make(), { code: 'LimitReached', message: 'the caller has gone before it was answered' });
});

test('directories that are not ready any more make no lease', async () => {
  const { built, owner, deps } = setup();
  built.directories.committing = () => {
    throw new Error('not ready');
  };
  await using pending = await prepareLease(deps, WEB, { ...REQUEST, directories: [directory('state', 'web')] }, owner);
  assert.throws(() => pending.make(), /not ready/);
});

test('a lease that was written and not answered is dropped again, once its directories are free', async () => {
  const { built, owner, deps } = setup();
  const log: string[] = [];
  built.directories.exposing = () => {
    throw new Error('in the way');
  };
  built.events.on(['allocated', 'released'], ({ kind }) =>
    log.push(`${kind}, preparing ${built.directories.preparing}`),
  );
  const write = async () => {
    const request = { ...REQUEST, directories: [directory('state', 'web')] };
    await using pending = await prepareLease(deps, WEB, request, owner);
    const lease = pending.make();
    const user = { ...WEB, leases: [lease] };
    built.registry.intend(user);
    built.registry.commit(user);
    built.users.put(user);
    await pending.written(user, lease);
  };
  await assert.rejects(write(), /in the way/);
  assert.deepEqual(log, ['allocated, preparing 1', 'released, preparing 0']);
  assert.equal(built.users.leaseCount, 0);
});

test('what is refused leaves nothing', async () => {
  const { built, owner, deps } = setup();
  built.directories.gate = () => Promise.reject(new Error('refused'));
  const request = { ...REQUEST, directories: [directory('state', 'web')] };
  await assert.rejects(prepareLease(deps, WEB, request, owner), /refused/);
  assert.equal(built.directories.preparing, 0);
  await fails(built.acquire('web.service', { signal: AbortSignal.abort() }), 'LimitReached', /caller has gone/);
});
