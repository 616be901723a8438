/** Which user a request gets: what the host is asked of its name, how often, and each refusal in its words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkJoin, hostAccount, NameLookup } from '../../../src/allocator/choose-user.ts';
import type { Probe } from '../../../src/allocator/ports.ts';
import { ROOT } from '../../../src/core/access.ts';
import type { AccountAnswer } from '../../../src/core/account.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { Evidence } from '../../../src/core/evidence.ts';
import type { LeaseId } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import { LEASES_PER_USER_MAX } from '../../../src/core/limits.ts';
import { gid, uid, unitName, userName } from './fakes.ts';

const WEB = userName('web');
const USED: Evidence = { kind: 'user', name: 'bob' };
const HOSTS: AccountAnswer = { user: { uid: uid(5), gid: gid(60) } };

/** A host that writes down what it is asked. @param failure what it answers of the name with, once */
function host(account: AccountAnswer, evidence?: Evidence, failure?: Error) {
  const asked: string[] = [];
  const ask = async <Answer>(question: string, answer: Answer): Promise<Answer> => {
    asked.push(question);
    if (failure !== undefined) {
      throw failure;
    }
    return answer;
  };
  const probe: Probe = {
    account: name => ask(`account ${name}`, account),
    evidence: number => ask(`evidence ${number}`, evidence),
    take: number => ask(`take ${number}`, evidence),
    check: (name, number, purpose) => ask(`check ${name} ${number} ${purpose}`, { account, evidence }),
  };
  return { asked, probe };
}

test('the name is asked for once, alone or with the first UID; later UIDs alone', async () => {
  for (const purpose of ['take', 'look'] as const) {
    const { asked, probe } = host({}, USED);
    const lookup = new NameLookup(probe, WEB, purpose);
    assert.deepEqual(await lookup.check(uid(1)), USED);
    assert.deepEqual(await lookup.check(uid(2)), USED);
    assert.deepEqual(await lookup.account(), {});
    assert.deepEqual(asked, [`check web 1 ${purpose}`, `${purpose === 'take' ? 'take' : 'evidence'} 2`]);
  }
  const { asked, probe } = host({});
  const lookup = new NameLookup(probe, WEB, 'take');
  await lookup.account();
  assert.equal(await lookup.account(), await lookup.account());
  assert.equal(await lookup.check(uid(1)), undefined);
  assert.deepEqual(asked, ['account web', 'take 1']);
});

test('of a name that the host has no UID is looked at', async () => {
  for (const account of [HOSTS, { group: { gid: gid(60) } }]) {
    const { asked, probe } = host(account, USED);
    const lookup = new NameLookup(probe, WEB, 'take');
    assert.equal(await lookup.check(uid(1)), 'known');
    assert.equal(await lookup.check(uid(2)), 'known');
    assert.deepEqual(asked, ['check web 1 take']);
  }
});

test('a failure of the lookup is the same each time', async () => {
  const failure = new DynuserError('ProbeFailed', 'NSS does not answer', {});
  const { asked, probe } = host({}, undefined, failure);
  const lookup = new NameLookup(probe, WEB, 'take');
  for (const question of [() => lookup.check(uid(1)), () => lookup.account(), () => lookup.check(uid(2))]) {
    await assert.rejects(question, failure);
  }
  assert.equal(asked.length, 1);
});

test('what a search failed with counts only if the host has no such name', async () => {
  const error = new Error('the range is exhausted');
  assert.equal(await new NameLookup(host(HOSTS).probe, WEB, 'take').comesBefore(error), undefined);
  await assert.rejects(new NameLookup(host({}).probe, WEB, 'take').comesBefore(error), error);
});

function held(leases: number, owner: number, more: Partial<DynamicUser> = {}): DynamicUser {
  const lease: Lease = {
    ...{ id: 'ab'.repeat(16) as LeaseId, unit: unitName('web.service'), lifetime: 'explicit', pid: undefined },
    ...{ owner: uid(owner), since: 0, directories: [], cleanup: { processes: true, ipc: true } },
  };
  return { uid: uid(61_200), gid: gid(61_200), name: WEB, dynamic: true, leases: Array(leases).fill(lease), ...more };
}

function refused(code: DynuserError['code'], message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof DynuserError);
    assert.deepEqual([error.code, error.detail.field], [code, 'userName']);
    assert.match(error.message, message);
    return true;
  };
}

test('a user is joined by who may, while it has room and its UID', () => {
  checkJoin(held(LEASES_PER_USER_MAX - 1, 0), ROOT, {});
  checkJoin(held(1, 1_000), { uid: uid(1_000), isRoot: false }, {});
  assert.throws(
    () => checkJoin(held(LEASES_PER_USER_MAX, 0), ROOT, {}),
    refused('LimitReached', new RegExp(`^the user web has ${LEASES_PER_USER_MAX} leases already$`)),
  );
  assert.throws(() => checkJoin(held(1, 0), { uid: uid(1_000), isRoot: false }, {}), refused('NotPermitted', /web/));
  const lost = held(1, 0, { lost: 'somebody else has locked its UID' });
  const advice =
    /^the user web has lost its UID 61200: somebody else has locked its UID; release its leases \('dynuserctl release web'\), then acquire it anew$/;
  assert.throws(() => checkJoin(lost, ROOT, {}), refused('NameConflict', advice));
});

/** @param taken the UIDs that somebody has locked */
function accountOf(account: AccountAnswer, requester = ROOT, taken: readonly number[] = []) {
  const locks = {
    peek: (number: number) => (taken.includes(number) ? ({ kind: 'taken' } as const) : ({ kind: 'free' } as const)),
  };
  return hostAccount({ locks }, WEB, requester, new NameLookup(host(account).probe, WEB, 'take'));
}

test('an account of the host is used as it is, with its group', async () => {
  const used = { name: WEB, uid: 5, gid: 60, dynamic: false, leases: [] };
  assert.deepEqual(await accountOf(HOSTS), used);
  assert.deepEqual(await accountOf({ ...HOSTS, group: { gid: gid(7) } }), used);
  const inRange = { user: { uid: uid(61_184), gid: gid(100) } };
  assert.equal((await accountOf(inRange)).uid, 61_184);
});

test('half of a name, a user of systemd, and accounts for others than root are refused', async () => {
  const inRange = { user: { uid: uid(65_519), gid: gid(65_519) } };
  const other = { uid: uid(1_000), isRoot: false };
  await assert.rejects(
    accountOf({}),
    refused('NameConflict', /^user web does not exist and DynamicUser=no forbids creating it; name an existing user$/),
  );
  await assert.rejects(
    accountOf({ group: { gid: gid(60) } }),
    refused(
      'NameConflict',
      /^the group web \(60\) exists on this host, but no user of that name; choose another user name, or create the user$/,
    ),
  );
  await assert.rejects(
    accountOf(inRange, ROOT, [65_519]),
    refused(
      'NameConflict',
      /^the user web is a dynamic user of systemd \(UID 65519\); choose another user name, or stop its unit first$/,
    ),
  );
  await assert.rejects(
    accountOf(HOSTS, other),
    refused(
      'NotPermitted',
      /^the user web is an account of this host, and only root may acquire it; choose another user name$/,
    ),
  );
});
