import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldDirectory } from '../../../src/directories/held-directory.ts';
import { MAPPABLE_MAX, MAPPABLE_TTL_MS } from '../../../src/directories/limits.ts';
import { remembering } from '../../../src/directories/observe/map-support.ts';
import type { TreeHelper } from '../../../src/directories/tree-helper.ts';

const on = (dev: number) => ({ status: async () => ({ dev }) }) as unknown as HeldDirectory;

/** A helper that is asked, in order, for these answers; an Error is thrown. */
function asked(answers: (boolean | Error)[]) {
  const questions: string[] = [];
  const helper = {
    canMap: async (_top: HeldDirectory, field: string) => {
      questions.push(field);
      const answer = answers.shift();
      if (typeof answer === 'boolean') {
        return answer;
      }
      throw answer ?? new Error('asked too often');
    },
  } as unknown as TreeHelper;
  const clock = { now: 0 };
  return { questions, clock, helper: remembering(helper, () => clock.now) };
}

test('a file system is asked once, also by requests at a time, and again when the answer is old', async () => {
  const { questions, clock, helper } = asked([true, false]);
  assert.deepEqual(await Promise.all([helper.canMap(on(1), 'a'), helper.canMap(on(1), 'b')]), [true, true]);
  clock.now = MAPPABLE_TTL_MS - 1;
  assert.equal(await helper.canMap(on(1), 'c'), true);
  clock.now = MAPPABLE_TTL_MS;
  assert.equal(await helper.canMap(on(1), 'd'), false);
  assert.deepEqual(questions, ['a', 'd']);
});

test('each file system has its own answer, and what failed is asked again', async () => {
  const { questions, helper } = asked([true, false, new Error('broken'), true]);
  assert.equal(await helper.canMap(on(1), 'a'), true);
  assert.equal(await helper.canMap(on(2), 'b'), false);
  await assert.rejects(helper.canMap(on(3), 'c'), /broken/);
  assert.equal(await helper.canMap(on(3), 'd'), true);
  assert.deepEqual(questions, ['a', 'b', 'c', 'd']);
});

test('no more is remembered than there may be', async () => {
  const { questions, helper } = asked(Array.from({ length: MAPPABLE_MAX + 2 }, () => true));
  for (let dev = 0; dev <= MAPPABLE_MAX; dev++) {
    await helper.canMap(on(dev), String(dev));
  }
  await helper.canMap(on(0), 'again');
  assert.equal(questions.at(-1), 'again');
});
