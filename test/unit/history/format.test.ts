/** The lines of the history: all of one length, with a checksum, and read back as they were written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, slowCrc32 } from '../../../src/history/crc32.ts';
import {
  decodeRecord,
  encodeRecord,
  type HistoryRecord,
  LINE_BYTES,
  segmentName,
  segmentsOf,
} from '../../../src/history/format.ts';

const TIME = Date.UTC(2026, 10, 28, 9, 15, 0, 5);
const SPAN = { uid: 64_642, name: 'web', unit: 'web.service', owner: 0, since: TIME - 1_000 };

test('the checksum is the one of gzip', () => {
  for (const checksum of [crc32, slowCrc32]) {
    assert.equal(checksum(Buffer.from('123456789')), 0xcbf4_3926);
  }
});

test('a line is read back as it was written, and people can read it', () => {
  const records: HistoryRecord[] = [
    { kind: 'end', time: TIME, uptime: 12.345, span: SPAN },
    { kind: 'start', time: TIME, uptime: 0, text: 'boot=ab version=1' },
    { kind: 'lives', time: TIME, uptime: 99_999_999, span: { ...SPAN, uid: 0xffff_fffe, name: 'n'.repeat(31) } },
  ];
  for (const record of records) {
    const line = encodeRecord(record);
    assert.equal(line.length, LINE_BYTES);
    assert.deepEqual(decodeRecord(line), record);
  }
  const [line] = records.map(record => encodeRecord(record).toString('latin1'));
  assert.match(
    line ?? '',
    /^end {4}2026-11-28T09:15:00\.005Z 2026-11-28T09:14:59\.005Z +12\.345 +64642 web {29} +0 web\.service +[0-9a-f]{8}\n$/,
  );
});

test('a unit that is too long is cut, and nothing but ASCII is written', () => {
  const line = encodeRecord({ kind: 'begin', time: TIME, uptime: 1, span: { ...SPAN, unit: 'ü'.repeat(300) } });
  const record = decodeRecord(line);
  assert.equal(line.length, LINE_BYTES);
  assert.ok(record !== undefined && 'span' in record);
  assert.equal(record.span.unit, `${'?'.repeat(54)}~`);
});

test('times that no column can hold are the nearest that it can', () => {
  for (const time of [-1, Number.MAX_SAFE_INTEGER]) {
    const record = decodeRecord(encodeRecord({ kind: 'gap', time, uptime: -5, text: 'x' }));
    assert.ok(record !== undefined && record.time >= 0 && record.uptime === 0);
  }
});

test('each changed bit is seen, and so is half a line', () => {
  const line = encodeRecord({ kind: 'begin', time: TIME, uptime: 1, span: SPAN });
  for (let byte = 0; byte < LINE_BYTES - 1; byte++) {
    const damaged = Buffer.from(line);
    damaged[byte] = (damaged[byte] ?? 0) ^ 1;
    assert.equal(decodeRecord(damaged), undefined, `byte ${byte}`);
  }
  assert.equal(decodeRecord(line.subarray(0, LINE_BYTES - 1)), undefined);
  assert.equal(decodeRecord(Buffer.alloc(LINE_BYTES)), undefined);
});

test('the name of a segment says its number, its time, and whether the clock was set back before it', () => {
  const names = [segmentName(10, 2_000.7, true), segmentName(9, 3_000, false), 'x.log', '1-2.log', '.', '..'];
  assert.deepEqual(names.slice(0, 2), ['0000000010-2000-set-back.log', '0000000009-3000.log']);
  assert.deepEqual(
    segmentsOf(names).map(({ number, time, isSetBack }) => [number, time, isSetBack]),
    [
      [9, 3_000, false],
      [10, 2_000, true],
    ],
  );
});
