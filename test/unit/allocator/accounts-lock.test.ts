/** When the accounts of the host are locked: from the questions about a UID until it resolves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { directory, uid, userName } from './fakes.ts';
import { assertEmpty, buildUseCases, fails } from './use-cases.ts';

test('the accounts are locked while the host is asked, and the UID resolves when they are not any more', async () => {
  const built = buildUseCases();
  const seen: unknown[] = [];
  built.probe.gate = async () => void seen.push(['asked', built.accounts.holders, built.registry.byUid.size]);
  await built.acquire('mine.service');
  assert.deepEqual(seen, [['asked', 1, 0]]);
  assert.deepEqual([built.accounts.holders, built.registry.byUid.size], [0, 1]);
});

test('they are not locked while directories are made ready: the UID resolves before', async () => {
  const built = buildUseCases();
  let number: number | undefined;
  built.directories.gate = async () => {
    assert.equal(built.accounts.holders, 0);
    [number] = [...built.registry.byUid.keys()];
    assert.equal(built.users.numbered(uid(number ?? 0))?.name, 'mine');
    assert.equal(built.users.dynamicByName(userName('mine')), undefined, 'it is not live yet');
  };
  const { user } = await built.acquire('mine.service', { directories: [directory('state', 'mine')] });
  assert.equal(user.uid, number);
  assert.equal(built.users.numbered(user.uid), user);
});

test('where directories cannot be made ready nothing resolves any more', async () => {
  const built = buildUseCases();
  built.directories.gate = async () => {
    throw new DynuserError('DirectoryFailed', 'no');
  };
  await fails(built.acquire('mine.service', { directories: [directory('state', 'mine')] }), 'DirectoryFailed');
  assertEmpty(built);
  assert.equal(built.users.numbered(uid(64_642)), undefined);
});

test('where they cannot be locked in time no UID is given out, and what needs none is had all the same', async () => {
  const built = buildUseCases();
  await built.acquire('live.service');
  built.accounts.gate = async () => {
    throw new DynuserError('ProbeFailed', 'no UID can be chosen: locked');
  };
  await fails(built.acquire('mine.service'), 'ProbeFailed', /no UID can be chosen/);
  assert.equal((await built.acquire('live.service')).user.leases.length, 2);
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: 60 as never }, group: { gid: 60 as never } });
  assert.equal((await built.acquire('x.service', { userName: userName('games') })).user.dynamic, false);
  assert.deepEqual([...built.locks.held].length, 1);
});
