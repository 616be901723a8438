/** What of the core is said to people and other programs: evidence, records, terms of a lease. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKnown } from '../../../src/core/account.ts';
import { describeEvidence, type Evidence, IPC_KINDS, PROCESS_ROLES } from '../../../src/core/evidence.ts';
import type { Gid, Uid, UnitName, UserName } from '../../../src/core/ids.ts';
import { fitsLifetime, keptProcess, LIFETIMES, readTerms, termsOf } from '../../../src/core/lease.ts';
import { groupRecord, userRecord } from '../../../src/core/records.ts';

it('each evidence against a UID has its words', () => {
  const cases: readonly (readonly [Evidence, string])[] = [
    [{ kind: 'lease', name: 'a' }, 'held by the dynamic user a'],
    [{ kind: 'lost', name: 'a' }, 'it was lost by the dynamic user a, whose leases are not released yet'],
    [{ kind: 'ending', name: 'a', left: undefined }, 'held until nothing is left of the dynamic user a'],
    [{ kind: 'ending', name: 'a', left: 'x' }, 'held until nothing is left of the dynamic user a: x'],
    [{ kind: 'cooling', name: 'a' }, "it was the dynamic user a's a moment ago"],
    [{ kind: 'reserved' }, 'being allocated by another request'],
    [{ kind: 'systemd-lock' }, 'locked by systemd or another allocator'],
    [{ kind: 'lock-unusable', reason: 'x' }, 'its lock file cannot be used: x'],
    [{ kind: 'user', name: 'a' }, 'the user a has this number'],
    [{ kind: 'group', name: 'a' }, 'the group a has this number'],
    [{ kind: 'process', pid: 7, command: 'sh', as: 'user' }, 'process 7 (sh) runs with it'],
    [{ kind: 'process', pid: 7, command: 'sh', as: 'group' }, 'process 7 (sh) has it as its group'],
    [{ kind: 'process', pid: 7, command: 'sh', as: 'supplementary' }, 'process 7 (sh) has it as a supplementary group'],
  ];
  for (const [evidence, words] of cases) {
    assert.equal(describeEvidence(evidence), words);
  }
  assert.deepEqual(PROCESS_ROLES, ['user', 'group', 'supplementary']);
  assert.deepEqual(
    IPC_KINDS.map(object => describeEvidence({ kind: 'ipc', object, id: '5' })),
    [
      'the System V shared memory segment 5 belongs to it',
      'the System V semaphore set 5 belongs to it',
      'the System V message queue 5 belongs to it',
      'the POSIX shared memory object 5 belongs to it',
      'the POSIX message queue 5 belongs to it',
    ],
  );
});

it('a user and its group are records of the user database that nobody can log in with', () => {
  const user = { name: 'web' as UserName, uid: 61_200 as Uid, gid: 61_201 as Gid };
  const service = 'io.dynuser.DynamicUser';
  assert.deepEqual(userRecord(user), {
    userName: 'web',
    uid: 61_200,
    gid: 61_201,
    realName: 'Dynamic User',
    homeDirectory: '/',
    shell: '/usr/sbin/nologin',
    locked: true,
    disposition: 'dynamic',
    service,
  });
  assert.deepEqual(groupRecord(user), {
    groupName: 'web',
    gid: 61_201,
    description: 'Dynamic Group',
    disposition: 'dynamic',
    service,
  });
});

it('a name is known to the host if a user or a group has it', () => {
  const gid = 1 as Gid;
  const user = { uid: 1 as Uid, gid };
  assert.deepEqual([{}, { user }, { group: { gid } }, { user, group: { gid } }].map(isKnown), [
    false,
    true,
    true,
    true,
  ]);
});

describe('the terms of a lease', () => {
  const reasonOf = (fields: Readonly<Record<string, unknown>>): string => {
    const read = readTerms({ unit: 'a.service', lifetime: 'unit', ...fields });
    return 'terms' in read ? 'terms' : `${read.field}: ${read.reason}`;
  };

  it('are read one by one, and what is absent, or null, is left out', () => {
    const all = { unit: 'a.service', lifetime: 'process', description: 'x y', missing: ['b', 'c'] };
    assert.deepEqual(readTerms({ ...all, more: 1 }), { terms: all });
    assert.deepEqual(readTerms({ unit: 'a', lifetime: 'unit', description: null, missing: undefined }), {
      terms: { unit: 'a', lifetime: 'unit' },
    });
    assert.deepEqual(termsOf({ ...all, more: 1, unit: 'a.service' as UnitName, lifetime: 'process' } as never), all);
    assert.deepEqual(termsOf({ unit: 'a' as UnitName, lifetime: 'unit' }), { unit: 'a', lifetime: 'unit' });
  });

  it('are refused by the first that is wrong', () => {
    assert.match(reasonOf({ unit: 'a b', lifetime: 'x' }), /^unit: the unit name "a b" /);
    assert.equal(
      reasonOf({ lifetime: 'ever' }),
      'lifetime: the lifetime must be one of connection, process, unit, timed, running, explicit',
    );
    const line = 'description: a description must be one line of 1 to 256 bytes without control characters';
    for (const description of ['', 'a\nb', 'a\x7f', 'x'.repeat(257), 'ü'.repeat(129), 5, ['a']]) {
      assert.equal(reasonOf({ description }), line);
    }
    for (const description of ['a', 'x'.repeat(256), 'ü'.repeat(128), ' ']) {
      assert.equal(reasonOf({ description }), 'terms');
    }
    for (const missing of ['a', ['a', 1], {}]) {
      assert.equal(reasonOf({ missing }), 'missing: what is missing must be a list of texts');
    }
    assert.equal(reasonOf({ missing: [] }), 'terms');
  });

  it('have the seconds of a timed lease, and of no other', () => {
    const timed = { unit: 'a', lifetime: 'timed', seconds: 1 };
    assert.deepEqual(readTerms(timed), { terms: timed });
    assert.equal(reasonOf({ lifetime: 'timed', seconds: 14 * 24 * 60 * 60 }), 'terms');
    for (const seconds of [0, -1, 1.5, 1_209_601, '60', Number.NaN, true]) {
      const reason = 'seconds: a timed lease lasts 1 to 1209600 seconds';
      assert.equal(reasonOf({ lifetime: 'timed', seconds }), reason, String(seconds));
    }
    const both = 'seconds: a timed lease needs its seconds, and no other lease has any';
    assert.equal(reasonOf({ lifetime: 'timed' }), both);
    assert.equal(reasonOf({ lifetime: 'timed', seconds: null }), both);
    assert.equal(reasonOf({ seconds: 5 }), both);
  });

  it('say which process is kept, and whether a lease may be without one', () => {
    assert.deepEqual(
      LIFETIMES.map(lifetime => [
        lifetime,
        keptProcess(lifetime),
        fitsLifetime(lifetime, true),
        fitsLifetime(lifetime, false),
      ]),
      [
        ['connection', 'mayClaim', true, true],
        ['process', 'bound', true, false],
        ['unit', 'none', false, true],
        ['timed', 'none', false, true],
        ['running', 'none', false, true],
        ['explicit', 'none', false, true],
      ],
    );
  });
});
