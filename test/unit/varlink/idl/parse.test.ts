import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHECKOUT } from '../../../../src/tooling/checkout.ts';
import { parseInterface } from '../../../../src/varlink/idl/parse.ts';
import { IdlError } from '../../../../src/varlink/idl/scan.ts';

const EXAMPLE = `
# About the whole.
interface org.example-1.more

# A point,
# in two dimensions.
type Point (
  # to the right
  x: float,
  y: float # a remark, no documentation
)

type Colour (red, green)

# This comment stands alone.

method Draw(points: []Point, colours: ?[string]Colour, style: (solid, dashed)) -> (area: object, boxes: [](a: ?int))
method Clear()->()
error NoCanvas(names: []?string)
`;

test('reads members with their types and documentation', () => {
  const idl = parseInterface(EXAMPLE);
  assert.equal(idl.name, 'org.example-1.more');
  assert.deepEqual(idl.documentation, ['About the whole.']);
  assert.deepEqual([...idl.types.keys()], ['Point', 'Colour']);
  assert.deepEqual(idl.types.get('Point')?.documentation, ['A point,', 'in two dimensions.']);
  const point = idl.types.get('Point')?.type;
  assert.ok(point?.kind === 'struct');
  assert.deepEqual(
    [...point.fields.values()],
    [
      { name: 'x', documentation: ['to the right'], type: { kind: 'float' } },
      { name: 'y', documentation: [], type: { kind: 'float' } },
    ],
  );
  assert.deepEqual(idl.types.get('Colour'), {
    name: 'Colour',
    documentation: [],
    type: { kind: 'enum', values: ['red', 'green'] },
  });
  const draw = idl.methods.get('Draw');
  assert.deepEqual(draw?.documentation, []);
  assert.deepEqual(
    [...(draw?.parameters.fields.values() ?? [])].map(field => field.type),
    [
      { kind: 'array', element: { kind: 'named', name: 'Point' } },
      { kind: 'maybe', element: { kind: 'map', element: { kind: 'named', name: 'Colour' } } },
      { kind: 'enum', values: ['solid', 'dashed'] },
    ],
  );
  assert.deepEqual([...(draw?.reply.fields.keys() ?? [])], ['area', 'boxes']);
  assert.equal(idl.methods.get('Clear')?.reply.fields.size, 0);
  assert.deepEqual(idl.errors.get('NoCanvas')?.parameters.fields.get('names')?.type, {
    kind: 'array',
    element: { kind: 'maybe', element: { kind: 'string' } },
  });
});

const WRONG: readonly (readonly [text: string, message: RegExp])[] = [
  ['', /line 1, column 1: expected "interface", found the end/],
  ['interface Example', /column 11: expected an interface name/],
  ['interface a.', /column 12: unexpected "\."|expected an interface name/],
  ['interface a..b', /expected an interface name/],
  ['interface a.b-', /unexpected "-"/],
  ['interface a.b\nmethod m() -> ()', /line 2, column 8: expected a member name/],
  ['interface a.b\nmethod M_x() -> ()', /expected a member name/],
  ['interface a.b\nfunction M() -> ()', /expected "type", "method" or "error", found "function"/],
  ['interface a.b\nmethod M()', /expected "->", found the end/],
  ['interface a.b\nmethod M() -> (', /expected a field name, found the end/],
  ['interface a.b\nmethod M(a) -> ()', /each parameter needs a type/],
  ['interface a.b\nmethod M(a: int, b) -> ()', /expected ":", found "\)"/],
  ['interface a.b\ntype T (a, b: int)', /expected "\)", found ":"/],
  ['interface a.b\ntype T (a: int,)', /expected a field name, found "\)"/],
  ['interface a.b\ntype T (a: int, a: int)', /a is named twice/],
  ['interface a.b\ntype T (a, a)', /a is named twice/],
  ['interface a.b\ntype T (_a: int)', /unexpected "_"/],
  ['interface a.b\ntype T (a__b: int)', /expected a field name/],
  ['interface a.b\ntype T (a: ??int)', /cannot be made nullable again/],
  ['interface a.b\ntype T (a: [int]int)', /expected "string", found "int"/],
  ['interface a.b\ntype T (a: integer)', /expected a type, found "integer"/],
  ['interface a.b\ntype T (a: Missing)', /line 2, column 12: the type Missing is not defined/],
  ['interface a.b\ntype T (a: int)\nerror T ()', /line 3, column 7: T is defined twice/],
  ['interface a.b\ntype T (a: int) ;', /line 2, column 17: unexpected ";"/],
  ['interface a.b\ntype T (a: int)\u0000', /unexpected "\\u0000"/],
];

for (const [text, message] of WRONG) {
  test(`says what is wrong with ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseInterface(text),
      (error: unknown) => error instanceof IdlError && message.test(error.message),
    );
  });
}

test('types nest 64 deep and no deeper', () => {
  const nested = (depth: number) => `interface a.b\ntype T (a: ${'[]'.repeat(depth - 1)}int)`;
  assert.doesNotThrow(() => parseInterface(nested(64)));
  assert.throws(() => parseInterface(nested(65)), /nested more than 64 deep/);
  assert.throws(
    () => parseInterface(`interface a.b\ntype T (a: ${'(a: '.repeat(100_000)}`),
    /nested more than 64 deep/,
  );
});

test('a type may contain itself', () => {
  assert.doesNotThrow(() => parseInterface('interface a.b\ntype Tree (children: []Tree)'));
});

const INTERFACES = `${CHECKOUT}src/api/interfaces/`;
for (const file of readdirSync(INTERFACES)) {
  test(`reads ${file}`, () => {
    assert.equal(`${parseInterface(readFileSync(INTERFACES + file, 'utf8')).name}.varlink`, file);
  });
}
