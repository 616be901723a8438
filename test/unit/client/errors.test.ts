/** The errors that a program gets: those of the interface, all of them, and what becomes of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOCATOR_INTERFACE } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { DynuserError, toDynuserError } from '../../../src/client/errors.ts';
import { ConnectionError, VarlinkError } from '../../../src/varlink/errors.ts';
import { parseInterface } from '../../../src/varlink/idl/parse.ts';

function translate(error: unknown): Pick<DynuserError, 'code' | 'reason' | 'field'> {
  const translated = toDynuserError(error);
  assert.ok(translated instanceof DynuserError);
  const { code, reason, field } = translated;
  return { code, reason, field };
}

test('each error of the interface is a code of the package, with what it says', () => {
  const { name, errors } = parseInterface(ALLOCATOR_INTERFACE);
  assert.ok(errors.size > 8);
  for (const error of errors.values()) {
    const parameters = { field: 'unit', held: 7, reason: 'why' };
    const translated = toDynuserError(new VarlinkError(`${name}.${error.name}`, parameters));
    assert.ok(translated instanceof DynuserError);
    const { code, reason, field, held } = translated;
    assert.deepEqual({ code, reason, field, held }, { code: error.name, reason: 'why', field: 'unit', held: 7 });
  }
});

test('what an error reply does not say is not made up', () => {
  const empty = toDynuserError(new VarlinkError('io.dynuser.Allocator.InvalidName', { field: '', held: 'x' }));
  assert.ok(empty instanceof DynuserError);
  assert.equal(empty.field, undefined);
  assert.equal(empty.held, undefined);
  assert.equal(empty.reason, 'the daemon gave no reason');
  assert.equal(translate(new VarlinkError('io.dynuser.Allocator.toString', {})).code, 'UnexpectedReply');
  const parameter = toDynuserError(new VarlinkError('org.varlink.service.InvalidParameter', { parameter: '' }));
  assert.ok(parameter instanceof DynuserError);
  assert.equal(parameter.code, 'UnexpectedReply');
});

test('errors of the varlink library become those of the package, others stay what they are', () => {
  assert.deepEqual(translate(new ConnectionError('gone')), {
    code: 'ConnectionFailed',
    reason: 'gone',
    field: undefined,
  });
  assert.deepEqual(translate(new VarlinkError('org.varlink.service.InvalidParameter', { parameter: 'pid' })), {
    code: 'InvalidParameter',
    reason: 'the daemon does not take the parameter pid, or not with this value',
    field: 'pid',
  });
  assert.equal(
    translate(new VarlinkError('org.varlink.service.MethodNotFound', { method: 'x' })).code,
    'UnexpectedReply',
  );
  assert.equal(translate(new VarlinkError('io.dynuser.Allocator.Novelty', { field: 'a' })).code, 'UnexpectedReply');
  assert.equal(translate(new VarlinkError('io.dynuser.Allocator.InvalidName', {})).code, 'InvalidName');
  const own = new TypeError('unit: not a string');
  assert.equal(toDynuserError(own), own);
});
