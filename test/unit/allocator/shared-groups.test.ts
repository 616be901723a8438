/** Groups that several users share: who holds them, who is told of them, who may join, and what is left of a daemon that died. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../../src/allocator/explain.ts';
import { confirmUser } from '../../../src/allocator/losses.ts';
import { releaseFor } from '../../../src/allocator/release.ts';
import type { SharedGroupRequest } from '../../../src/allocator/request.ts';
import { SharedGroups } from '../../../src/allocator/shared-groups.ts';
import type { Rights } from '../../../src/core/access.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { LeaseId } from '../../../src/core/ids.ts';
import { GROUPS_PER_USER_MAX, MEMBERSHIPS_PER_GROUP_MAX } from '../../../src/core/limits.ts';
import { directory, gid, uid, unitName, userName } from './fakes.ts';
import { restart } from './restart.ts';
import { assertEmpty, buildUseCases, fails, type UseCases } from './use-cases.ts';

const primary = (name: string): SharedGroupRequest => ({ name: userName(name), isPrimary: true, mustExist: false });
const further = (name: string): SharedGroupRequest => ({ name: userName(name), isPrimary: false, mustExist: true });
const nextTurn = () => new Promise(resolve => setImmediate(resolve));
const inGroup = (built: UseCases, unit: string, group = 'web') =>
  built.acquire(unit, { sharedGroups: [primary(group)] });

function liveGid(built: UseCases, name: string) {
  return built.users.dynamicByName(userName(name))?.gid ?? assert.fail(`${name} does not live`);
}

test('users share a group, which lives as long as anybody is in it, with the same number', async () => {
  const built = buildUseCases();
  const a = await inGroup(built, 'a.service');
  const number = liveGid(built, 'web');
  assert.deepEqual(a.groups, [{ name: 'web', gid: number, dynamic: true }]);
  assert.notEqual(number, a.user.gid);
  const b = await inGroup(built, 'b.service');
  assert.equal(b.groups[0]?.gid, number);
  assert.deepEqual(built.users.membersOf(userName('web')), ['a', 'b']);
  assert.deepEqual(built.registry.members, new Map([[number, ['a', 'b']]]));
  assert.deepEqual(built.registry.groups.get(userName('b')), [number]);
  await built.release(a.lease.id);
  assert.deepEqual(built.registry.members.get(number), ['b']);
  assert.equal(built.registry.groups.has(userName('a')), false);
  assert.equal(liveGid(built, 'web'), number);
  await built.release(b.lease.id);
  await nextTurn();
  assertEmpty(built);
});

test('a group is that of the user of its name, which keeps it too', async () => {
  const built = buildUseCases();
  const web = await built.acquire('web.service');
  const a = await inGroup(built, 'a.service');
  assert.equal(a.groups[0]?.gid, web.user.gid);
  await built.release(web.lease.id);
  assert.equal(liveGid(built, 'web'), web.user.gid);
  const again = await built.acquire('web.service');
  assert.equal(again.user.uid, web.user.uid);
  await built.release(a.lease.id);
  await nextTurn();
  assert.equal(liveGid(built, 'web'), web.user.gid);
  assert.deepEqual(built.registry.members, new Map());
  await built.release(again.lease.id);
  await nextTurn();
  assertEmpty(built);
});

test('the own group of a user is not a shared one, and a group that is named twice is one', async () => {
  const built = buildUseCases();
  const { groups, lease } = await built.acquire('a.service', {
    sharedGroups: [primary('a'), primary('web'), further('web')],
  });
  assert.deepEqual(
    groups.map(({ name }) => name),
    ['web'],
  );
  assert.deepEqual(lease.groups?.length, 1);
});

test('a supplementary group has to be there, and nothing stays of a request that is refused', async () => {
  const built = buildUseCases();
  const ask = () => built.acquire('a.service', { sharedGroups: [primary('web'), further('db')] });
  await assert.rejects(ask(), (error: unknown) => {
    assert.ok(error instanceof DynuserError);
    assert.deepEqual([error.code, error.detail.field], ['NameConflict', 'supplementaryGroups']);
    assert.match(error.message, /^group db does not exist; name an existing group$/);
    return true;
  });
  await nextTurn();
  assertEmpty(built);
  const db = await built.acquire('db.service');
  const { groups } = await ask();
  assert.deepEqual(
    groups.map(({ gid: number }) => number),
    [liveGid(built, 'web'), db.user.gid],
  );
});

test('if the user cannot be had, its groups are given back', async () => {
  const built = buildUseCases('61184-61184');
  await fails(inGroup(built, 'a.service'), 'RangeExhausted');
  await nextTurn();
  assertEmpty(built);
  for (const step of ['tellMembers', 'tellGroups', 'commit'] as const) {
    const wide = buildUseCases();
    const first = await inGroup(wide, 'a.service');
    wide.registry.failure = { step, error: new Error('no room') };
    await assert.rejects(inGroup(wide, 'b.service'), /no room/);
    await nextTurn();
    assert.deepEqual([...wide.registry.members.values()], [['a']], step);
    await wide.release(first.lease.id);
    await nextTurn();
    assertEmpty(wide);
  }
});

test('a group of the host is used as it is, by root alone; a user without one, and a group of systemd, are refused', async () => {
  const built = buildUseCases();
  built.probe.accounts.set('adm', { group: { gid: gid(4) } });
  built.probe.accounts.set('bob', { user: { uid: uid(1000), gid: gid(1000) } });
  built.probe.accounts.set('theirs', { group: { gid: gid(61_500) } });
  built.locks.foreign.add(uid(61_500));
  const a = await inGroup(built, 'a.service', 'adm');
  assert.deepEqual(a.groups, [{ name: 'adm', gid: 4, dynamic: false }]);
  assert.deepEqual(built.registry.members, new Map(), 'the host tells of its groups');
  assert.equal(built.users.leaseCount, 1);
  await fails(
    built.acquire('b.service', { owner: uid(1000), sharedGroups: [primary('adm')] }),
    'NotPermitted',
    /only root may have a user in it/,
  );
  await fails(inGroup(built, 'b.service', 'bob'), 'NameConflict', /exists on this host, but no group of that name/);
  await fails(inGroup(built, 'b.service', 'theirs'), 'NameConflict', /is a dynamic group of systemd/);
});

test('nobody joins a group of somebody else, and root joins every group', async () => {
  const built = buildUseCases();
  const ask = (unit: string, owner: number) =>
    built.acquire(unit, { owner: uid(owner), sharedGroups: [primary('web')] });
  await ask('a.service', 1000);
  await ask('b.service', 1000);
  await assert.rejects(ask('c.service', 1001), (error: unknown) => {
    assert.ok(error instanceof DynuserError);
    assert.deepEqual([error.code, error.detail.field], ['NotPermitted', 'group']);
    assert.match(error.message, /^the group web is held by the user 1000, and only its owner and root may join it;/);
    return true;
  });
  await ask('d.service', 0);
  await fails(ask('e.service', 1000), 'NotPermitted', /is held by root/);
  await built.acquire('root.service');
  await fails(
    built.acquire('f.service', { owner: uid(1001), sharedGroups: [further('root')] }),
    'NotPermitted',
    /the group root is held by root/,
  );
});

test('a membership is not released by itself', async () => {
  const built = buildUseCases();
  const a = await inGroup(built, 'a.service');
  const [membership] = built.users.byName(userName('web'))?.leases ?? [];
  assert.deepEqual(membership?.member, { user: 'a', lease: a.lease.id });
  await fails(
    releaseFor(built, membership?.id as LeaseId, { uid: uid(0), isRoot: true }),
    'NotPermitted',
    new RegExp(`is the membership of a in a shared group, and ends with the lease ${a.lease.id}`),
  );
});

test('a group outlives what is left of its last member', async () => {
  const built = buildUseCases();
  const a = await inGroup(built, 'a.service');
  const number = liveGid(built, 'web');
  built.reaper.processes.set(a.user.uid, { kind: 'process', pid: 1, command: 'x', as: 'user' });
  await built.release(a.lease.id);
  await nextTurn();
  assert.equal(liveGid(built, 'web'), number, 'its process may have the group');
  assert.deepEqual(built.registry.members, new Map(), 'but nobody is told of it');
  built.reaper.processes.clear();
  await built.teardown.resume({ ...a.user, leases: [a.lease] });
  await nextTurn();
  assert.equal(built.users.byName(userName('web')), undefined);
  built.teardown.stop();
});

test('one of several leases of a user ends with its groups', async () => {
  const built = buildUseCases();
  const one = await inGroup(built, 'a.service');
  const other = await inGroup(built, 'a.service', 'db');
  assert.deepEqual(
    built.users.groupsOf(userName('a')).map(({ name }) => name),
    ['web', 'db'],
  );
  await built.release(one.lease.id);
  await nextTurn();
  assert.equal(built.users.byName(userName('web')), undefined);
  assert.deepEqual(built.registry.groups.get(userName('a')), [liveGid(built, 'db')]);
  await built.release(other.lease.id);
  await nextTurn();
  assertEmpty(built);
});

test('of a lost group nobody is a member any more, and of a lost user no group has one', async () => {
  const built = buildUseCases();
  await inGroup(built, 'a.service');
  await inGroup(built, 'b.service');
  const number = liveGid(built, 'web');
  const a = built.users.byName(userName('a')) ?? assert.fail();
  built.locks.foreign.add(a.uid);
  confirmUser(built, a);
  assert.deepEqual(built.registry.members.get(number), ['b']);
  assert.equal(built.registry.groups.has(userName('a')), false);
  const web = built.users.byName(userName('web')) ?? assert.fail();
  built.locks.foreign.add(web.uid);
  confirmUser(built, web);
  assert.deepEqual(built.registry.members, new Map());
  assert.deepEqual(built.registry.groups, new Map());
  assert.deepEqual(built.users.membersOf(userName('web')), []);
  await fails(inGroup(built, 'c.service'), 'NameConflict', /has lost its UID/);
});

test('the group of a directory that exists is the first that is tried', async () => {
  const built = buildUseCases();
  const ask = (unit: string) =>
    built.acquire(unit, { sharedGroups: [primary('web')], directories: [directory('state', 'x')] });
  built.directories.foundGroups = [gid(61_234)];
  const { groups } = await ask('a.service');
  assert.equal(groups[0]?.gid, 61_234);
  built.directories.foundGroups = [gid(61_235)];
  assert.equal((await ask('b.service')).groups[0]?.gid, 61_234, 'it lives');
});

test('the next daemon has the memberships, and ends those that have no lease', async () => {
  const built = buildUseCases();
  const a = await inGroup(built, 'a.service');
  await inGroup(built, 'b.service');
  await inGroup(built, 'c.service');
  const number = liveGid(built, 'web');
  // The former one died between the two steps of b's request or of its release, and while a ended.
  built.registry.leases.delete('b');
  built.registry.leases.delete('a');
  built.registry.ending.set('a', { ...a.user, leases: [a.lease] });
  const { users, ending, events, teardown } = await restart(built, false);
  assert.deepEqual(built.registry.members, new Map([[number, ['c']]]));
  const members = () => users.byName(userName('web'))?.leases.map(({ member }) => member?.user);
  assert.deepEqual(members(), ['a', 'b', 'c']);
  const groups = new SharedGroups({
    ...{ allocator: built.allocator, directories: built.directories, locks: built.locks, probes: built.probe, events },
    ...{ randomness: { leaseId: () => assert.fail() }, onFailure: () => assert.fail() },
    release: { users, teardown, directories: built.directories, registry: built.registry },
  });
  groups.resume(ending);
  await nextTurn();
  assert.deepEqual(members(), ['a', 'c'], 'what is left of a may have the group');
  await Promise.all(ending.map(user => teardown.resume(user)));
  await nextTurn();
  assert.deepEqual(members(), ['c']);
});

test('there are bounds on memberships of a group, and on groups of a user', async () => {
  const limits = { maxLeases: 100_000, maxLeasesPerUser: 100_000 };
  const built = buildUseCases('61184-65519', undefined, { limits });
  for (let index = 0; index < MEMBERSHIPS_PER_GROUP_MAX; index++) {
    await inGroup(built, `a${index % 8}.service`);
  }
  await fails(inGroup(built, 'b.service'), 'LimitReached', /^the group web has 1024 memberships already$/);
  const web = await built.acquire('web.service');
  assert.equal(web.user.leases.length, MEMBERSHIPS_PER_GROUP_MAX + 1, 'its own user has other leases');
  const groups = Array.from({ length: GROUPS_PER_USER_MAX }, (_, index) => primary(`g${index}`));
  await built.acquire('c.service', { sharedGroups: groups });
  await fails(inGroup(built, 'c.service', 'h'), 'LimitReached', /^the user c is in 256 groups already$/);
});

test('groups are explained as they would be', async () => {
  const built = buildUseCases();
  const rights: Rights = {
    requester: { uid: uid(0), isRoot: true },
    acquire: { allowed: true },
    directories: { allowed: true },
  };
  const ask = (sharedGroups: readonly SharedGroupRequest[]) =>
    explain(built.explainDeps, built.probe, rights, {
      ...{ unit: unitName('a.service'), perInstance: false, directories: [], makesMounts: false, verify: false },
      sharedGroups,
    });
  built.probe.accounts.set('adm', { group: { gid: gid(4) } });
  const expected = await ask([primary('web'), further('adm')]);
  assert.equal(expected.outcome, 'allocate');
  assert.deepEqual(
    expected.groups.map(({ outcome }) => outcome),
    ['allocate', 'static'],
  );
  assert.equal(built.users.leaseCount, 0);
  const { groups } = await inGroup(built, 'b.service');
  assert.equal(groups[0]?.gid, expected.groups[0]?.gid);
  assert.deepEqual((await ask([primary('web')])).groups[0]?.outcome, 'join');
  const refused = await ask([further('none')]);
  assert.deepEqual(
    [refused.outcome, refused.reason],
    ['conflict', 'group none does not exist; name an existing group'],
  );
  assert.equal(refused.groups[0]?.outcome, 'refused');
});
