/** What accounts of the host mean for a request: NSS is asked for the name while a UID is looked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { gid, uid, userName } from './fakes.ts';
import { assertEmpty, buildUseCases, fails } from './use-cases.ts';

test('a request that is to make no user takes a static one, and refuses what would be a dynamic one', async () => {
  const built = buildUseCases();
  const reason = /user nobody-knows does not exist/;
  await fails(built.acquire('nobody-knows.service', { staticOnly: true }), 'NameConflict', reason);
  assertEmpty(built);
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  assert.equal((await built.acquire('games.service', { staticOnly: true })).user.uid, 5);
  built.probe.accounts.set('nobody', { user: { uid: uid(65534), gid: gid(65534) } });
  assert.equal((await built.acquire('nobody.service', { staticOnly: true })).user.gid, 65534);
});

test('a static user of the name is used as it is, and nothing is locked or published', async () => {
  const built = buildUseCases();
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  const { user, lease } = await built.acquire('x.service', { userName: userName('games') });
  assert.deepEqual([user.uid, user.gid, user.dynamic], [5, 60, false]);
  assert.equal(built.locks.files.size, 0);
  assert.equal(built.registry.byUid.size, 0);
  assert.equal(built.users.dynamicByUid(uid(5)), undefined);
  await built.release(lease.id);
  assertEmpty(built);
});

test('a user whose group has another name is used with that group', async () => {
  const built = buildUseCases();
  built.probe.accounts.set('nobody', { user: { uid: uid(65534), gid: gid(65534) } });
  const { user } = await built.acquire('nobody.service');
  assert.deepEqual([user.uid, user.gid, user.dynamic], [65534, 65534, false]);
  assert.equal(built.locks.files.size, 0);
});

test('a group alone is a conflict, and so is a user that systemd allocated', async () => {
  const built = buildUseCases();
  built.probe.accounts.set('dialout', { group: { gid: gid(20) } });
  built.probe.accounts.set('theirs', { user: { uid: uid(61999), gid: gid(61999) }, group: { gid: gid(61999) } });
  built.locks.foreign.add(uid(61999));
  await fails(built.acquire('dialout.service'), 'NameConflict', /group dialout \(20\)/);
  await fails(built.acquire('theirs.service'), 'NameConflict', /systemd/);
  assertEmpty(built);
});

test('a static user needs no UID of ours: neither a full range nor a number that cannot be probed is in its way', async () => {
  const built = buildUseCases('61184-61185');
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  built.probe.gate = async () => {
    throw new DynuserError('ProbeFailed', 'no answer about a number');
  };
  assert.equal((await built.acquire('games.service')).user.uid, 5);
  built.probe.gate = () => new Promise(() => {});
  assert.equal((await built.acquire('games.service')).user.uid, 5);
  built.probe.gate = async () => undefined;
  await built.acquire('a.service');
  await built.acquire('b.service');
  assert.equal((await built.acquire('games.service')).user.uid, 5);
  built.locks.foreign.add(uid(61184));
  await fails(built.acquire('c.service'), 'RangeExhausted');
  assert.equal(built.locks.held.size, 2);
});

test('a static user whose UID is the one that was tried for a dynamic one is not a user of systemd', async () => {
  const built = buildUseCases();
  const account = { user: { uid: uid(64642), gid: gid(64642) }, group: { gid: gid(64642) } };
  built.probe.accounts.set('dynamic-user-test', account);
  const { user } = await built.acquire('dynamic-user-test.service');
  assert.deepEqual([user.uid, user.dynamic], [64642, false]);
  assert.equal(built.locks.held.size, 0);
});

test('what NSS says of a name is waited for, and no user is made without it', async () => {
  const built = buildUseCases();
  let answer: (error: Error) => void = () => undefined;
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>(resolve => (asked = resolve));
  built.probe.account = () => {
    asked();
    return new Promise((_resolve, reject) => (answer = reject));
  };
  const request = built.acquire('a.service');
  await isAsked;
  assert.deepEqual([...built.locks.held].length, 1);
  assert.equal(built.registry.byUid.size, 0);
  answer(new DynuserError('ProbeFailed', 'no answer about a name'));
  await fails(request, 'ProbeFailed', /about a name/);
  assertEmpty(built);
});
