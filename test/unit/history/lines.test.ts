/** The lines of a segment, found without being decoded, damaged ones among them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecord, type HistoryRecord, LINE_BYTES } from '../../../src/history/format.ts';
import { Lines, timeText } from '../../../src/history/lines.ts';

const NOON = Date.UTC(2026, 10, 28, 12);
const spanOf = (index: number) => ({
  ...{ uid: 61_184 + index, name: `user${index}`, unit: `user${index}.service`, owner: 0 },
  since: NOON + index * 10 - 5,
});

/** One line each 10 ms, then its bytes, to be damaged. */
function linesOf(count: number, damaged: readonly number[] = []): Lines {
  const records = Array.from({ length: count }, (_, index): HistoryRecord => {
    const stamp = { time: NOON + index * 10, uptime: index };
    return index === 0 ? { kind: 'format', text: '1', ...stamp } : { kind: 'begin', span: spanOf(index), ...stamp };
  });
  const bytes = Buffer.concat(records.map(encodeRecord));
  for (const line of damaged) {
    bytes.fill('x', line * LINE_BYTES, line * LINE_BYTES + 60);
  }
  return new Lines(bytes);
}

test('the first line after a time is found wherever lines are damaged', () => {
  for (const damaged of [[], [0], [1, 2, 3], [5, 6], [8, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const lines = linesOf(10, damaged);
    for (let time = NOON - 5; time <= NOON + 100; time += 2.5) {
      const found = lines.firstAfter(timeText(time));
      const whole = Array.from({ length: 10 }, (_, line) => line).filter(line => !damaged.includes(line));
      const text = `damaged ${damaged}, ${time - NOON} ms: ${found}`;
      assert.ok(!whole.some(line => line < found && line * 10 > time - NOON), text);
      assert.ok(!whole.some(line => line >= found && line * 10 <= time - NOON), text);
    }
  }
});

test('what a search has to know of a line is what decoding it gives', () => {
  const lines = linesOf(6);
  for (const line of [1, 5]) {
    assert.deepEqual(
      [lines.kind(line), lines.uid(line), lines.time(line), lines.span(line)],
      ['begin', spanOf(line).uid, NOON + line * 10, spanOf(line)],
    );
    const since = spanOf(line).since;
    assert.deepEqual(
      [since - 1, since, since + 0.5].map(time => lines.hadCome(line, timeText(time))),
      [false, true, true],
    );
  }
  assert.equal(lines.kind(0), 'format');
});

test('lines about somebody are those with the UID or the name in its own column, and damaged ones are counted', () => {
  const lines = linesOf(8, [3, 7]);
  assert.deepEqual([...lines.about({})], [0, 1, 2, 4, 5, 6]);
  assert.equal(lines.damaged, 2);
  assert.deepEqual([...lines.about({ uid: 61_188 })], [4]);
  assert.deepEqual([...lines.about({ name: 'user5' })], [5]);
  // A unit that has a name at the place of no name.
  assert.deepEqual([...lines.about({ name: 'user5.service' })], []);
  assert.deepEqual(
    [lines, linesOf(2, [1]), linesOf(2, [0, 1])].map(each => each.lastWhole()),
    [6, 0, undefined],
  );
});
