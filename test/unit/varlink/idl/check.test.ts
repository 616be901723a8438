import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkStruct, Mismatch } from '../../../../src/varlink/idl/check.ts';
import { parseInterface } from '../../../../src/varlink/idl/parse.ts';
import type { Json, JsonObject } from '../../../../src/varlink/json.ts';
import { parseJson } from '../../../../src/varlink/json-parser.ts';

/** Checks {"v": value} against (v: type). */
function check(type: string, text: string): JsonObject | Mismatch {
  const idl = parseInterface(
    `interface a.b\ntype Colour (red, green)\ntype Tree (children: []Tree, colour: ?Colour)\nmethod M(v: ${type}) -> ()`,
  );
  const parameters = idl.methods.get('M')?.parameters;
  const value = parseJson(Buffer.from(text)).value;
  assert.ok(parameters !== undefined && typeof value === 'object' && value !== null && !Array.isArray(value));
  return checkStruct(idl, parameters, value as JsonObject);
}

const FITS: readonly (readonly [type: string, value: string, checked?: Json])[] = [
  ['bool', 'true'],
  ['int', '5'],
  ['int', '5.0', 5],
  ['int', '-9007199254740991'],
  ['float', '1'],
  ['float', '1.5'],
  ['float', '9007199254740993', 9007199254740992],
  ['string', '""'],
  ['object', '{"any":[1,{"thing":null}]}'],
  ['any', '{"any":[1,{"thing":null}]}'],
  ['any', '1.5'],
  ['any', '"text"'],
  ['[string]any', '{"a":true,"b":[]}'],
  ['object', '{"n":18446744073709551615}', { n: 18446744073709551615n }],
  ['Colour', '"red"'],
  ['(a, b)', '"b"'],
  ['[]int', '[1,2]'],
  ['[]?int', '[1,null]'],
  ['[string]int', '{"x":1,"__proto__":2}'],
  ['[string]()', '{"one":{}}'],
  ['Tree', '{"children":[{"children":[],"colour":"green"}]}'],
  ['Tree', '{"children":[],"colour":null}', { children: [] }],
];

for (const [type, value, checked] of FITS) {
  test(`${value} is ${type}`, () => {
    const expected = checked ?? parseJson(Buffer.from(value)).value;
    assert.deepEqual(check(type, `{"v":${value}}`), { v: expected });
  });
}

const UNFIT: readonly (readonly [type: string, value: string, path?: readonly string[]])[] = [
  ['bool', '1'],
  ['bool', 'null'],
  ['int', '"5"'],
  ['int', '1.5'],
  ['int', '9007199254740992'],
  ['int', '18446744073709551615'],
  ['int', '1e300'],
  ['int', 'true'],
  ['float', '"1"'],
  ['string', '5'],
  ['object', '[]'],
  ['any', 'null'],
  ['object', 'null'],
  ['Colour', '"blue"'],
  ['Colour', '"toString"'],
  ['Colour', '["red"]'],
  ['[]int', '{}'],
  ['[]int', '[1,"2"]'],
  ['[]int', '[null]'],
  ['[string]int', '[]'],
  ['[string]int', '{"x":"1"}'],
  ['Tree', '{}', ['v', 'children']],
  ['Tree', '{"children":[{"children":[],"x":1}]}', ['v', 'children', 'x']],
];

for (const [type, value, path = ['v']] of UNFIT) {
  test(`${value} is not ${type}`, () => {
    const mismatch = check(type, `{"v":${value}}`);
    assert.ok(mismatch instanceof Mismatch);
    assert.deepEqual(mismatch.path, path);
  });
}

test('null for a nullable field is as if it were absent', () => {
  assert.deepEqual(check('?int', '{"v":null}'), {});
  assert.deepEqual(check('?int', '{}'), {});
});

test('what an object inherits is not a field of it', () => {
  const idl = parseInterface('interface a.b\nmethod M(constructor: ?string, toString: ?string) -> ()');
  const parameters = idl.methods.get('M')?.parameters;
  assert.ok(parameters);
  assert.deepEqual(checkStruct(idl, parameters, {}), {});
});

test('an unknown field is named before a wrong one, and that before a missing one', () => {
  const idl = parseInterface('interface a.b\nmethod M(first: int, second: int) -> ()');
  const parameters = idl.methods.get('M')?.parameters;
  assert.ok(parameters);
  const path = (value: JsonObject) => {
    const mismatch = checkStruct(idl, parameters, value);
    return mismatch instanceof Mismatch ? mismatch.path : [];
  };
  assert.deepEqual(path({ second: 'x', third: 1 }), ['third']);
  assert.deepEqual(path({ second: 'x' }), ['second']);
  assert.deepEqual(path({ second: 1 }), ['first']);
});
