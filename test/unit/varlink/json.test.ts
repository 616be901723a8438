import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Json, writeJson } from '../../../src/varlink/json.ts';
import { parseJson } from '../../../src/varlink/json-parser.ts';

test('what is written is read back as it was', () => {
  const value: Json = {
    text: '"\\\n\u007fé😀',
    numbers: [0, -1.5, 1e21, 9007199254740993n, -9223372036854775808n],
    nested: { empty: {}, list: [[], [null, true, false]] },
  };
  assert.deepEqual(parseJson(Buffer.from(writeJson(value))).value, value);
});

test('is exact to the byte', () => {
  assert.equal(
    writeJson({ a: [1, 'x', null], b: { c: 18446744073709551615n } }),
    '{"a":[1,"x",null],"b":{"c":18446744073709551615}}',
  );
});

test('refuses what a strict reader would refuse', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 'a\u0000b', '\ud800', { 'k\u0000': 1 }, [['\udc00']]]) {
    assert.throws(() => writeJson(value), TypeError);
  }
});

test('ends where a value contains itself', () => {
  const loop: Json[] = [];
  loop.push(loop);
  assert.throws(() => writeJson(loop), /nested more than 64 deep/);
});
