/** What is kept of launches: never another plan than that of a launch that was read for the first time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLaunch, resolveLaunch } from '../../../../src/launch/launch.ts';
import { LAUNCH_KEPT_CHARACTERS_MAX, LAUNCHES_KEPT_MAX } from '../../../../src/launch/limits.ts';
import { Kept } from '../../../../src/launch/plan/kept.ts';
import { acquiredOf, privateDirectory, requestOf, resolvedOf } from '../launches.ts';

test('the last ones are kept, by their last use', () => {
  const kept = new Kept<number>(2);
  assert.equal(kept.keep('one', 1), 1);
  kept.keep('two', 2);
  assert.equal(kept.get('one'), 1);
  kept.keep('three', 3);
  assert.deepEqual(
    ['one', 'two', 'three'].map(key => kept.get(key)),
    [1, undefined, 3],
  );
  kept.keep('one', 4);
  assert.equal(kept.get('one'), 4);
  assert.equal(kept.get('three'), 3);
});

test('the same request with the same answers is read once, and any other is read', () => {
  const properties = ['PrivateTmp=yes', 'EnvironmentFile=-/etc/kept'];
  const request = requestOf(properties, { unit: 'kept.service' });
  const files = (text: string) => ({ files: { '/etc/kept': text } });
  const read = (text: string) => resolvedOf(properties, { unit: 'kept.service' }, files(text));
  assert.equal(read('A=1'), read('A=1'));
  assert.deepEqual(read('A=2').environment.assignments, ['A=2']);
  assert.deepEqual(read('A=1').environment.assignments, ['A=1']);
  const none = { found: false, kind: 'file', path: '/etc/kept' } as const;
  const outcomes = [request, { ...request, unit: 'other.service' }, { ...request, untrusted: true }].map(one =>
    resolveLaunch(one, [none]),
  );
  assert.equal(new Set(outcomes.map(outcome => ('resolved' in outcome ? outcome.resolved : undefined))).size, 3);
});

test('no more of them are kept, and none that is long', () => {
  const read = (index: number) => resolvedOf([`Environment=KEPT=${index}`]);
  const first = read(-1);
  for (let index = 0; index < LAUNCHES_KEPT_MAX; index++) {
    read(index);
  }
  assert.notEqual(read(-1), first);
  const long = [`Environment=KEPT=${'x'.repeat(LAUNCH_KEPT_CHARACTERS_MAX)}`];
  assert.notEqual(resolvedOf(long), resolvedOf(long));
});

test('the plan is that of its user, unit and directories, whoever was before', () => {
  const own = privateDirectory('own', { handover: 'map', diskUid: 65_534, diskGid: 65_534 });
  const users = [
    acquiredOf(),
    acquiredOf({ uid: 61_300, gid: 61_300, userName: 'other', groups: [61_300] }),
    acquiredOf({ directories: [own] }),
    acquiredOf({ directories: [own], uid: 61_300, gid: 61_300 }),
    acquiredOf({ directories: [own], processGid: 60 }),
    acquiredOf({ directories: [{ ...own, inode: '78' }] }),
    acquiredOf({ dynamic: false, uid: 5, gid: 60 }),
  ];
  for (const properties of [
    ['PrivateDevices=yes', 'ProtectHome=yes', 'ProtectKernelTunables=yes', 'ConfigurationDirectory=app'],
    ['SetCredential=name:text', 'StateDirectory=own'],
    ['TemporaryFileSystem=/var/lib', 'StateDirectory=own'],
  ]) {
    const resolved = resolvedOf(properties);
    for (const [unit, acquired] of ['a.service', 'b.service'].flatMap(name =>
      [...users, ...users].map(user => [name, user] as const),
    )) {
      const fresh = structuredClone({ ...resolved, unit });
      assert.deepEqual(planLaunch({ ...resolved, unit }, acquired), planLaunch(fresh, acquired));
    }
  }
});
