import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Registry, UidLocks } from '../../../src/allocator/ports.ts';
import { compareLinks } from '../../../src/allocator/recovery.ts';
import { UserTable } from '../../../src/allocator/user-table.ts';
import type { DynamicUser } from '../../../src/core/lease.ts';
import { FakeRegistry, leaseEvents, userName } from './fakes.ts';
import { restart } from './restart.ts';
import { buildUseCases, type UseCases } from './use-cases.ts';

class Killed extends Error {}

/**
 * Lets the daemon die just before or just after one step: the step throws, and nothing that the daemon would do to clean
 * up after an error happens either, since a killed process does nothing any more.
 */
function dieAt(built: UseCases, step: keyof Registry | 'lock' | 'keep' | 'unlock', after: boolean): void {
  const registry: Registry = built.registry;
  const locks: UidLocks = built.locks;
  let dead = false;
  const guard = <Arguments extends unknown[], Result>(name: string, action: (...given: Arguments) => Result) => {
    return (...given: Arguments): Result => {
      if (dead) {
        throw new Killed();
      }
      if (name !== step) {
        return action(...given);
      }
      if (after) {
        action(...given);
      }
      dead = true;
      throw new Killed();
    };
  };
  for (const name of STEPS) {
    Object.defineProperty(built.registry, name, {
      configurable: true,
      value: guard(name, registry[name].bind(registry)),
    });
  }
  Object.defineProperty(built.locks, 'lock', { configurable: true, value: guard('lock', locks.lock.bind(locks)) });
  Object.defineProperty(built.locks, 'keep', { configurable: true, value: guard('keep', locks.keep.bind(locks)) });
  Object.defineProperty(built.locks, 'release', {
    configurable: true,
    value: guard('unlock', locks.release.bind(locks)),
  });
}

function revive(built: UseCases): void {
  for (const name of STEPS) {
    Reflect.deleteProperty(built.registry, name);
  }
  Reflect.deleteProperty(built.locks, 'lock');
  Reflect.deleteProperty(built.locks, 'keep');
  Reflect.deleteProperty(built.locks, 'release');
}

function assertOnly(built: UseCases, users: UserTable, names: readonly string[]): void {
  const uids = names.map(name => users.byName(userName(name))?.uid);
  assert.equal(uids.includes(undefined), false);
  assert.equal(users.heldCount, names.length);
  assert.deepEqual([...built.registry.leases.keys()].toSorted(), names.toSorted());
  assert.deepEqual([...built.registry.byName.keys()].toSorted(), names.toSorted());
  assert.deepEqual([...built.registry.byUid.keys()].toSorted(), uids.toSorted());
  assert.deepEqual([...built.locks.files].toSorted(), uids.toSorted());
  assert.deepEqual([...built.locks.held].toSorted(), uids.toSorted());
  assert.equal(built.registry.intents.size + built.registry.ending.size, 0);
}

const MAKING = ['intend', 'lock', 'publish', 'keep', 'commit'] as const;
const ENDING = ['revoke', 'unpublish', 'unlock', 'erase'] as const;
const STEPS = ['intend', 'publish', 'commit', 'forget', 'revoke', 'unpublish', 'erase'] as const;

for (const step of MAKING) {
  for (const after of [false, true]) {
    test(`killed ${after ? 'after' : 'before'} "${step}" of an acquisition`, async () => {
      const built = buildUseCases();
      built.locks.keeps = true;
      await built.acquire('kept.service');
      dieAt(built, step, after);
      await assert.rejects(built.acquire('dying.service'), Killed);
      revive(built);
      // The commit is the point of no return: what follows it in the same tick is the answer.
      const names = step === 'commit' && after ? ['kept', 'dying'] : ['kept'];
      assertOnly(built, (await restart(built)).users, names);
    });
  }
}

for (const step of ENDING) {
  for (const after of [false, true]) {
    test(`killed ${after ? 'after' : 'before'} "${step}" of a release`, async () => {
      const built = buildUseCases();
      await built.acquire('kept.service');
      const { lease } = await built.acquire('dying.service');
      dieAt(built, step, after);
      const told = await built.release(lease.id).catch(error => error);
      assert.ok(told instanceof Killed || built.left.length > 0, 'the release did not end');
      revive(built);
      const names = step === 'revoke' && !after ? ['kept', 'dying'] : ['kept'];
      assertOnly(built, (await restart(built)).users, names);
    });
  }
}

test('killed while a user is joined: the leases that were answered are there, and no other', async () => {
  for (const step of ['intend', 'commit'] as const) {
    const built = buildUseCases();
    const { lease } = await built.acquire('shared.service');
    dieAt(built, step, false);
    await assert.rejects(built.acquire('shared.service'), Killed);
    revive(built);
    const { users } = await restart(built);
    assert.deepEqual(users.byName(userName('shared'))?.leases, [lease]);
    assertOnly(built, users, ['shared']);
  }
});

test('leases that last as long as a connection are there, for whoever may claim them', async () => {
  const built = buildUseCases();
  const { lease } = await built.acquire('mixed.service');
  const other = await built.acquire('mixed.service', { lifetime: 'connection' });
  const { users } = await restart(built);
  assert.deepEqual(users.byName(userName('mixed'))?.leases, [lease, other.lease]);
  assertOnly(built, users, ['mixed']);
});

test('links are compared a few at a time, of users that live then', async () => {
  const users = new UserTable(leaseEvents());
  const registry = new FakeRegistry();
  const all = Array.from({ length: 130 }, (_, index): DynamicUser => {
    const uid = (61_184 + index) as DynamicUser['uid'];
    return {
      ...{ uid, gid: uid as number as DynamicUser['gid'] },
      name: userName(`u${index}`),
      dynamic: true,
      leases: [],
    };
  });
  for (const user of all) {
    users.restore(user);
    registry.publish(user);
    registry.byUid.set(user.uid, userName('wrong'));
  }
  const compared: number[] = [];
  const compare = registry.compareLinks.bind(registry);
  registry.compareLinks = some => {
    compared.push(some.length);
    compare(some);
  };
  const comparing = compareLinks({ registry, users });
  assert.deepEqual(compared, []);
  const gone = all.at(-1);
  assert.ok(gone !== undefined);
  users.remove(gone);
  registry.unpublish(gone);
  await comparing;
  assert.deepEqual(compared, [64, 64, 1]);
  assert.equal(registry.byUid.size, 129);
  assert.ok([...registry.byUid].every(([uid, name]) => registry.byName.get(name) === uid));
});
