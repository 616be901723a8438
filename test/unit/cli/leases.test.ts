import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandFailure } from '../../../src/cli/failure.ts';
import { leasesOf, listLeases, matching, SORT_KEYS, sortLeases } from '../../../src/cli/leases.ts';
import { sampleLease } from './sample.ts';

const one = sampleLease();
const two = sampleLease({ unit: 'second.service' });
const other = sampleLease({ uid: 63122, userName: 'run-u15750' });
const all = [other, one, two];

test('a user is meant by its name or its number, with all of its leases', () => {
  assert.deepEqual(leasesOf(all, 'dynamic-user-test'), [one, two]);
  assert.deepEqual(leasesOf(all, '64642'), [one, two]);
  assert.deepEqual(leasesOf(all, '63122'), [other]);
});

test('leases match by the name, the unit or the number of their user', () => {
  assert.deepEqual(matching(all, []), all);
  assert.deepEqual(matching(all, ['run-*']), [other]);
  assert.deepEqual(matching(all, ['second.service']), [two]);
  assert.deepEqual(matching(all, ['631??', '*.service']), all);
  assert.deepEqual(matching(all, ['dynamic']), []);
});

test('leases are sorted by a key, and as they were if that does not decide', () => {
  const early = sampleLease({ uid: 65000, userName: 'b', unit: 'a', lifetime: 'timed', since: 1 });
  const late = sampleLease({ uid: 61500, userName: 'a', unit: 'b', lifetime: 'connection', since: 2 });
  const same = { ...late, lease: 'f'.repeat(32) };
  for (const key of SORT_KEYS) {
    const expected = ['unit', 'since'].includes(key) ? [early, late, same] : [late, same, early];
    assert.deepEqual(sortLeases([late, early, same], key), expected, key);
  }
});

test('no user of that name or number', () => {
  for (const [who, words] of [
    ['64000', /^no live user has the UID 64000: /],
    ['064642', /^no live user has the UID 064642: /],
    ['4294967296', /^no live user has the UID 4294967296: /],
    ['no\x1bbody', /^no live user has the name no\\x1bbody: /],
    ['', /^no live user has the name : /],
  ] as const) {
    assert.throws(() => leasesOf(all, who), { name: 'CommandFailure', status: 1, message: words });
  }
});

test('a number that several static users share is not guessed at', () => {
  const shared = [sampleLease({ uid: 0, userName: 'root' }), sampleLease({ uid: 0, userName: 'toor' })];
  assert.throws(() => leasesOf(shared, '0'), CommandFailure);
  assert.deepEqual(leasesOf(shared, 'toor'), [shared[1]]);
});

test('of a name that was taken anew while its former user is ending the live one is meant', () => {
  const former = sampleLease({ uid: 61185, ending: true });
  assert.deepEqual(leasesOf([former, one], 'dynamic-user-test'), [one]);
  assert.deepEqual(leasesOf([former, one], '61185'), [former]);
  assert.deepEqual(leasesOf([former, other], 'dynamic-user-test'), [former]);
});

test('a name with several users that are ending is not guessed at', () => {
  const ending = [61185, 61190].map(uid => sampleLease({ uid, ending: true }));
  assert.throws(() => leasesOf(ending, 'dynamic-user-test'), {
    name: 'CommandFailure',
    status: 1,
    message: 'dynamic-user-test is ending with the UIDs 61185 and 61190: say which by its UID',
  });
  assert.deepEqual(leasesOf(ending, '61190'), [ending[1]]);
});

test('leases are listed by UID, then by age', async () => {
  const young = sampleLease({ uid: 2, since: 20 });
  const old = sampleLease({ uid: 2, since: 10 });
  const first = sampleLease({ uid: 1, since: 30 });
  const client = {
    async *list() {
      yield* [young, old, first];
    },
  };
  assert.deepEqual(await listLeases(client), [first, old, young]);
});
