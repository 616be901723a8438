import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { acquireOptionTypes, apiModule, wireNames } from '../../../src/tooling/api-module.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { GENERATED, generatedFiles } from '../../../src/tooling/generate-api.ts';
import { parseInterface } from '../../../src/varlink/idl/parse.ts';

test('the generated files are what src/api/interfaces and src/core say, and nothing besides', () => {
  const files = generatedFiles();
  const modules = [...files.keys()].filter(path => path.startsWith(`${GENERATED}/`));
  assert.deepEqual(
    readdirSync(CHECKOUT + GENERATED)
      .map(name => `${GENERATED}/${name}`)
      .sort(),
    modules.sort(),
  );
  for (const [path, text] of files) {
    assert.equal(readFileSync(CHECKOUT + path, 'utf8'), text, `${path}: run "npm run generate -- --headers"`);
  }
});

test('a new error, enum or option needs nothing but its line in the interface', () => {
  const idl = parseInterface(
    'interface a.b\ntype NewKind (one, two)\nerror Novel(field: string, reason: string)\nmethod Acquire(unit: string, flag: ?bool, kind: ?NewKind, names: ?[]string, count: ?int) -> ()\n',
  );
  const names = wireNames('x.varlink', idl);
  assert.match(names, /^ {2}Novel: \['field', 'reason'\],$/m);
  assert.match(names, /^export const NEW_KINDS = \['one', 'two'\] as const;\nexport type NewKind = /m);
  assert.match(
    acquireOptionTypes('x.varlink', idl),
    /\{\n {2}flag: 'b',\n {2}kind: 's',\n {2}names: 'as',\n {2}count: 'u',\n\}/,
  );
  const odd = parseInterface('interface a.b\nmethod Acquire(numbers: ?[]int) -> ()\n');
  assert.throws(() => acquireOptionTypes('x.varlink', odd), /numbers: its type has no D-Bus type here/);
});

test('each construct of the language has its type', () => {
  const { name, module } = apiModule(
    'x.varlink',
    'interface org.example.UserThing\n# All of them.\ntype All (b: bool, i: int, f: ?float, s: []string, n: [](x, y), m: [string]?int, o: object, t: ?All, e: ())\nmethod None() -> ()\n',
  );
  assert.equal(name, 'org-example-user-thing');
  assert.ok(module.includes('export const USER_THING_INTERFACE = `interface org.example.UserThing\n'));
  assert.ok(module.includes("import type { JsonObject } from '../../varlink/json.ts';\n"));
  assert.equal(
    module.slice(module.indexOf('/** All of them. */')),
    `/** All of them. */
export type All = {
  readonly b: boolean;
  readonly i: number;
  readonly f?: number;
  readonly s: readonly string[];
  readonly n: readonly ('x' | 'y')[];
  readonly m: { readonly [key: string]: number | null };
  readonly o: JsonObject;
  readonly t?: All;
  readonly e: { readonly [key: string]: never };
};
`,
  );
});

test('the text is kept to the letter', async () => {
  const text = `interface a.b\n# \`tick\` $${'{dollar}'} back\\slash */ end\ntype E (a: int)\n`;
  const { module } = apiModule('x.varlink', text);
  const javascript = module.slice(module.indexOf('export const'), module.indexOf('/** `tick`'));
  const loaded: { readonly B_INTERFACE?: unknown } = await import(
    `data:text/javascript,${encodeURIComponent(javascript)}`
  );
  assert.equal(loaded.B_INTERFACE, text);
  assert.ok(module.includes('back\\slash *\\/ end */\n'), 'a comment does not end early');
});

test('two members that would be the same type are refused', () => {
  assert.throws(
    () => apiModule('x.varlink', 'interface a.b\nmethod M() -> (a: int)\ntype MReply (a: int)\n'),
    /two members would both be the type MReply/,
  );
});
