/** Who may have a user that lives already, or an account of the host: no number is anybody else's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directory, gid, uid, userName } from './fakes.ts';
import { assertEmpty, buildUseCases, fails } from './use-cases.ts';

const PEER = { owner: uid(1000) };

test('a peer joins what it holds itself, and nothing of root or of another peer', async () => {
  const built = buildUseCases();
  const own = await built.acquire('own.service', PEER);
  assert.equal((await built.acquire('own.service', PEER)).user.uid, own.user.uid);
  await built.acquire('roots.service');
  await fails(built.acquire('roots.service', PEER), 'NotPermitted', /roots is held by root.*choose another user name/);
  await built.acquire('others.service', { owner: uid(1001) });
  await fails(built.acquire('others.service', PEER), 'NotPermitted', /others is held by the user 1001/);
  assert.equal(built.users.byName(userName('roots'))?.leases.length, 1);
});

test('root joins every user, and from then on nobody else does', async () => {
  const built = buildUseCases();
  const { user } = await built.acquire('a.service', PEER);
  assert.equal((await built.acquire('a.service')).user.uid, user.uid);
  await fails(built.acquire('a.service', PEER), 'NotPermitted', /held by root/);
});

test('a peer that is about to join a user that root joins meanwhile does not', async () => {
  const built = buildUseCases();
  await built.acquire('a.service', PEER);
  let open: () => void = () => undefined;
  built.directories.gate = () =>
    new Promise(resolve => {
      open = resolve;
    });
  const joining = built.acquire('a.service', { ...PEER, directories: [directory('state', 'a')] });
  const refused = fails(joining, 'NotPermitted', /held by root/);
  await new Promise(setImmediate);
  const live = built.users.byName(userName('a'));
  const [lease] = live?.leases ?? [];
  assert.ok(live !== undefined && lease !== undefined);
  // As if root's request had been first: requests for one name wait for each other.
  built.users.put({ ...live, leases: [lease, { ...lease, id: 'f'.repeat(32) as never, owner: uid(0) }] });
  open();
  await refused;
});

test('a user that is lost while its directories are made ready for a join is not joined', async () => {
  const built = buildUseCases();
  const { user } = await built.acquire('a.service');
  built.directories.gate = async () => built.users.put({ ...user, lost: 'somebody else has locked its UID' });
  const joining = built.acquire('a.service', { directories: [directory('state', 'a')] });
  await fails(joining, 'NameConflict', /the user a has lost its UID/);
  assert.equal(built.users.byName(userName('a'))?.leases.length, 1);
});

test('a peer has no account of the host: what it would leave behind is not its own', async () => {
  const built = buildUseCases();
  built.probe.accounts.set('postgres', { user: { uid: uid(110), gid: gid(110) }, group: { gid: gid(110) } });
  await fails(built.acquire('postgres.service', PEER), 'NotPermitted', /postgres is an account of this host/);
  assertEmpty(built);
  assert.equal((await built.acquire('postgres.service')).user.dynamic, false);
  await fails(built.acquire('postgres.service', PEER), 'NotPermitted', /postgres is held by root/);
});
