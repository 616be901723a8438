import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { undoLog } from '../../../src/directories/apply/undo.ts';

test('takes steps back in reverse, all of them, and says which could not be', async () => {
  const undo = undoLog();
  const done: number[] = [];
  undo.add(async () => void done.push(1));
  undo.add(async () => {
    throw new Error('rmdir: busy');
  });
  undo.add(async () => void done.push(3));
  const error = new DynuserError('DirectoryFailed', 'no', { field: 'stateDirectory' });
  const thrown = await undo.takeBack(error);
  assert.deepEqual(done, [3, 1]);
  assert.ok(thrown instanceof DynuserError);
  assert.equal(thrown.message, 'no; and not all could be put back: rmdir: busy');
  assert.deepEqual(thrown.detail, { field: 'stateDirectory' });
  assert.equal(await undo.takeBack(error), error, 'and only once');
});
