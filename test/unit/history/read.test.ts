/** The reader of the history over segments that are made by hand, line by line: which of them it reads, and what each bound of a question does. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { encodeRecord, LINE_BYTES, segmentName, type UserKind } from '../../../src/history/format.ts';
import { History, type PastSpan } from '../../../src/history/read.ts';

const NOON = Date.UTC(2026, 10, 28, 12);
const MINUTE = 60_000;
const at = (minute: number): number => NOON + minute * MINUTE;

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(`${tmpdir()}/dynuser-read-`);
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What happened: when, in minutes; to whom: its UID and its name; and since when it had that, unless since then. */
type Happening = readonly [minute: number, kind: UserKind, uid: number, name: string, since?: number];

function line([minute, kind, uid, name, since = minute]: Happening): Buffer {
  const span = { uid, name, unit: `${name}.service`, owner: 7, since: at(since) };
  return encodeRecord({ kind, span, time: at(minute), uptime: 1 });
}

/** Writes a segment, and @returns its name. */
function segment(number: number, minute: number, happenings: readonly Happening[], isSetBack = false): string {
  const name = segmentName(number, at(minute), isSetBack);
  const format = encodeRecord({ kind: 'format', time: at(minute), uptime: 1, text: 'version=1' });
  writeFileSync(`${directory}/${name}`, Buffer.concat([format, ...happenings.map(line)]));
  return name;
}

const word = ({ name, since, until, how, isFound }: PastSpan): string =>
  [
    `${name} ${(since - NOON) / MINUTE}-${until === undefined ? '' : (until - NOON) / MINUTE}`,
    ...[how, isFound ? 'found' : undefined].filter(each => each !== undefined),
  ].join(' ');
const instants = (minute: number, uid?: number): string[][] =>
  History.open(directory)
    .at(at(minute), uid)
    .map(({ spans }) => spans.map(word));
const found = (filter: Omit<Parameters<History['find']>[0], 'max'>, max = 100): (string | number)[] => {
  const { spans, omitted } = History.open(directory).find({ ...filter, max });
  return [...spans.map(word), omitted];
};

describe('a history', () => {
  it('that has no segment is empty, and begins nowhere', () => {
    writeFileSync(`${directory}/notes.txt`, '');
    const history = History.open(directory);
    assert.deepEqual([history.isEmpty, history.begin, history.damaged], [true, undefined, 0]);
    assert.deepEqual([instants(0), found({})], [[], [0]]);
    assert.throws(() => History.open(`${directory}/none`), { code: 'ENOENT' });
  });

  it('begins with its first segment, before which nothing is known', () => {
    segment(1, 5, [[6, 'begin', 61_184, 'web']]);
    const history = History.open(directory);
    assert.deepEqual([history.isEmpty, history.begin], [false, at(5)]);
    assert.deepEqual([instants(4), instants(5), instants(6)], [[], [[]], [['web 6-']]]);
  });

  it('of which a segment has gone since it was listed has nothing of it', () => {
    const first = segment(1, 0, [[1, 'begin', 61_184, 'web']]);
    segment(2, 10, [[11, 'begin', 61_185, 'mail']]);
    const history = History.open(directory);
    rmSync(`${directory}/${first}`);
    assert.deepEqual(
      history.find({ max: 9 }).spans.map(({ name }) => name),
      ['mail'],
    );
    assert.deepEqual(history.at(at(2)), [{ spans: [] }]);
  });

  it('is not read through a link', () => {
    const name = segment(1, 0, [[1, 'begin', 61_184, 'web']]);
    symlinkSync(name, `${directory}/${segmentName(2, at(5), false)}`);
    assert.throws(() => History.open(directory).find({ max: 9 }), { code: 'ELOOP' });
  });

  it('counts lines that are damaged once, of each segment', () => {
    for (const number of [1, 2]) {
      const bytes = Buffer.concat([line([1, 'begin', 61_184, 'web']), line([2, 'end', 61_184, 'web', 1])]);
      bytes[LINE_BYTES + 90] = 0;
      writeFileSync(`${directory}/${segmentName(number, at(number), false)}`, bytes);
    }
    const history = History.open(directory);
    history.at(at(1));
    history.find({ max: 9 });
    history.find({ max: 9 });
    assert.equal(history.damaged, 2);
  });
});

describe('who had which UID at a time', () => {
  it('is who came by that moment, and had not ended by then', () => {
    segment(1, 0, [
      [0, 'lives', 61_184, 'stays', -9],
      [1, 'begin', 61_185, 'web'],
      [3, 'end', 61_185, 'web', 1],
      [3, 'begin', 61_185, 'mail'],
      [5, 'lost', 61_185, 'mail', 3],
      [6, 'found', 61_186, 'late'],
      [7, 'gone', 61_186, 'late', 6],
    ]);
    assert.deepEqual(instants(0), [['stays -9-']]);
    assert.deepEqual(instants(1), [['web 1-3 end', 'stays -9-']]);
    assert.deepEqual(instants(2.99), [['web 1-3 end', 'stays -9-']]);
    assert.deepEqual(instants(3), [['mail 3-5 lost', 'stays -9-']]);
    assert.deepEqual(instants(5), [['stays -9-']]);
    assert.deepEqual(instants(6), [['late 6-7 gone found', 'stays -9-']]);
    assert.deepEqual(instants(8), [['stays -9-']]);
    assert.deepEqual([instants(2, 61_185), instants(2, 61_186)], [[['web 1-3 end']], [[]]]);
  });

  it('has who was written down after it had come, unless that was another by then', () => {
    segment(1, 0, [
      [5, 'begin', 61_184, 'slow', 2],
      [6, 'found', 61_185, 'missed', 1],
      [7, 'lives', 61_186, 'told', 1],
      [8, 'end', 61_187, 'first', 1],
      [8, 'begin', 61_187, 'second', 3],
    ]);
    assert.deepEqual(instants(1), [['missed 1- found']]);
    assert.deepEqual(instants(3), [['slow 2-', 'missed 1- found']]);
    assert.deepEqual(instants(7), [['slow 2-', 'missed 1- found', 'told 1-']]);
  });

  it('is in the segment of that time, and ends in whichever later one', () => {
    const many: Happening[] = Array.from({ length: 600 }, (_, index) => [20, 'lives', 62_000 + index, `n${index}`, 1]);
    segment(1, 0, [
      [1, 'begin', 61_184, 'a'],
      [1, 'begin', 61_185, 'b'],
      [1, 'begin', 61_186, 'c'],
      [1, 'begin', 61_187, 'd'],
    ]);
    segment(2, 10, [
      [10, 'lives', 61_184, 'a', 1],
      [10, 'lives', 61_185, 'b', 1],
      [10, 'lives', 61_186, 'c', 1],
      [12, 'end', 61_184, 'a', 1],
    ]);
    // More than is read at a time if only the begin of a segment is wanted.
    segment(3, 20, [...many, [20, 'lives', 61_185, 'b', 1], [20, 'lives', 61_186, 'c', 1], [21, 'begin', 61_184, 'a']]);
    segment(4, 30, [
      [30, 'lives', 61_185, 'b', 1],
      [30, 'lives', 61_186, 'c', 2],
      [31, 'end', 61_185, 'other', 1],
      [32, 'lost', 61_185, 'b', 1],
    ]);
    const expected = ['a 1-12 end', 'b 1-32 lost', 'c 1-30 gone', 'd 1-10 gone'];
    // Of those that end, the first to end comes first.
    assert.deepEqual(instants(1), [['d 1-10 gone', 'a 1-12 end', 'c 1-30 gone', 'b 1-32 lost']]);
    for (const [index, text] of expected.entries()) {
      assert.deepEqual(instants(1, 61_184 + index), [[text]]);
    }
    assert.deepEqual(instants(15, 61_185), [['b 1-32 lost']]);
    assert.deepEqual(
      [instants(10, 61_187), instants(19.99, 61_184), instants(21, 61_184)],
      [[[]], [[]], [['a 21-30 gone']]],
    );
  });

  it('has an answer for each time that the clock had that time', () => {
    segment(1, 0, [[1, 'begin', 61_184, 'before']]);
    segment(
      2,
      -5,
      [
        [-5, 'lives', 61_184, 'before', 1],
        [0, 'begin', 61_185, 'after'],
      ],
      true,
    );
    assert.deepEqual(instants(-4), [['before 1-']]);
    assert.deepEqual(instants(0), [[], ['before 1-', 'after 0-']]);
    assert.deepEqual(instants(1), [['before 1-'], ['before 1-', 'after 0-']]);
    assert.deepEqual(instants(2), [['before 1-', 'after 0-']], 'the clock never was so late before');
  });
});

describe('the users of a time', () => {
  beforeEach(() => {
    segment(1, 0, [
      [0, 'lives', 61_184, 'old', -9],
      [2, 'begin', 61_185, 'web'],
      [4, 'end', 61_185, 'web', 2],
    ]);
    segment(2, 10, [
      [10, 'lives', 61_184, 'old', -9],
      [12, 'found', 61_185, 'mail'],
      [14, 'lost', 61_185, 'mail', 12],
      [15, 'begin', 61_186, 'web'],
    ]);
  });

  it('are all, as they ended, and then who lives', () => {
    assert.deepEqual(found({}), ['web 2-4 end', 'mail 12-14 lost found', 'old -9-', 'web 15-', 0]);
  });

  it('are those of one UID, or of one name', () => {
    assert.deepEqual(found({ uid: 61_185 }), ['web 2-4 end', 'mail 12-14 lost found', 0]);
    assert.deepEqual(found({ name: 'web' }), ['web 2-4 end', 'web 15-', 0]);
    assert.deepEqual(found({ uid: 61_185, name: 'mail' }), ['mail 12-14 lost found', 0]);
    assert.deepEqual(found({ name: 'none' }), [0]);
  });

  it('are those that lived at some time of it, both ends included', () => {
    assert.deepEqual(found({ uid: 61_185, from: at(4) }), ['web 2-4 end', 'mail 12-14 lost found', 0]);
    assert.deepEqual(found({ uid: 61_185, from: at(4.01) }), ['mail 12-14 lost found', 0]);
    assert.deepEqual(found({ uid: 61_185, to: at(12) }), ['web 2-4 end', 'mail 12-14 lost found', 0]);
    assert.deepEqual(found({ uid: 61_185, to: at(11.99) }), ['web 2-4 end', 0]);
    assert.deepEqual(found({ from: at(5), to: at(9) }), ['old -9-', 0]);
    assert.deepEqual(found({ to: at(1) }), ['old -9-', 0]);
    assert.deepEqual(found({ from: at(10), to: at(11) }), ['old -9-', 0]);
    assert.deepEqual(found({ from: at(15) }), ['old -9-', 'web 15-', 0]);
  });

  it('are those of the very moment in which a segment begins', () => {
    segment(3, 20, [
      [20, 'lives', 61_184, 'old', -9],
      [20, 'begin', 61_187, 'new'],
    ]);
    const name = segment(2, 10, [[20, 'end', 61_186, 'web', 15]]);
    assert.match(name, /^0{9}2-/);
    assert.deepEqual(found({ uid: 61_186, from: at(20) }), ['web 15-20 end', 0]);
    assert.deepEqual(found({ uid: 61_187, to: at(20) }), ['new 20-', 0]);
  });

  it('are sought in no segment that is over by then, or begins later', () => {
    const unreadable = (number: number, minute: number): void => {
      const name = `${directory}/${segmentName(number, at(minute), false)}`;
      rmSync(name, { force: true });
      symlinkSync('none', name);
    };
    segment(3, 20, [[20, 'lives', 61_184, 'old', -9]]);
    unreadable(1, 0);
    assert.deepEqual(found({ from: at(11) }), ['mail 12-14 lost found', 'old -9-', 'web 15-', 0]);
    assert.throws(() => found({ from: at(10) }), { code: 'ELOOP' });
    unreadable(3, 20);
    assert.deepEqual(found({ from: at(11), to: at(19) }), ['mail 12-14 lost found', 'old -9-', 'web 15-', 0]);
    assert.throws(() => found({ from: at(11), to: at(20) }), { code: 'ELOOP' });
  });

  it('are the last ones if they are more than is asked for, and the others are counted', () => {
    assert.deepEqual(found({}, 4).at(-1), 0);
    assert.deepEqual(found({}, 3), ['mail 12-14 lost found', 'old -9-', 'web 15-', 1]);
    assert.deepEqual(found({}, 1), ['web 15-', 3]);
  });

  it('are sought in later segments, too, if the clock was set back', () => {
    segment(
      3,
      3,
      [
        [3, 'lives', 61_184, 'old', -9],
        [4, 'begin', 61_187, 'again'],
      ],
      true,
    );
    assert.deepEqual(found({ to: at(5) }), ['web 2-4 end', 'old -9-', 'again 4-', 0]);
    assert.deepEqual(found({ name: 'web', from: at(12) }), ['web 15-', 0]);
  });
});

it('a user of whom no end was written has ended when its UID had another', () => {
  segment(1, 0, [
    [1, 'begin', 61_184, 'one'],
    [2, 'begin', 61_184, 'other'],
    [3, 'begin', 61_184, 'other'],
    [4, 'lives', 61_184, 'other', 3],
  ]);
  assert.deepEqual(found({}), ['one 1-2 gone', 'other 2-3 gone', 'other 3-', 0]);
});
