/** The changes that `npm run test:mutants` makes. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { apply, sitesOf } from '../../mutants/sites.ts';

const changed = (text: string): string[] => sitesOf(text).map(site => apply(text, site));

it('operators, numbers and booleans become others', () => {
  assert.deepEqual(changed('export const f = (a, b) => a <= b && true;'), [
    'export const f = (a, b) => a < b && true;',
    'export const f = (a, b) => a <= b || true;',
    'export const f = (a, b) => a <= b && false;',
  ]);
  assert.deepEqual(changed('x = 0 + y;'), [';', 'x = 1 + y;', 'x = 0 - y;']);
});

it('conditions are negated, and statements removed', () => {
  assert.deepEqual(changed('if (ready) { start(); }'), ['if (!(ready)) { start(); }', 'if (ready) { ; }']);
  assert.deepEqual(changed('const x = a ? b : c;'), ['const x = !(a) ? b : c;']);
  assert.deepEqual(changed('throw new Error(text);'), [';']);
});

it('begin to matter where the expression begins whose outcome they change', () => {
  const text = 'export const f = (a, b) => a() && b === 1;';
  const matters = sitesOf(text).map(({ start, from }) => [text.slice(start, start + 3), text.slice(from)]);
  assert.deepEqual(matters, [
    ['&& ', 'a() && b === 1;'],
    ['===', 'b === 1;'],
    ['1;', '1;'],
  ]);
});

it('imports, super(), the joining of texts and the helpers of the compiler stay', () => {
  assert.deepEqual(changed("import { a } from './a.js';\nexport { a };"), []);
  assert.deepEqual(changed("class A extends B { constructor() { super(); } }\nconst t = 'a' + b;"), []);
  assert.deepEqual(changed('var __dispose = function (a) { if (a) a(); };'), []);
  const scope =
    'const env_1 = { stack: [], error: void 0, hasError: false };\nenv_1.hasError = true;\nenv_1.error = e;';
  assert.deepEqual(changed(scope), []);
  assert.deepEqual(changed('const x = __addDisposableResource(env_1, open(), false);'), []);
});
