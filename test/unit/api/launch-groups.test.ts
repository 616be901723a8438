/** User= by number and Group= of a launch: what the host has of them, what is made, and in whose words it is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { groupsOf, withAccountName } from '../../../src/api/launch-accounts.ts';
import { DynuserError, type ErrorCode } from '../../../src/core/errors.ts';
import type { UserName } from '../../../src/core/ids.ts';
import type { DynamicUser } from '../../../src/core/lease.ts';
import { FakeProbe, gid, uid } from '../allocator/fakes.ts';
import { resolvedOf } from '../launch/launches.ts';

const DYNAMIC = ['DynamicUser=yes'];
const STATIC = ['DynamicUser=no', 'User=root'];

function hostOf(): FakeProbe {
  const probe = new FakeProbe();
  probe.accounts.set('adm', { group: { name: 'adm', gid: gid(4) } as never });
  probe.accounts.set('bob', { user: { name: 'bob', uid: uid(1000) } as never });
  return probe;
}

const refused = (code: ErrorCode, field: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DynuserError, String(error));
  assert.deepEqual([error.code, error.detail.field], [code, field]);
  assert.match(error.message, words);
  return true;
};
const nobody = () => assert.fail('nobody is asked');

describe('User= by number', () => {
  it('is the account that has the number, if its name leads back to it', async () => {
    const probe = hostOf();
    probe.against.set(1000, { kind: 'user', name: 'bob' });
    const named = await withAccountName(probe, resolvedOf(['DynamicUser=no', 'User=1000']));
    assert.equal(named.userName, 'bob');
    for (const evidence of [
      { kind: 'user', name: 'alice' },
      { kind: 'user', name: 'no name' },
      { kind: 'group', name: 'bob' },
      undefined,
    ] as const) {
      const other = hostOf();
      if (evidence !== undefined) {
        other.against.set(1000, evidence);
      }
      await assert.rejects(
        withAccountName(other, resolvedOf(['DynamicUser=no', 'User=1000'])),
        refused('LaunchFailed', 'User', /^no account has the number 1000; name a user/),
      );
    }
    probe.accounts.set('bob', { user: { name: 'bob', uid: uid(1001) } as never });
    await assert.rejects(
      withAccountName(probe, resolvedOf(['DynamicUser=no', 'User=1000'])),
      /no account has the number 1000/,
    );
  });

  it('is not asked about if it is a name, or none', async () => {
    for (const properties of [['User=bob'], []]) {
      const resolved = resolvedOf(properties);
      assert.equal(await withAccountName({ for: nobody }, resolved), resolved);
    }
  });
});

describe('Group= and SupplementaryGroups=', () => {
  const live = { dynamicByName: (name: UserName) => (name === 'shared' ? ({ name } as DynamicUser) : undefined) };
  const ask = (...properties: readonly string[]) => groupsOf(resolvedOf(properties), live);

  it('are asked of nobody if they are not given, or are numbers', () => {
    assert.deepEqual(ask(...DYNAMIC), {});
    assert.deepEqual(ask(...DYNAMIC, 'Group=4711'), { directoryGid: 4711 });
    assert.deepEqual(ask(...STATIC, 'Group=0'), { directoryGid: 0 });
    assert.deepEqual(ask(...DYNAMIC, 'SupplementaryGroups=4711'), {});
  });

  it('are made for a dynamic user alone', () => {
    assert.deepEqual(ask(...DYNAMIC, 'Group=made'), {
      sharedGroups: [{ name: 'made', isPrimary: true, mustExist: false }],
    });
    assert.deepEqual(ask(...STATIC, 'Group=made'), {
      sharedGroups: [{ name: 'made', isPrimary: true, mustExist: true }],
    });
  });

  it('are held if they are dynamic, and else looked up with the account', () => {
    assert.deepEqual(ask(...DYNAMIC, 'SupplementaryGroups=adm shared'), {
      sharedGroups: [{ name: 'shared', isPrimary: false, mustExist: true }],
    });
  });

  it('are refused if the name cannot be the name of a group', () => {
    assert.throws(
      () => ask(...DYNAMIC, 'Group=no.group'),
      refused('LaunchFailed', 'Group', /^group no\.group does not exist; name an existing group/),
    );
  });
});
