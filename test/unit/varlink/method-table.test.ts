import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import { MethodTable } from '../../../src/varlink/method-table.ts';

const INFO = { vendor: 'V', product: 'P', version: '1', url: 'https://example.org/' };
const DESCRIPTION =
  'interface org.example.a\nmethod Served() -> ()\nmethod Planned() -> ()\nerror Broken(how: string)\n';

function tableOf(...methods: string[]): MethodTable<unknown> {
  return new MethodTable(INFO, [
    { description: DESCRIPTION, methods: Object.fromEntries(methods.map(name => [name, () => ({})])) },
  ]);
}

function errorFor(method: string): unknown {
  const found = tableOf('Served').find(method);
  return found instanceof VarlinkError ? [found.error, found.parameters] : undefined;
}

test('finds what is served', () => {
  assert.equal(errorFor('org.example.a.Served'), undefined);
  assert.equal(errorFor('org.varlink.service.GetInfo'), undefined);
});

const SERVICE = 'org.varlink.service';
const MISSES: readonly (readonly [method: string, error: string, parameters: object])[] = [
  ['org.example.a.Missing', `${SERVICE}.MethodNotFound`, { method: 'org.example.a.Missing' }],
  ['org.example.a.constructor', `${SERVICE}.MethodNotFound`, { method: 'org.example.a.constructor' }],
  ['org.example.a.Planned', `${SERVICE}.MethodNotImplemented`, { method: 'org.example.a.Planned' }],
  ['org.example.b.Served', `${SERVICE}.InterfaceNotFound`, { interface: 'org.example.b' }],
  ['Served', `${SERVICE}.MethodNotFound`, { method: 'Served' }],
  ['', `${SERVICE}.MethodNotFound`, { method: '' }],
  ['.Served', `${SERVICE}.InterfaceNotFound`, { interface: '' }],
  ['org.example.a.', `${SERVICE}.MethodNotFound`, { method: 'org.example.a.' }],
];

for (const [method, error, parameters] of MISSES) {
  test(`says why there is no "${method}"`, () => assert.deepEqual(errorFor(method), [error, parameters]));
}

test('refuses handlers without a method, and an interface twice', () => {
  assert.throws(() => tableOf('Undeclared'), /does not declare the method Undeclared/);
  const implementation = { description: DESCRIPTION, methods: {} };
  assert.throws(() => new MethodTable(INFO, [implementation, implementation]), /implemented twice/);
});

test('writes errors that are declared, as they are declared, and no others', () => {
  const table = tableOf();
  assert.equal(table.encodeError(new VarlinkError('org.example.a.Broken', { how: 'so' })), '{"how":"so"}');
  assert.equal(table.encodeError(new VarlinkError(`${SERVICE}.ExpectedMore`)), '{}');
  assert.throws(() => table.encodeError(new VarlinkError('org.example.a.Other')), /no interface declares/);
  assert.throws(() => table.encodeError(new VarlinkError('org.example.a.Broken', {})), /how: not a string/);
});
