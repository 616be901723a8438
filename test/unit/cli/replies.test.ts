import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkExplainReply,
  checkListReply,
  checkReleaseReply,
  checkServiceInfo,
  checkWatchReply,
} from '../../../src/cli/replies.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { sampleLease } from './sample.ts';

const remains = 'process 7 (sleep) runs with it';
const lease: JsonObject = { ...sampleLease({ ending: true, remains, missing: ['PrivateTmp='] }) };
const OPTIONAL = ['pid', 'ending', 'remains', 'missing'];

test('leases come one by one, all together, or not at all', () => {
  assert.deepEqual(checkListReply({ lease }), [lease]);
  assert.deepEqual(checkListReply({ leases: [lease, lease], lease: null }), [lease, lease]);
  assert.deepEqual(checkListReply({}), []);
});

test('unknown fields of a newer daemon are left out', () => {
  assert.deepEqual(checkListReply({ lease: { ...lease, colour: 'red' } }), [lease]);
});

test('every field of a lease is checked', () => {
  for (const field of Object.keys(lease)) {
    for (const wrong of [{}, 1.5, [1]]) {
      const message = new RegExp(`'${field}' is not `);
      assert.throws(() => checkListReply({ lease: { ...lease, [field]: wrong } }), { name: 'CommandFailure', message });
    }
    const { [field]: _, ...without } = lease;
    const incomplete = { lease: without };
    if (OPTIONAL.includes(field)) {
      assert.deepEqual(checkListReply(incomplete), [without]);
      assert.deepEqual(checkListReply({ lease: { ...without, [field]: null } }), [without]);
    } else {
      assert.throws(() => checkListReply(incomplete), { name: 'CommandFailure' });
    }
  }
  assert.throws(() => checkListReply({ lease: { ...lease, lifetime: 'ever' } }), /'lifetime' is not one of/);
  assert.throws(() => checkListReply({ lease: { ...lease, since: 2n ** 60n } }), /'since' is not an integer/);
  assert.throws(() => checkListReply({ leases: [1] }), /'leases' is not a list of objects/);
  assert.throws(() => checkListReply({ lease: [] }), /'lease' is not an object/);
});

test('events, with and without a lease', () => {
  assert.deepEqual(checkWatchReply({ event: 'released', lease }), { event: 'released', lease });
  assert.deepEqual(checkWatchReply({ event: 'ready', lease: null }), { event: 'ready' });
  assert.throws(() => checkWatchReply({ event: 'exploded' }), /'event' is not one of/);
});

test('the answers of Explain, Release and GetInfo', () => {
  const candidates = [{ uid: 1, origin: 'owner', free: true, finding: 'free' }];
  const handover = { kind: 'state', publicPath: '/a', handover: 'chown', inodes: 2, changes: 1, counted: 'some' };
  const explained = {
    userName: 'a',
    nameOrigin: 'o',
    outcome: 'conflict',
    reason: 'r',
    candidates,
    handovers: [handover],
  };
  assert.deepEqual(checkExplainReply({ ...explained, uid: null }), explained);
  assert.deepEqual(checkExplainReply({ ...explained, uid: 5, gid: 6 }), { ...explained, uid: 5, gid: 6 });
  assert.throws(() => checkExplainReply({ ...explained, candidates: [{}] }), /'uid' is not an integer/);

  assert.throws(() => checkExplainReply({ ...explained, handovers: null }), /'handovers' is not a list/);
  assert.deepEqual(checkExplainReply({ ...explained, handovers: [{ ...handover, owner: 7 }] }).handovers, [
    { ...handover, owner: 7 },
  ]);
  for (const field of Object.keys(handover)) {
    const wrong = { ...explained, handovers: [{ ...handover, [field]: {} }] };
    assert.throws(() => checkExplainReply(wrong), new RegExp(`'${field}' is not `));
  }

  assert.deepEqual(checkReleaseReply({}), {});
  assert.deepEqual(checkReleaseReply({ remains: null }), {});
  assert.deepEqual(checkReleaseReply({ remains: 'a' }), { remains: 'a' });
  assert.throws(() => checkReleaseReply({ remains: 1 }), /'remains' is not a string/);

  const info = { vendor: 'v', product: 'p', version: '1' };
  assert.deepEqual(checkServiceInfo({ ...info, url: 'u', interfaces: [] }), info);
  assert.throws(() => checkServiceInfo({ vendor: 'v' }), /'product' is not a string/);
});
