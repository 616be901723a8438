/** The errors that a program gets: those of the interface, all of them, and what becomes of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOCATOR_INTERFACE } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { DAEMON_CODES, DynuserError, toDynuserError } from '../../../src/client/errors.ts';
import { ConnectionError, VarlinkError } from '../../../src/varlink/errors.ts';
import { parseInterface } from '../../../src/varlink/idl/parse.ts';

function translate(error: unknown): Pick<DynuserError, 'code' | 'reason' | 'field'> {
  const translated = toDynuserError(error);
  assert.ok(translated instanceof DynuserError);
  const { code, reason, field } = translated;
  return { code, reason, field };
}

test('the codes of the daemon are the errors of the interface', () => {
  assert.deepEqual([...DAEMON_CODES].sort(), [...parseInterface(ALLOCATOR_INTERFACE).errors.keys()].sort());
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
