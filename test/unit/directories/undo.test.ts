import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { undoLog } from '../../../src/directories/apply/undo.ts';
import { slots } from '../../../src/directories/slots.ts';

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

test('lets a bounded number of jobs run, in order, whatever becomes of them', async () => {
  const limit = slots(2);
  let running = 0;
  let most = 0;
  const started: number[] = [];
  const jobs = [0, 1, 2, 3, 4, 5].map(job =>
    limit(async () => {
      started.push(job);
      most = Math.max(most, ++running);
      await new Promise(resolve => setImmediate(resolve));
      running--;
      if (job === 1) {
        throw new Error('failed');
      }
    }),
  );
  const results = await Promise.allSettled(jobs);
  assert.equal(most, 2);
  assert.deepEqual(started, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(
    results.map(({ status }) => status === 'rejected'),
    [false, true, false, false, false, false],
  );
});
