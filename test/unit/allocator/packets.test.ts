/** The rules for packets of a user: in the kernel before its first launch is answered, the same for all of them, gone with the user. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { directory, gid, uid } from './fakes.ts';
import { restart } from './restart.ts';
import { assertEmpty, buildUseCases, fails } from './use-cases.ts';

const NOTHING = { denied: [] };
const SOME = { denied: ['10.0.0.1'] };
const OTHERS = { denied: ['10.0.0.2'] };

test('the kernel has the rules before the lease is written, and until the user has ended', async () => {
  const built = buildUseCases();
  const { packetFilter, registry } = built;
  packetFilter.gate = async () => assert.deepEqual(registry.leases.size, 0);
  const { user, lease } = await built.acquire('a.service', { packetRules: SOME });
  assert.deepEqual([...packetFilter.rules], [[user.uid, SOME]]);
  assert.deepEqual(user.packetRules, SOME);
  packetFilter.failure = new DynuserError('HostFailed', 'nft is gone');
  assert.equal(await built.release(lease.id), 'nft is gone');
  assert.equal(built.users.heldCount, 1, 'nobody gets a UID that has rules');
  packetFilter.failure = undefined;
  const { report } = await restart(built);
  assert.equal(report.ending.length, 1);
  assert.equal(packetFilter.rules.size, 0);
});

test('rules that the kernel refuses are a refusal, and nothing stays', async () => {
  const built = buildUseCases();
  built.packetFilter.failure = new DynuserError('HostFailed', 'nft is gone');
  await fails(built.acquire('a.service', { packetRules: SOME }), 'HostFailed', /nft is gone/);
  built.packetFilter.failure = undefined;
  built.directories.gate = async () => {
    throw new DynuserError('DirectoryFailed', 'no room');
  };
  const directories = [directory('state', 'a')];
  await fails(built.acquire('a.service', { packetRules: SOME, directories }), 'DirectoryFailed', /no room/);
  assert.equal(built.packetFilter.rules.size, 0);
  assertEmpty(built);
});

test('launches of one user have the same rules, and what is not a launch takes those that there are', async () => {
  const built = buildUseCases();
  await built.acquire('a.service', { packetRules: SOME });
  for (const packetRules of [NOTHING, OTHERS]) {
    await fails(built.acquire('a.service', { packetRules }), 'NameConflict', /other values of IPAddressDeny=/);
  }
  await built.acquire('a.service', { packetRules: { denied: ['10.0.0.1'] } });
  await built.acquire('a.service');
  const { user } = await built.acquire('a.service', { packetRules: OTHERS, takesPacketRules: true });
  assert.deepEqual([...built.packetFilter.rules], [[user.uid, SOME]]);
  assert.equal(user.leases.length, 4);
});

test('a user that was acquired alone gets the rules of its first launch, and keeps them until it ends', async () => {
  const built = buildUseCases();
  const held = await built.acquire('a.service');
  assert.equal(built.packetFilter.rules.size, 0);
  const launched = await built.acquire('a.service', { packetRules: SOME });
  assert.deepEqual([...built.packetFilter.rules], [[held.user.uid, SOME]]);
  await built.release(launched.lease.id);
  assert.equal(built.packetFilter.rules.size, 1, 'it may have left processes');
  await fails(built.acquire('a.service', { packetRules: NOTHING }), 'NameConflict', /release its other leases/);
  const { users } = await restart(built);
  assert.deepEqual(users.byName(held.user.name)?.packetRules, SOME, 'the next daemon knows them');
});

test('a user that ends while a join waits for its rules takes them along', async () => {
  const built = buildUseCases('61184-61184');
  const held = await built.acquire('a.service');
  built.packetFilter.gate = async () => {
    built.packetFilter.gate = async () => undefined;
    await built.release(held.lease.id);
  };
  const { user } = await built.acquire('a.service', { packetRules: SOME });
  assert.deepEqual([...built.packetFilter.rules], [[user.uid, SOME]]);
  assert.equal(user.leases.length, 1);
});

test('an account of the host has none: it has other processes', async () => {
  const built = buildUseCases();
  built.probe.accounts.set('postgres', { user: { uid: uid(110), gid: gid(110) } });
  await fails(built.acquire('postgres.service', { packetRules: SOME }), 'NameConflict', /postgres is an account/);
  const { user } = await built.acquire('postgres.service', { packetRules: NOTHING });
  assert.equal(user.packetRules, undefined);
  await fails(built.acquire('postgres.service', { packetRules: SOME }), 'NameConflict', /postgres is an account/);
  assert.equal(built.packetFilter.rules.size, 0);
});
