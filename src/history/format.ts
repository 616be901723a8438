/**
 * The format of the history: files of lines of text that all have the same length, in columns, so that a reader finds any of them by
 * its number, and grep(1) and less(1) do without this program. Pure.
 *
 * A file, a segment, begins with a line "format", then has a line "lives" for each user that was live at that moment, then what
 * happened. So one segment alone tells who had which UID at any time in it. Its name has its number and the time of its first line.
 */
import { crc32 } from './crc32.ts';

export const FORMAT_VERSION = 1;

/**
 * What a line says of a user: `begin` and `end`; `lost` if its UID may be somebody else's from now on; `lives` at the start of a segment;
 * `found` if it lives and its begin was never written; `gone` if it has ended at some unknown moment before.
 */
export const USER_KINDS = ['begin', 'end', 'lost', 'lives', 'found', 'gone'] as const;
/** Lines without a user: a segment starts; a daemon has started; the clock was set; events are missing. */
export const NOTE_KINDS = ['format', 'start', 'clock', 'gap'] as const;
export type UserKind = (typeof USER_KINDS)[number];
export type NoteKind = (typeof NOTE_KINDS)[number];

export interface Stamp {
  /** milliseconds since the epoch */
  readonly time: number;
  /** seconds since the boot, also those in which the host slept */
  readonly uptime: number;
}

/** A user that has a UID. */
export interface Span {
  readonly uid: number;
  readonly name: string;
  /** the unit that it was made for; cut if it is longer than its column */
  readonly unit: string;
  /** the UID that asked for it */
  readonly owner: number;
  /** milliseconds since the epoch */
  readonly since: number;
}

export type HistoryRecord =
  | (Stamp & { readonly kind: UserKind; readonly span: Span })
  | (Stamp & { readonly kind: NoteKind; readonly text: string });

type Column = readonly [from: number, to: number];

/** Where the columns are, each followed by a space or, the last one, by a newline. */
export const COLUMNS = {
  kind: [0, 6],
  time: [7, 31],
  since: [32, 56],
  uptime: [57, 71],
  uid: [72, 82],
  name: [83, 115],
  owner: [116, 126],
  unit: [127, 182],
  checksum: [183, 191],
} as const satisfies Record<string, Column>;
export const LINE_BYTES = 192;
const CHECKED_BYTES = COLUMNS.checksum[0];
const widthOf = ([from, to]: Column): number => to - from;
const NOTHING = '-';
const SPACE = 0x20;

/** @returns a UID as its column has it */
export function uidField(uid: number): string {
  return String(uid).padStart(widthOf(COLUMNS.uid));
}

/** @returns a name as its column has it */
export function nameField(name: string): string {
  return name.padEnd(widthOf(COLUMNS.name));
}

/** @returns LINE_BYTES of ASCII */
export function encodeRecord(record: HistoryRecord): Buffer {
  const of = 'span' in record ? record.span : undefined;
  const text = 'span' in record ? record.span.unit : record.text;
  const unitWidth = widthOf(COLUMNS.unit);
  // Units are ASCII; a version or a text for people need not be.
  const unit = text.replace(/[^\x20-\x7e]/g, '?');
  const fields = [
    record.kind.padEnd(widthOf(COLUMNS.kind)),
    timeField(record.time),
    of === undefined ? NOTHING.padEnd(widthOf(COLUMNS.since)) : timeField(of.since),
    Math.max(record.uptime, 0).toFixed(3).padStart(widthOf(COLUMNS.uptime)),
    of === undefined ? NOTHING.padStart(widthOf(COLUMNS.uid)) : uidField(of.uid),
    nameField(of === undefined ? NOTHING : of.name),
    (of === undefined ? NOTHING : String(of.owner)).padStart(widthOf(COLUMNS.owner)),
    unit.length > unitWidth ? `${unit.slice(0, unitWidth - 1)}~` : unit.padEnd(unitWidth),
  ];
  const line = Buffer.from(`${fields.join(' ')} ${'0'.repeat(8)}\n`, 'latin1');
  line.write(crc32(line.subarray(0, CHECKED_BYTES)).toString(16).padStart(8, '0'), CHECKED_BYTES, 'latin1');
  return line;
}

/** The column holds the years up to 9999. */
const TIME_MAX = Date.UTC(10_000, 0, 1) - 1;

/** @returns a time as its columns have it: texts that sort as the times do */
export function timeField(time: number): string {
  return new Date(Math.min(Math.max(time, 0), TIME_MAX)).toISOString();
}

/** @returns whether there is a line at an offset that was written as a whole, and has not changed since */
export function isWholeLine(bytes: Buffer, offset: number): boolean {
  if (offset + LINE_BYTES > bytes.length) {
    return false;
  }
  const checksum = Number.parseInt(
    bytes.toString('latin1', offset + COLUMNS.checksum[0], offset + COLUMNS.checksum[1]),
    16,
  );
  return checksum === crc32(bytes.subarray(offset, offset + CHECKED_BYTES));
}

/** @returns the line at an offset, or undefined if it is damaged or of another format */
export function decodeRecord(bytes: Buffer, offset = 0): HistoryRecord | undefined {
  if (!isWholeLine(bytes, offset)) {
    return undefined;
  }
  const kind = field(bytes, offset, COLUMNS.kind);
  const stamp = { time: timeAt(bytes, offset), uptime: Number(field(bytes, offset, COLUMNS.uptime)) };
  const note = NOTE_KINDS.find(known => known === kind);
  if (note !== undefined) {
    return { kind: note, ...stamp, text: field(bytes, offset, COLUMNS.unit) };
  }
  const known = USER_KINDS.find(each => each === kind);
  return known === undefined ? undefined : { kind: known, ...stamp, span: spanAt(bytes, offset) };
}

/** @returns the time of a whole line */
export function timeAt(bytes: Buffer, offset: number): number {
  return Date.parse(field(bytes, offset, COLUMNS.time));
}

/** @returns what a whole line about a user says of it */
export function spanAt(bytes: Buffer, offset: number): Span {
  return {
    uid: Number(field(bytes, offset, COLUMNS.uid)),
    name: field(bytes, offset, COLUMNS.name),
    unit: field(bytes, offset, COLUMNS.unit),
    owner: Number(field(bytes, offset, COLUMNS.owner)),
    since: Date.parse(field(bytes, offset, COLUMNS.since)),
  };
}

/** Not by trim(): V8 would keep the whole column in memory for as long as the text. */
function field(bytes: Buffer, offset: number, [from, to]: Column): string {
  let [start, end] = [offset + from, offset + to];
  while (start < end && bytes[start] === SPACE) {
    start++;
  }
  while (start < end && bytes[end - 1] === SPACE) {
    end--;
  }
  return bytes.toString('latin1', start, end);
}

/** A file of the history, as its name tells. */
export interface SegmentName {
  readonly name: string;
  readonly number: number;
  /** the time of its first line */
  readonly time: number;
  /** the clock was set back before it: times of former segments come again in it */
  readonly isSetBack: boolean;
}

const SEGMENT_NAME = /^(\d{10})-(\d{1,15})(-set-back)?\.log$/;

export function segmentName(number: number, time: number, isSetBack: boolean): string {
  return `${String(number).padStart(10, '0')}-${Math.max(Math.floor(time), 0)}${isSetBack ? '-set-back' : ''}.log`;
}

/** @returns those of the names that are segments, in their order */
export function segmentsOf(names: readonly string[]): SegmentName[] {
  const found = names.flatMap(name => {
    const match = SEGMENT_NAME.exec(name);
    return match === null
      ? []
      : [{ name, number: Number(match[1]), time: Number(match[2]), isSetBack: match[3] !== undefined }];
  });
  return found.sort((one, other) => one.number - other.number);
}

/** Who has which UID, line by line. */
export class LiveSpans {
  readonly #spans = new Map<number, Span>();

  get size(): number {
    return this.#spans.size;
  }

  get(uid: number): Span | undefined {
    return this.#spans.get(uid);
  }

  all(): IterableIterator<Span> {
    return this.#spans.values();
  }

  apply(record: HistoryRecord): void {
    if (!('span' in record)) {
      return;
    }
    const { kind, span } = record;
    if (kind === 'end' || kind === 'lost' || kind === 'gone') {
      this.#spans.delete(span.uid);
    } else {
      this.#spans.set(span.uid, span);
    }
  }
}
