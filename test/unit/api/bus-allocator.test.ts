import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { confirmUser } from '../../../src/allocator/losses.ts';
import type { UserTable } from '../../../src/allocator/user-table.ts';
import type { Acquisition } from '../../../src/api/acquire.ts';
import { busAllocator } from '../../../src/api/bus-allocator.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { Pid } from '../../../src/core/ids.ts';
import type { BusAllocator, BusCaller } from '../../../src/dbus/port.ts';
import { gid, leaseEvents, uid, userName } from '../allocator/fakes.ts';
import { FakeConnection, HOST, nextTurn, worldOf } from './world.ts';

const USER = { uid: 64642, name: 'web' };

/** A table of one dynamic user, which is never asked about what cannot be a user. */
function allocatorOf(): BusAllocator {
  const table = {
    dynamicByName: (name: string) => (name === USER.name ? USER : undefined),
    dynamicByUid: (uid: number) => {
      assert.ok(Number.isInteger(uid) && uid >= 0 && uid < 0xffff_ffff);
      return uid === USER.uid ? USER : undefined;
    },
    dynamic: () => [USER],
  };
  return busAllocator(table as unknown as UserTable, leaseEvents(), {} as unknown as Acquisition, () => assert.fail());
}

it('finds live users both ways, and nobody else', () => {
  const allocator = allocatorOf();
  assert.equal(allocator.uidOf('web'), 64642);
  assert.equal(allocator.uidOf('web2'), undefined);
  assert.equal(allocator.uidOf('no name'), undefined);
  assert.equal(allocator.nameOf(64642), 'web');
  assert.equal(allocator.nameOf(64643), undefined);
  assert.equal(allocator.nameOf(0xffff_ffff), undefined);
  assert.equal(allocator.nameOf(-1), undefined);
  assert.deepEqual([...allocator.users()], [USER]);
});

describe('the allocator for the bus', () => {
  /** @param asked the processes whose standing was asked for */
  function joined(asked: unknown[] = []) {
    const world = worldOf({ allowGroups: ['50'] });
    const allocator = busAllocator(world.users, world.built.events, world.acquisition, pid => {
      asked.push(pid);
      return HOST;
    });
    const told: string[] = [];
    const end = allocator.onChange(({ kind, uid: number, name }) => told.push(`${kind} ${number} ${name}`));
    return { ...world, allocator, told, end };
  }
  /** A caller on the bus: root unless its groups say otherwise. */
  function caller(number = 0, groups: readonly number[] = []): BusCaller & FakeConnection {
    const who = { uid: uid(number), gid: gid(number), groups: groups.map(gid), pid: 7 as Pid };
    return Object.assign(new FakeConnection(), who);
  }

  it('acquires for who the bus says it is, by the same rights, and releases', async () => {
    const asked: unknown[] = [];
    const { allocator, users } = joined(asked);
    const acquired = await allocator.acquire({ unit: 'web.service', lifetime: 'explicit' }, caller());
    const { uid: number } = acquired;
    assert.deepEqual(acquired, {
      ...{ uid: number, gid: number, userName: 'web', dynamic: true, lease: '0'.repeat(32) },
    });
    assert.deepEqual(asked, [7]);
    const refused = (code: string) => (error: unknown) => error instanceof DynuserError && error.code === code;
    await assert.rejects(allocator.acquire({ unit: 'a' }, caller(1000)), refused('NotPermitted'));
    const member = await allocator.acquire({ unit: 'a', lifetime: 'explicit' }, caller(1000, [4, 50]));
    assert.deepEqual([member.userName, users.leaseCount, asked.length], ['a', 2, 1]);
    await assert.rejects(async () => allocator.release(acquired.lease, caller(1000)), refused('NotPermitted'));
    await allocator.release(acquired.lease, caller());
    assert.equal(users.leaseCount, 1);
    await assert.rejects(allocator.acquire({ unit: 'a b' }, caller()), refused('InvalidName'));
  });

  it('ends a lease with the name of its caller, which could not claim it, or with the process that the bus names', async () => {
    const { allocator, users, processes } = joined();
    const holder = caller();
    await allocator.acquire({ unit: 'a' }, holder);
    assert.equal([...users.live()][0]?.leases[0]?.process, undefined);
    holder.close();
    await nextTurn();
    assert.equal(users.leaseCount, 0);
    const unseen = { ...caller(), pid: undefined, onClose: () => () => {} };
    await assert.rejects(allocator.acquire({ unit: 'a', lifetime: 'process' }, unseen), /cannot see the process/);
    await allocator.acquire({ unit: 'a', lifetime: 'process' }, caller());
    processes.owners.set(9, 0);
    await allocator.acquire({ unit: 'b', lifetime: 'process', pid: 9 }, unseen);
    assert.deepEqual(
      [...users.live()].map(({ leases }) => leases[0]?.process?.pid),
      [7, 9],
    );
  });

  it('tells of a user with its first and its last lease', async () => {
    const { allocator, told, end, built } = joined();
    const first = await allocator.acquire({ unit: 'a', lifetime: 'explicit' }, caller());
    const second = await allocator.acquire({ unit: 'a', lifetime: 'explicit' }, caller());
    assert.equal(second.uid, first.uid);
    assert.deepEqual(told, [`allocated ${first.uid} a`]);
    await allocator.release(first.lease, caller());
    assert.equal(told.length, 1);
    await allocator.release(second.lease, caller());
    assert.deepEqual(told.slice(1), [`released ${first.uid} a`]);
    end();
    await built.acquire('b.service');
    assert.equal(told.length, 2);
  });

  it('tells of a lost user when it is lost, and not again', async () => {
    const { allocator, told, built } = joined();
    const first = await allocator.acquire({ unit: 'a', lifetime: 'explicit' }, caller());
    const second = await allocator.acquire({ unit: 'a', lifetime: 'explicit' }, caller());
    const user = built.users.byName(userName('a')) ?? assert.fail();
    built.locks.foreign.add(user.uid);
    confirmUser(built, user);
    assert.deepEqual(told, [`allocated ${first.uid} a`, `released ${first.uid} a`]);
    await allocator.release(first.lease, caller());
    await allocator.release(second.lease, caller());
    assert.equal(told.length, 2);
  });

  it('tells of no user of the host', async () => {
    const { allocator, told, probe } = joined();
    probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60), name: 'games' } as never });
    const { dynamic, lease } = await allocator.acquire({ unit: 'games', lifetime: 'explicit' }, caller());
    await allocator.release(lease, caller());
    assert.deepEqual([dynamic, told], [false, []]);
  });
});
