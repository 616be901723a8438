import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeStruct } from '../../../../src/varlink/idl/encode.ts';
import { parseInterface } from '../../../../src/varlink/idl/parse.ts';
import type { Json, JsonObject } from '../../../../src/varlink/json.ts';
import { parseJson } from '../../../../src/varlink/json-parser.ts';
import { JSON_DEPTH_MAX } from '../../../../src/varlink/limits.ts';
import { writeReply } from '../../../../src/varlink/message.ts';

function encode(fields: string, value: JsonObject): string {
  const idl = parseInterface(`interface a.b\ntype Tree (children: []Tree)\nmethod M(${fields}) -> ()`);
  const parameters = idl.methods.get('M')?.parameters;
  assert.ok(parameters);
  return encodeStruct(idl, parameters, value);
}

const FITS: readonly (readonly [type: string, value: Json, text: string])[] = [
  ['bool', false, 'false'],
  ['int', 1, '1'],
  ['int', -9223372036854775808n, '-9223372036854775808'],
  ['int', 18446744073709551615n, '18446744073709551615'],
  ['float', 1, '1.0'],
  ['float', -0.25, '-0.25'],
  ['float', 1e21, '1e+21'],
  ['string', 'é"\n', '"é\\"\\n"'],
  ['any', [1, 'a', { b: false }], '[1,"a",{"b":false}]'],
  ['any', 0.5, '0.5'],
  ['object', { float: 1, n: 9007199254740993n }, '{"float":1,"n":9007199254740993}'],
  ['(red, green)', 'red', '"red"'],
  ['[]float', [1, 2.5], '[1.0,2.5]'],
  ['[]?int', [1, null], '[1,null]'],
  ['[string](n: float)', { x: { n: 3 } }, '{"x":{"n":3.0}}'],
  ['Tree', { children: [{ children: [] }] }, '{"children":[{"children":[]}]}'],
];

for (const [type, value, text] of FITS) {
  test(`${type} is sent as ${text}`, () => assert.equal(encode(`v: ${type}`, { v: value }), `{"v":${text}}`));
}

test('fields come in the order of the definition, and what is null is left out', () => {
  assert.equal(encode('a: int, b: ?int, c: ?int, d: int', { d: 4, c: null, a: 1 }), '{"a":1,"d":4}');
});

const FORBIDDEN: readonly (readonly [type: string, value: Json])[] = [
  ['bool', 1],
  ['int', 1.5],
  ['int', '1'],
  ['int', 2 ** 53],
  ['int', 18446744073709551616n],
  ['int', Number.NaN],
  ['float', Number.POSITIVE_INFINITY],
  ['float', 1n],
  ['string', 'a\u0000'],
  ['string', '\ud800'],
  ['object', []],
  ['any', null],
  ['(red, green)', 'blue'],
  ['[]int', {}],
  ['[string]int', []],
  ['[string]int', { '\u0000': 1 }],
  ['Tree', {}],
];

for (const [type, value] of FORBIDDEN) {
  test(`never sends another value as ${type}: ${String(value)}`, () => {
    assert.throws(() => encode(`v: ${type}`, { v: value }), TypeError);
  });
}

test('says which field is wrong', () => {
  assert.throws(() => encode('a: (b: []int)', { a: { b: [1, 'x'] } }), /a: b: not an integer/);
  assert.throws(() => encode('a: int', { a: 1, z: 1 }), /z is not declared/);
  assert.throws(() => encode('a: int', {}), /a: not an integer/);
});

test('ends where a value contains itself', () => {
  const children: Json[] = [];
  const tree = { children };
  children.push(tree);
  assert.throws(() => encode('v: Tree', { v: tree }), /nested more than 64 deep/);
});

test('a message nests as deep as its reader takes, and is never sent if it nests deeper', () => {
  const repeated = (count: number, before: string, inner: string, after: string) =>
    before.repeat(count) + inner + after.repeat(count);
  const shapes: readonly (readonly [type: string, value: (levels: number) => string, inArrays: boolean])[] = [
    ['Deep', levels => repeated(levels - 1, '{"d":', '{}', '}'), false],
    ['object', levels => repeated(levels - 1, '{"d":', '{}', '}'), false],
    ['Lists', levels => repeated(levels / 2, '{"l":[', '', ']}'), true],
    ['Maps', levels => repeated(levels / 2 - 1, '{"m":{"k":', '{"m":{}}', '}}'), true],
  ];
  for (const [type, textOf, isEven] of shapes) {
    const idl = parseInterface(
      `interface a.b\ntype Deep (d: ?Deep)\ntype Lists (l: []Lists)\ntype Maps (m: [string]Maps)\nmethod M(v: ${type}) -> ()`,
    );
    const parameters = idl.methods.get('M')?.parameters ?? assert.fail();
    const write = (levels: number) => {
      const v = JSON.parse(textOf(levels));
      return writeReply(encodeStruct(idl, parameters, { v }), false);
    };
    // The message and its parameters are two levels more.
    const deepest = JSON_DEPTH_MAX - 2;
    const message = write(deepest);
    assert.doesNotThrow(() => parseJson(Buffer.from(message.slice(0, -1))), type);
    assert.throws(() => write(deepest + (isEven ? 2 : 1)), { name: 'TypeError', message: /nested more than 64 deep$/ });
  }
});
