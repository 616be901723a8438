import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProgressLine, progressLine } from '../../../src/cli/progress-line.ts';

const CLEAR = '\r\x1b[K';

/** A line, and what was written for it so far. */
function lineOn(columns: number | undefined, environment: Record<string, string> = {}): [ProgressLine, string[]] {
  const written: string[] = [];
  const output = {
    terminal: columns === undefined ? undefined : { columns },
    write: async (text: string) => {
      written.push(text);
    },
    broken: new AbortController().signal,
  };
  return [progressLine(output, environment), written];
}

test('each drawing takes the place of the former, in all columns but the last', async () => {
  const [line, written] = lineOn(80);
  await line.show(columns => `first ${columns}`);
  await line.show(() => 'second');
  await line.clear();
  assert.deepEqual(written, [`${CLEAR}first 79`, `${CLEAR}second`, CLEAR]);
});

test('what was never drawn is not cleared, and nothing is cleared twice', async () => {
  const [line, written] = lineOn(80);
  await line.clear();
  assert.deepEqual(written, []);
  await line.show(() => 'a');
  await line.clear();
  await line.clear();
  assert.deepEqual(written, [`${CLEAR}a`, CLEAR]);
});

test('nothing is written where there is no terminal that could take it back', async () => {
  for (const [line, written] of [lineOn(undefined), lineOn(80, { TERM: 'dumb' })]) {
    await line.show(() => 'a');
    await line.clear();
    assert.deepEqual(written, []);
  }
});
