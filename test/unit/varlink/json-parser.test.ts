import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonError, parseJson } from '../../../src/varlink/json-parser.ts';

function parse(text: string) {
  return parseJson(Buffer.from(text));
}

const ACCEPTED: readonly (readonly [text: string, value: unknown])[] = [
  ['null', null],
  [' \t\r\n[ 1 , true , false , null ] ', [1, true, false, null]],
  ['{}', {}],
  ['{"a":{"b":[]},"":"x"}', { a: { b: [] }, '': 'x' }],
  ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
  ['"\\u0041\\u00e9\\ud83d\\ude00 é😀"', 'Aé😀 é😀'],
  ['"\u007f\u2028"', '\u007f\u2028'],
  ['-0.5e-3', -0.0005],
  ['1.0', 1],
  ['1E+2', 100],
  ['9007199254740991', 9007199254740991],
  ['9007199254740993', 9007199254740993n],
  ['-9223372036854775808', -9223372036854775808n],
  ['18446744073709551615', 18446744073709551615n],
  // Beyond 64 bits there is nothing exact to keep, as in systemd's parser.
  ['18446744073709551616', 18446744073709552000],
  ['123456789012345678901234567890', 1.2345678901234568e29],
];

for (const [text, value] of ACCEPTED) {
  test(`reads ${text}`, () => assert.deepEqual(parse(text).value, value));
}

/** As JSON.stringify() writes them; a space behind them has them read by the parser itself. */
const CANONICAL: readonly string[] = [
  ...ACCEPTED.map(([text]) => text),
  '{"a":1,"a":1}',
  '{"__proto__":{"b":1}}',
  '{"2":1,"1":2}',
  '{"toString":1}',
  ...['-0', '[-0]', '1e+21', '5e-324', '9007199254740992', '[-9007199254740992]', '{"a":10000000000000000}'],
  '"\\ud83d"',
  `${'['.repeat(64)}${']'.repeat(64)}`,
  `[${'[],'.repeat(80)}[]]`,
];

for (const text of CANONICAL) {
  test(`reads the same in ${text} with a space behind it`, () => {
    const read = (from: string) => {
      try {
        return parse(from);
      } catch (error) {
        return error instanceof JsonError;
      }
    };
    assert.deepEqual(read(text), read(`${text} `));
  });
}

const REFUSED: readonly string[] = [
  '',
  ' ',
  '{',
  '[',
  '"',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{a:1}',
  "{'a':1}",
  '[1,]',
  '[,1]',
  '[1 2]',
  '{"a":1 "b":2}',
  '1 1',
  '{}}',
  'nul',
  'nulll',
  'True',
  'NaN',
  'Infinity',
  '-',
  '+1',
  '01',
  '1.',
  '.5',
  '1e',
  '0x10',
  '1e400',
  '-1e400',
  '"\t"',
  '"\n"',
  '"\u0000"',
  '"\\u0000"',
  '"\\x41"',
  '"\\u12g4"',
  '"\\u12',
  '"\\ud800"',
  '"\\ud800x"',
  '"\\ud800\\u0041"',
  '"\\udc00"',
  '"\\udc00\\ud800"',
  '\ufeff{}',
  '/**/1',
  '\u00a01',
];

for (const text of REFUSED) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parse(text), JsonError));
}

const NOT_UTF8 = {
  'a stray continuation byte': [0x80],
  'an overlong slash': [0xc0, 0xaf],
  'a surrogate': [0xed, 0xa0, 0x80],
  'more than U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'a truncated sequence': [0xe2, 0x82],
};

for (const [what, bytes] of Object.entries(NOT_UTF8)) {
  test(`refuses ${what} in place of UTF-8`, () => {
    assert.throws(() => parseJson(Buffer.from([0x22, ...bytes, 0x22])), /not UTF-8/);
  });
}

test('nests 64 deep and no deeper', () => {
  assert.doesNotThrow(() => parse('['.repeat(64) + ']'.repeat(64)));
  assert.throws(() => parse('['.repeat(65) + ']'.repeat(65)), /nested more than 64 deep/);
  assert.throws(() => parse(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`), /nested more than 64 deep/);
  assert.throws(() => parse('['.repeat(1_000_000)), /nested more than 64 deep/);
  assert.doesNotThrow(() => parse(`[${'[],'.repeat(1_000)}[]]`), 'brothers do not add up');
});

test('says which key is there twice, and keeps on reading', () => {
  assert.deepEqual(parse('{"a":1,"b":2}'), { value: { a: 1, b: 2 } });
  assert.deepEqual(parse('{"a":1,"a":2,"b":3}'), { value: { a: 2, b: 3 }, duplicate: ['a'] });
  assert.deepEqual(parse('{"p":{"x":[{"k":1,"k":1}]},"m":1}').duplicate, ['p', 'x', 'k']);
  assert.deepEqual(parse('{"p":{"k":1,"k":1},"p":1}').duplicate, ['p', 'k'], 'the first is told');
  assert.deepEqual(parse('{"a":1,"\\u0061":2}').duplicate, ['a'], 'however it is written');
});

test('a key that names a prototype is a key like any other', () => {
  const { value } = parse('{"__proto__":{"uid":0},"constructor":1}');
  assert.ok(typeof value === 'object' && value !== null);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor']);
  assert.equal(Reflect.get(value, 'uid'), undefined);
  assert.deepEqual(parse('{"__proto__":1,"__proto__":2}').duplicate, ['__proto__']);
  assert.equal(parse('{"toString":1}').duplicate, undefined, 'what an object inherits is not a duplicate');
});
