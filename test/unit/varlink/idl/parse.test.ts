import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CHECKOUT } from '../../../../src/tooling/checkout.ts';
import { IdlError, parseInterface } from '../../../../src/varlink/idl/parse.ts';

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
  ['interface a.b\nmethod', /line 2, column 7: expected a member name.*found the end/],
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

test('a remark behind a word is not documentation of what follows', () => {
  const idl = parseInterface(
    'interface a.b # of the whole\ntype T (a: int, # of a\n# of b\nb: int) # of T\nmethod M()->()',
  );
  assert.deepEqual(idl.methods.get('M')?.documentation, []);
  assert.deepEqual(idl.types.get('T')?.documentation, []);
  const { type } = idl.types.get('T') ?? {};
  assert.ok(type?.kind === 'struct');
  assert.deepEqual(
    [...type.fields.values()].map(({ name, documentation }) => [name, documentation]),
    [
      ['a', []],
      ['b', ['of b']],
    ],
  );
});

test('types nest 64 deep and no deeper', () => {
  for (const around of ['[]', '[string]', '?[]', '[]?']) {
    const nested = (depth: number) => {
      const signs = around.repeat(depth).match(/\[\w*\]|\?/g) ?? [];
      return `interface a.b\ntype T (a: ${signs.slice(0, depth - 1).join('')}int)`;
    };
    assert.doesNotThrow(() => parseInterface(nested(64)), around);
    assert.throws(() => parseInterface(nested(65)), /nested more than 64 deep/, around);
  }
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
