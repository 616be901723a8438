import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Semaphore } from '../../../src/core/semaphore.ts';

it('a semaphore runs so many jobs at a time, in order, also after one that failed', async () => {
  const semaphore = new Semaphore(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 7 }, (_, index) =>
      semaphore.run(async () => {
        started.push(index);
        most = Math.max(most, ++running);
        await sleep(2);
        running--;
        if (index === 1) {
          throw new Error('one that fails');
        }
        return index;
      }),
    ),
  );
  assert.equal(most, 2);
  assert.deepEqual(started, [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(
    results.map(result => (result.status === 'fulfilled' ? result.value : 'failed')),
    [0, 'failed', 2, 3, 4, 5, 6],
  );
  assert.equal(await semaphore.run(async () => 'later'), 'later');
});
