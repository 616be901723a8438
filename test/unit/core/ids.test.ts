import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asGid, asLeaseId, asPid, asUid, LEASE_ID_BYTES, leaseIdOf } from '../../../src/core/ids.ts';

test('a UID or a GID is an integer up to the last one that somebody can have', () => {
  for (const parse of [asUid, asGid]) {
    for (const value of [0, 1, 65_535, 4_294_967_294]) {
      assert.equal(parse(value), value);
    }
    for (const value of [-1, 0.5, 4_294_967_295, 4_294_967_296, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.equal(parse(value), undefined, String(value));
    }
  }
});

test('a process id is an integer from 1 to the greatest that a kernel gives', () => {
  for (const value of [1, 4711, 4_194_304]) {
    assert.equal(asPid(value), value);
  }
  for (const value of [0, -1, 1.5, 4_194_305, Number.NaN]) {
    assert.equal(asPid(value), undefined, String(value));
  }
});

test('the id of a lease is 32 hexadecimal digits in lower case', () => {
  const id = '0123456789abcdef0123456789abcdef';
  assert.equal(asLeaseId(id), id);
  assert.equal(leaseIdOf(Buffer.from(id, 'hex')), id);
  assert.equal(LEASE_ID_BYTES * 2, id.length);
  for (const text of ['', id.slice(1), `${id}0`, id.toUpperCase(), `${id.slice(1)}g`, ` ${id.slice(1)}`, `${id}\n`]) {
    assert.equal(asLeaseId(text), undefined, text);
  }
});
