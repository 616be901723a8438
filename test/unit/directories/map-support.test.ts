import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldDirectory } from '../../../src/directories/held-directory.ts';
import { MAP_SUPPORT_MAX, MAP_SUPPORT_TTL_MS } from '../../../src/directories/limits.ts';
import { MapSupport } from '../../../src/directories/observe/map-support.ts';

/** File systems that are asked, in order, for these answers; an Error is thrown. */
function asked(answers: (boolean | Error)[]) {
  const questions: string[] = [];
  let open = 0;
  const probe = async (directory: HeldDirectory) => {
    questions.push(directory.path);
    const answer = answers.shift();
    if (typeof answer === 'boolean') {
      return answer;
    }
    throw answer ?? new Error('asked too often');
  };
  const clock = { now: 0 };
  const support = new MapSupport(probe, () => clock.now);
  /** @param path of a directory on it */
  const canMap = (device: number, path: string) =>
    support.canMap(String(device), async () => {
      open++;
      return { path, [Symbol.dispose]: () => void open-- } as HeldDirectory;
    });
  return { questions, clock, canMap, isOpen: () => open > 0 };
}

test('a file system is asked once, also by requests at a time, and again when the answer is old', async () => {
  const { questions, clock, canMap, isOpen } = asked([true, false]);
  assert.deepEqual(await Promise.all([canMap(1, 'a'), canMap(1, 'b')]), [true, true]);
  clock.now = MAP_SUPPORT_TTL_MS - 1;
  assert.equal(await canMap(1, 'c'), true);
  clock.now = MAP_SUPPORT_TTL_MS;
  assert.equal(await canMap(1, 'd'), false);
  assert.deepEqual(questions, ['a', 'd']);
  assert.equal(isOpen(), false, 'what was opened for a question is closed');
});

test('each file system has its own answer, and what failed is asked again', async () => {
  const { questions, canMap, isOpen } = asked([true, false, new Error('broken'), true]);
  assert.equal(await canMap(1, 'a'), true);
  assert.equal(await canMap(2, 'b'), false);
  await assert.rejects(canMap(3, 'c'), /broken/);
  assert.equal(isOpen(), false, 'also if it failed');
  assert.equal(await canMap(3, 'd'), true);
  assert.deepEqual(questions, ['a', 'b', 'c', 'd']);
});

test('no more is remembered than there may be', async () => {
  const { questions, canMap } = asked(Array.from({ length: MAP_SUPPORT_MAX + 2 }, () => true));
  for (let device = 0; device <= MAP_SUPPORT_MAX; device++) {
    await canMap(device, String(device));
  }
  await canMap(0, 'again');
  assert.equal(questions.at(-1), 'again');
});
