/** What holds whenever no request is under way. */
import assert from 'node:assert/strict';
import type { Uid } from '../../../../src/core/ids.ts';
import { UIDS } from './actions.ts';
import type { World } from './world.ts';

export function checkAll(world: World): void {
  assert.deepEqual(world.host.violations, []);
  checkJournal(world);
  checkRegistry(world);
  checkLocks(world);
}

/** Every lease that was answered is there, of the same user, and no other is. */
function checkJournal({ daemon: { users }, journal }: World): void {
  for (const { lease, name, uid } of journal.values()) {
    const user = users.byLease(lease);
    assert.deepEqual([user?.name, user?.uid], [name, uid], `the lease ${lease}`);
  }
  assert.equal(users.leaseCount, journal.size, 'leases that nobody has');
}

/** The files say what the table says, and the links are those of the users that live. */
function checkRegistry({ daemon: { users }, host }: World): void {
  const live = [...users.live()];
  const names = live.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const files = [...host.files.leases.values()].map(
    ({ name, uid, leases }) => `${name} ${uid} ${leases.map(held => held.id)}`,
  );
  assert.deepEqual(
    files.sort(),
    live.map(({ name, uid, leases }) => `${name} ${uid} ${leases.map(held => held.id)}`).sort(),
  );
  assert.equal(host.files.intents.size, 0, 'an intent is left');
  const resolving = live.filter(({ dynamic, lost }) => dynamic && lost === undefined);
  assert.deepEqual([...host.byName].sort(), resolving.map(({ name, uid }) => [name, uid]).sort());
  assert.deepEqual([...host.byUid].sort(), resolving.map(({ name, uid }) => [uid, name]).sort());
}

/** A UID has one user, and that has its lock; what nobody has is not locked by us, nor has it a file. */
function checkLocks({ daemon: { users, teardown }, host }: World): void {
  const living = [...users.dynamic()].map(({ uid }) => uid);
  assert.equal(new Set(living).size, living.length, 'a UID has two names');
  const ending = new Set([...teardown.underWay()].map(({ user }) => user.uid));
  for (const uid of UIDS as readonly number[] as readonly Uid[]) {
    const isOurs = host.held.has(uid) && host.lockOwner.get(uid) === 'dynuserd';
    if (living.includes(uid)) {
      assert.ok(isOurs && !ending.has(uid) && !host.strangers.has(uid), `${uid} is not its user's alone`);
    } else if (!ending.has(uid)) {
      assert.notEqual(host.lockOwner.get(uid), 'dynuserd', `${uid} is locked for nobody`);
      assert.ok(!host.lockFiles.has(uid) || host.lockOwner.has(uid), `the lock file of ${uid} is left`);
    }
  }
}
