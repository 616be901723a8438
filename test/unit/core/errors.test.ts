import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynuserError, errorParameters, firstFailure, reasonOf, wireCodeOf } from '../../../src/core/errors.ts';

test('a code of the interface is told as it is, one of the log alone as the nearest that a caller can act on', () => {
  assert.equal(wireCodeOf('NoSuchLease'), 'NoSuchLease');
  assert.equal(wireCodeOf('HostFailed'), 'ProbeFailed');
  assert.equal(wireCodeOf('InvalidConfiguration'), 'InvalidConfiguration');
});

test('an error reply has exactly the fields that the interface declares for its code', () => {
  const parameters = (code: 'InvalidName' | 'RangeExhausted', detail = {}) =>
    errorParameters(new DynuserError(code, 'why', detail));
  assert.deepEqual(parameters('InvalidName', { field: 'unit', held: 3 }), { field: 'unit', reason: 'why' });
  assert.deepEqual(parameters('InvalidName'), { field: '', reason: 'why' });
  assert.deepEqual(parameters('RangeExhausted', { field: 'unit', held: 3 }), { held: 3, reason: 'why' });
  assert.deepEqual(parameters('RangeExhausted'), { held: 0, reason: 'why' });
});

test('an error has its code, its reason, what it is about and what it comes from', () => {
  const cause = new Error('cause');
  const error = new DynuserError('InvalidName', 'why', { field: 'unit' }, cause);
  assert.deepEqual(
    [error.name, error.code, error.message, error.detail, error.cause],
    ['DynuserError', 'InvalidName', 'why', { field: 'unit' }, cause],
  );
  const plain = new DynuserError('InvalidName', 'why');
  assert.deepEqual([plain.detail, 'cause' in plain], [{}, false]);
});

test('whatever is thrown has words', () => {
  assert.equal(reasonOf(new TypeError('bug')), 'bug');
  assert.equal(reasonOf('text'), 'text');
  assert.equal(reasonOf(undefined), 'undefined');
});

test('what failed first counts, however many could not be let go of after it', () => {
  const first = new Error('first');
  const suppressed = (inner: unknown): Error =>
    Object.assign(new Error('later'), { name: 'SuppressedError', suppressed: inner, error: new Error('dispose') });
  assert.equal(firstFailure(first), first);
  assert.equal(firstFailure(suppressed(first)), first);
  assert.equal(firstFailure(suppressed(suppressed(first))), first);
  assert.equal(firstFailure(suppressed('text')), 'text');
  const other = Object.assign(new Error('other'), { suppressed: first });
  assert.equal(firstFailure(other), other);
  const bare = Object.assign(new Error('bare'), { name: 'SuppressedError' });
  assert.equal(firstFailure(bare), bare);
});
