/**
 * The lines of a segment in memory: what a search has to know of each of them is read from its columns, and only those that are
 * found are decoded. Callers ask about whole lines only. Pure.
 */
import {
  COLUMNS,
  isWholeLine,
  LINE_BYTES,
  NOTE_KINDS,
  type NoteKind,
  nameField,
  type Span,
  spanAt,
  timeAt,
  timeField,
  USER_KINDS,
  type UserKind,
  uidField,
} from './format.ts';

const KIND_BYTES = COLUMNS.kind[1] - COLUMNS.kind[0];
/** A kind by the bytes of its column, taken as one number. */
const KINDS = new Map<number, UserKind | NoteKind>(
  [...USER_KINDS, ...NOTE_KINDS].map(kind => [Buffer.from(kind.padEnd(KIND_BYTES)).readUIntBE(0, KIND_BYTES), kind]),
);
const ZERO = '0'.charCodeAt(0);
const TIME_BYTES = COLUMNS.time[1] - COLUMNS.time[0];

/** Which lines are looked for: those of a UID, those of a name, or all. */
export interface Subject {
  readonly uid?: number | undefined;
  readonly name?: string | undefined;
}

/** A time as lines have it: text of one length, which sorts as the times do. */
export type TimeText = Buffer & { readonly __brand: 'TimeText' };

/** @param time milliseconds since the epoch, cut to whole ones, as those of lines are */
export function timeText(time: number): TimeText {
  return Buffer.from(timeField(Math.floor(time)), 'latin1') as TimeText;
}

export class Lines {
  readonly #bytes: Buffer;
  /** whole ones and damaged ones */
  readonly count: number;
  #damaged = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.count = Math.floor(bytes.length / LINE_BYTES);
  }

  /** How many damaged lines were met so far. */
  get damaged(): number {
    return this.#damaged;
  }

  kind(line: number): UserKind | NoteKind | undefined {
    return KINDS.get(this.#bytes.readUIntBE(line * LINE_BYTES + COLUMNS.kind[0], KIND_BYTES));
  }

  /** Of a line about a user. */
  uid(line: number): number {
    let uid = 0;
    const begin = line * LINE_BYTES;
    for (let index = begin + COLUMNS.uid[0]; index < begin + COLUMNS.uid[1]; index++) {
      const digit = (this.#bytes[index] ?? 0) - ZERO;
      // It is padded with spaces at its left.
      uid = digit < 0 ? uid : 10 * uid + digit;
    }
    return uid;
  }

  /** Whether the time of a line is after another one. */
  isAfter(line: number, time: TimeText): boolean {
    return this.#compare(line * LINE_BYTES + COLUMNS.time[0], time) > 0;
  }

  /** Whether the user of a line began at a time, or before it. */
  hadCome(line: number, time: TimeText): boolean {
    return this.#compare(line * LINE_BYTES + COLUMNS.since[0], time) <= 0;
  }

  time(line: number): number {
    return timeAt(this.#bytes, line * LINE_BYTES);
  }

  /** @returns what a line about a user says of it */
  span(line: number): Span {
    return spanAt(this.#bytes, line * LINE_BYTES);
  }

  /** @returns the numbers of the whole lines about a subject, in order; if it has both a UID and a name, the UID counts */
  *about({ uid, name }: Subject): Generator<number, void, undefined> {
    const [text, place] =
      uid === undefined ? [name && nameField(name), COLUMNS.name[0]] : [uidField(uid), COLUMNS.uid[0]];
    const sought = text === undefined ? undefined : Buffer.from(text, 'latin1');
    for (let line = 0; line < this.count; line++) {
      if (sought !== undefined) {
        const next = this.#nextWith(sought, place, line);
        if (next === undefined) {
          return;
        }
        line = next;
      }
      if (isWholeLine(this.#bytes, line * LINE_BYTES)) {
        yield line;
      } else {
        this.#damaged++;
      }
    }
  }

  /** The number of the first line after a time, by halves: times only grow. Damaged ones are passed over. */
  firstAfter(time: TimeText): number {
    let [from, to] = [0, this.count];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      let whole = middle;
      while (whole < to && !isWholeLine(this.#bytes, whole * LINE_BYTES)) {
        whole++;
      }
      if (whole === to || this.isAfter(whole, time)) {
        to = middle;
      } else {
        from = whole + 1;
      }
    }
    return from;
  }

  /** The number of the last line that is whole, if there is one. */
  lastWhole(): number | undefined {
    for (let line = this.count - 1; line >= 0; line--) {
      if (isWholeLine(this.#bytes, line * LINE_BYTES)) {
        return line;
      }
    }
    return undefined;
  }

  #nextWith(sought: Buffer, place: number, line: number): number | undefined {
    for (let from = line * LINE_BYTES; ; ) {
      const found = this.#bytes.indexOf(sought, from);
      if (found < 0 || found >= this.count * LINE_BYTES) {
        return undefined;
      }
      if (found % LINE_BYTES === place) {
        return Math.floor(found / LINE_BYTES);
      }
      // The same text in another column.
      from = found + 1;
    }
  }

  #compare(offset: number, time: TimeText): number {
    return this.#bytes.compare(time, 0, TIME_BYTES, offset, offset + TIME_BYTES);
  }
}
