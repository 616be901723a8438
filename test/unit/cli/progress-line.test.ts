import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressLine, renderProgress } from '../../../src/cli/progress-line.ts';
import { widthOf } from '../../../src/cli/render/text.ts';

const progress = ['/var/lib/dynamic-user-test', '123456 inodes inspected, 7 changed'] as const;
const CLEAR = '\r\x1b[K';

/** A line, and what was written for it so far. */
function lineOn(
  columns: number | undefined,
  environment: Record<string, string> = {},
): [ReturnType<typeof progressLine>, string[]] {
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
  await line.show(...progress);
  await line.show(`/${'a'.repeat(100)}`, progress[1]);
  await line.clear();
  const [first, second = '', ...others] = written;
  assert.deepEqual([first, ...others], [`${CLEAR}${renderProgress(...progress, 79)}`, CLEAR]);
  assert.ok(second.startsWith(`${CLEAR}/a`));
  assert.equal(widthOf(second) - widthOf(CLEAR), 79);
});

test('what was never drawn is not cleared, and nothing is cleared twice', async () => {
  const [line, written] = lineOn(80);
  await line.clear();
  assert.deepEqual(written, []);
  await line.show(...progress);
  await line.clear();
  await line.clear();
  assert.deepEqual(written, [`${CLEAR}${renderProgress(...progress, 79)}`, CLEAR]);
});

test('nothing is written where there is no terminal that could take it back', async () => {
  for (const [line, written] of [lineOn(undefined), lineOn(80, { TERM: 'dumb' })]) {
    await line.show(...progress);
    await line.clear();
    assert.deepEqual(written, []);
  }
});

test('the path and the numbers, as far as they are known', () => {
  assert.equal(renderProgress(...progress, 79), '/var/lib/dynamic-user-test: 123456 inodes inspected, 7 changed');
});

test('the path gives way to the numbers, and no line is wider than its room', () => {
  assert.equal(renderProgress(...progress, 45), '/var/lib…: 123456 inodes inspected, 7 changed');
  for (let columns = 0; columns < 70; columns++) {
    assert.ok(widthOf(renderProgress(...progress, columns)) <= columns);
  }
});

test('a path drives no terminal', () => {
  assert.match(renderProgress('/a\r\x1b[2J', progress[1], 79), /^\/a\\x0d\\x1b\[2J: /);
});
