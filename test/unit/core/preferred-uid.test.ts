import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preferredUids } from '../../../src/core/candidates.ts';
import { parseUserName } from '../../../src/core/name.ts';
import { DEFAULT_RANGE, parseRange } from '../../../src/core/range.ts';
import { siphash24 } from '../../../src/core/siphash.ts';

const UID_KEY = Buffer.from('37537e31cfce48f58abb39578dd9ec59', 'hex');

// Digests and UIDs that systemd 257 gives these names.
const SYSTEMD = [
  ['a', '4cb7107f5686ea69', 63801],
  ['foo', '6fc84c30acd01dc8', 63016],
  ['waldo', '68db6192617c6bbf', 61647],
  ['wuff', '73b14976d8a9d05e', 61214],
  ['httpd', '9d4f9afde6e5c97f', 63103],
  ['nginx', 'b19a4723d3a73134', 65348],
  ['systemd-timesync', '2aa34852e0a7d4f7', 62583],
  ['rx-basic', '9fdb6c6ede3b9efd', 62109],
  ['dynamic-user-test', 'e6e5d26b846cec12', 64642],
  ['tmpl', '940d15b361e5cee7', 65399],
  ['abcdefghijabcdefghijabcdefghija', 'd1e470dc8d167dec', 61244],
  ['_du10649011993341eb', '571659815f2c2dd0', 64352],
] as const;

const UIDS = [
  ['run-u15750', 63122],
  ['svc42', 63769],
  ['svc87', 63769],
  ['svc71', 62323],
  ['svc128', 62323],
  ['svc65', 62974],
  ['svc139', 62974],
  ['svc6755', 61184],
  ['svc1914', 65519],
] as const;

function uidOf(name: string): number | undefined {
  const parsed = parseUserName(name);
  assert.ok('name' in parsed);
  return [...preferredUids(parsed.name, DEFAULT_RANGE)][0];
}

test('SipHash-2-4 gives the digest of its own paper', () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, index) => index);
  assert.equal(siphash24(bytes, bytes.subarray(0, 15)), 0xa129ca6149be45e5n);
});

test('a key that has not 16 bytes is a mistake of the caller', () => {
  assert.throws(() => siphash24(new Uint8Array(15), new Uint8Array(0)), TypeError);
});

for (const [name, digest, uid] of SYSTEMD) {
  test(`${name} has the digest and the UID that systemd gives it`, () => {
    assert.equal(siphash24(UID_KEY, Buffer.from(name)).toString(16).padStart(16, '0'), digest);
    assert.equal(uidOf(name), uid);
  });
}

for (const [name, uid] of UIDS) {
  test(`${name} prefers ${uid}`, () => assert.equal(uidOf(name), uid));
}

test('another range folds the same hash into its own size', () => {
  const range = parseRange('61184-61186');
  assert.ok(typeof range !== 'string');
  const parsed = parseUserName('foo');
  assert.ok('name' in parsed);
  assert.deepEqual([...preferredUids(parsed.name, range)], [61184 + (0xacd01dc8 % 3)]);
});
