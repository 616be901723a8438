import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkAcquireReply,
  checkExplainReply,
  checkListReply,
  checkServiceInfo,
  checkWatchReply,
} from '../../../src/cli/replies.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { sampleLease } from './sample.ts';

const lease: JsonObject = { ...sampleLease() };

test('leases come one by one, all together, or not at all', () => {
  assert.deepEqual(checkListReply({ lease }), [sampleLease()]);
  assert.deepEqual(checkListReply({ leases: [lease, lease], lease: null }), [sampleLease(), sampleLease()]);
  assert.deepEqual(checkListReply({}), []);
});

test('unknown fields of a newer daemon are left out', () => {
  assert.deepEqual(checkListReply({ lease: { ...lease, colour: 'red' } }), [sampleLease()]);
});

test('every field of a lease is checked', () => {
  for (const field of Object.keys(lease)) {
    for (const wrong of [{}, 1.5, [1]]) {
      const message = new RegExp(`'${field}' is not `);
      assert.throws(() => checkListReply({ lease: { ...lease, [field]: wrong } }), { name: 'CommandFailure', message });
    }
    const { [field]: _, ...without } = lease;
    assert.throws(() => checkListReply({ lease: without }), { name: 'CommandFailure' });
  }
  assert.throws(() => checkListReply({ lease: { ...lease, lifetime: 'ever' } }), /'lifetime' is not one of/);
  assert.throws(() => checkListReply({ lease: { ...lease, since: 2n ** 60n } }), /'since' is not an integer/);
  assert.throws(() => checkListReply({ leases: [1] }), /'leases' is not a list of objects/);
  assert.throws(() => checkListReply({ lease: [] }), /'lease' is not an object/);
});

test('events, with and without a lease', () => {
  assert.deepEqual(checkWatchReply({ event: 'released', lease }), { event: 'released', lease: sampleLease() });
  assert.deepEqual(checkWatchReply({ event: 'ready', lease: null }), { event: 'ready' });
  assert.throws(() => checkWatchReply({ event: 'exploded' }), /'event' is not one of/);
});

test('the answers of Acquire, Explain and GetInfo', () => {
  const acquired = { uid: 1, gid: 1, userName: 'a', unit: 'a.service', dynamic: true, lease: 'f'.repeat(32) };
  assert.deepEqual(checkAcquireReply({ ...acquired, more: 1 }), acquired);
  assert.throws(() => checkAcquireReply({ ...acquired, uid: '1' }), /'uid' is not an integer/);
  assert.throws(() => checkAcquireReply({ ...acquired, lease: '\x1b[2J' }), /'lease' is not an id of 32 hexadecimal/);

  const candidates = [{ uid: 1, origin: 'owner', free: true, finding: 'free' }];
  const explained = { userName: 'a', nameOrigin: 'o', outcome: 'conflict', reason: 'r', candidates };
  assert.deepEqual(checkExplainReply({ ...explained, uid: null }), explained);
  assert.deepEqual(checkExplainReply({ ...explained, uid: 5, gid: 6 }), { ...explained, uid: 5, gid: 6 });
  assert.throws(() => checkExplainReply({ ...explained, candidates: [{}] }), /'uid' is not an integer/);

  const info = { vendor: 'v', product: 'p', version: '1' };
  assert.deepEqual(checkServiceInfo({ ...info, url: 'u', interfaces: [] }), info);
  assert.throws(() => checkServiceInfo({ vendor: 'v' }), /'product' is not a string/);
});
