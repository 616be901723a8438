import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynuserError, errorParameters, wireCodeOf } from '../../../src/core/errors.ts';

test('a code of the interface is told as it is, one of the log alone as the nearest that a caller can act on', () => {
  assert.equal(wireCodeOf('NoSuchLease'), 'NoSuchLease');
  assert.equal(wireCodeOf('HostFailed'), 'ProbeFailed');
  assert.equal(wireCodeOf('InvalidConfiguration'), 'ProbeFailed');
});

test('an error reply has exactly the fields that the interface declares for its code', () => {
  const parameters = (code: 'InvalidName' | 'RangeExhausted', detail = {}) =>
    errorParameters(new DynuserError(code, 'why', detail));
  assert.deepEqual(parameters('InvalidName', { field: 'unit', held: 3 }), { field: 'unit', reason: 'why' });
  assert.deepEqual(parameters('InvalidName'), { field: '', reason: 'why' });
  assert.deepEqual(parameters('RangeExhausted', { field: 'unit', held: 3 }), { held: 3, reason: 'why' });
  assert.deepEqual(parameters('RangeExhausted'), { held: 0, reason: 'why' });
});
