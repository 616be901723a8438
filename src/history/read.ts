/**
 * The history as dynuserctl reads it: from the files, without the daemon. A line that is damaged is skipped, and counted; the last one
 * may be half written. Synchronous: a command has nothing else to do.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { hasCode } from '../files/pinned-directory.ts';
import { LINE_BYTES, type SegmentName, type Span, segmentsOf, USER_KINDS, type UserKind } from './format.ts';
import { Lines, type Subject, timeText } from './lines.ts';

/** How a span ended: with its user, by the loss of its UID, or unseen at some moment before the given time. */
export type SpanEnd = 'end' | 'lost' | 'gone';

export interface PastSpan extends Span {
  /** milliseconds since the epoch; absent: it lives */
  readonly until?: number;
  readonly how?: SpanEnd;
  /** its begin was not written down at the time */
  readonly isFound?: boolean;
}

/** Which spans are looked for. */
export interface SpanFilter extends Subject {
  /** milliseconds since the epoch: spans that were live at some time from one to the other */
  readonly from?: number;
  readonly to?: number;
  /** if there are more than this, the oldest are left out */
  readonly max: number;
}

export interface Found {
  /** in the order in which they ended, those that live last */
  readonly spans: readonly PastSpan[];
  /** how many older ones were left out */
  readonly omitted: number;
}

/** What was live at a time. A time that came twice, since the clock was set back, has several. */
export interface Instant {
  readonly spans: readonly PastSpan[];
}

/** Bytes of a segment that are read at a time if only its first lines are wanted. */
const CHUNK_BYTES = 512 * LINE_BYTES;

export class History {
  readonly #directory: string;
  readonly #segments: readonly SegmentName[];
  /** by segment, of which some are read more than once */
  readonly #damaged = new Map<string, number>();

  private constructor(directory: string, segments: readonly SegmentName[]) {
    this.#directory = directory;
    this.#segments = segments;
  }

  /** @throws Error the system's, such as EACCES; ENOENT if there is no history */
  static open(directory: string): History {
    return new History(directory, segmentsOf(readdirSync(directory)));
  }

  /** Lines that could not be read so far. */
  get damaged(): number {
    return Array.from(this.#damaged.values()).reduce((sum, count) => sum + count, 0);
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }

  /** The time of the first line; nothing is known of the time before. */
  get begin(): number | undefined {
    return this.#segments[0]?.time;
  }

  /**
   * Who had which UID at a time.
   * @param uid that one alone
   * @returns one for each time that the clock had that time; none if it is before the history
   */
  at(time: number, uid?: number): Instant[] {
    return this.#segments.flatMap((segment, index) => {
      const next = this.#segments[index + 1];
      const mayHold = segment.time <= time && (next === undefined || next.isSetBack || time < next.time);
      return mayHold ? this.#atWithin(segment, index, time, uid) : [];
    });
  }

  /** @returns the spans of a UID or a name, or all */
  find({ uid, name, from, to, max }: SpanFilter): Found {
    const open = new Map<number, PastSpan>();
    const spans: PastSpan[] = [];
    let omitted = 0;
    const add = (span: PastSpan) => {
      if (
        (name === undefined || span.name === name) &&
        (from === undefined || span.until === undefined || span.until >= from) &&
        (to === undefined || span.since <= to)
      ) {
        spans.push(span);
        if (spans.length >= 2 * max) {
          omitted += spans.splice(0, spans.length - max).length;
        }
      }
    };
    for (const [index, segment] of this.#segments.entries()) {
      const next = this.#segments[index + 1];
      const isBefore = from !== undefined && next !== undefined && !next.isSetBack && next.time < from;
      const isAfter =
        to !== undefined && segment.time > to && !this.#segments.slice(index).some(each => each.isSetBack);
      if (isBefore || isAfter) {
        continue;
      }
      const lines = new Lines(this.#read(segment));
      for (const line of lines.about({ uid, name })) {
        const kind = lines.kind(line);
        if (!isAboutUser(kind)) {
          continue;
        }
        const span = lines.span(line);
        const time = lines.time(line);
        const former = open.get(span.uid);
        if (isEnd(kind)) {
          open.delete(span.uid);
          add({ ...span, until: time, how: kind, ...(former?.isFound === true ? { isFound: true } : {}) });
        } else if (former === undefined || former.name !== span.name || kind !== 'lives') {
          if (former !== undefined && (former.name !== span.name || former.since !== span.since)) {
            add({ ...former, until: time, how: 'gone' });
          }
          open.set(span.uid, kind === 'found' ? { ...span, isFound: true } : span);
        }
      }
      this.#noteDamage(segment, lines);
    }
    for (const span of open.values()) {
      add(span);
    }
    omitted += spans.splice(0, Math.max(spans.length - max, 0)).length;
    return { spans, omitted };
  }

  #atWithin(segment: SegmentName, index: number, time: number, uid: number | undefined): Instant[] {
    const lines = new Lines(this.#read(segment));
    const then = timeText(time);
    const later = lines.firstAfter(then);
    if (this.#segments[index + 1]?.isSetBack === true && later === lines.count) {
      // The clock never reached this time before it was set back, or was set back at that very moment.
      const last = lines.lastWhole();
      if (last === undefined || lines.time(last) < Math.floor(time)) {
        return [];
      }
    }
    // The lines that say that somebody lives then, and those that say how it ended after that, by UID.
    const live = new Map<number, number>();
    const ends = new Map<number, SpanEnding>();
    for (const line of lines.about({ uid })) {
      const kind = lines.kind(line);
      if (kind === 'begin' || kind === 'found' || kind === 'lives') {
        const whose = lines.uid(line);
        // Those after that time count if they were noted a moment after they were so, or, by the next daemon, long after.
        const isLate = () => kind !== 'lives' && !ends.has(whose) && lines.hadCome(line, then);
        if (line < later || isLate()) {
          live.set(whose, line);
        }
      } else if (isEnd(kind)) {
        const whose = lines.uid(line);
        if (line < later) {
          live.delete(whose);
        } else if (!ends.has(whose)) {
          ends.set(whose, { until: lines.time(line), how: kind });
        }
      }
    }
    this.#noteDamage(segment, lines);
    const ended: PastSpan[] = [];
    const open: PastSpan[] = [];
    for (const [whose, line] of live) {
      const span = { ...lines.span(line), ...(lines.kind(line) === 'found' ? { isFound: true } : {}) };
      const end = ends.get(whose);
      if (end === undefined) {
        open.push(span);
      } else {
        ended.push({ ...span, ...end });
      }
    }
    return [{ spans: [...ended, ...this.#withEnds(open, index, this.#segments.length - 1)] }];
  }

  /**
   * Looks for the ends of spans in later segments, by halves: the first lines of each say which spans still live.
   * @param spans those that lived at the end of the segment `first`, if it is not the last
   */
  #withEnds(spans: readonly PastSpan[], first: number, last: number): readonly PastSpan[] {
    if (spans.length === 0) {
      return [];
    }
    if (first < last) {
      const middle = Math.ceil((first + last) / 2);
      const [still, ended] = this.#dividedAt(middle, spans);
      return [...this.#withEnds(ended, first, middle - 1), ...this.#withEnds(still, middle, last)];
    }
    const segment = this.#segments[first];
    return segment === undefined ? spans : this.#endedWithin(segment, this.#segments[first + 1], spans);
  }

  /** @returns those of the spans that live at the start of a segment, and the others */
  #dividedAt(index: number, spans: readonly PastSpan[]): readonly [still: PastSpan[], ended: PastSpan[]] {
    const sought = new Map(spans.map(span => [span.uid, span]));
    const still = new Set<PastSpan>();
    const segment = this.#segments[index];
    if (segment === undefined) {
      return [[], [...spans]];
    }
    const lines = new Lines(this.#read(segment, isBegin));
    for (const line of lines.about({})) {
      const span = lines.kind(line) === 'lives' ? sought.get(lines.uid(line)) : undefined;
      if (span !== undefined && isSame(lines.span(line), span)) {
        still.add(span);
      }
    }
    this.#noteDamage(segment, lines);
    return [spans.filter(span => still.has(span)), spans.filter(span => !still.has(span))];
  }

  /** @param next the segment after it, at whose start the spans do not live; undefined: the segment is the last */
  #endedWithin(segment: SegmentName, next: SegmentName | undefined, spans: readonly PastSpan[]): readonly PastSpan[] {
    const lines = new Lines(this.#read(segment));
    const sought = new Map(spans.map(span => [span.uid, span]));
    const ends = new Map<PastSpan, SpanEnding>();
    for (const line of lines.about(spans.length === 1 ? { uid: spans[0]?.uid } : {})) {
      const kind = lines.kind(line);
      const span = isEnd(kind) ? sought.get(lines.uid(line)) : undefined;
      if (isEnd(kind) && span !== undefined && isSame(lines.span(line), span)) {
        ends.set(span, { until: lines.time(line), how: kind });
      }
    }
    this.#noteDamage(segment, lines);
    // The line about its end is damaged, or was never written.
    const unseen = (span: PastSpan): SpanEnding | undefined =>
      next && { until: Math.max(next.time, span.since), how: 'gone' };
    return spans.map(span => ({ ...span, ...(ends.get(span) ?? unseen(span)) }));
  }

  #noteDamage({ name }: SegmentName, { damaged }: Lines): void {
    this.#damaged.set(name, Math.max(damaged, this.#damaged.get(name) ?? 0));
  }

  /**
   * @param isEnough is asked after each chunk whether what was read so far will do
   * @returns what a segment has; nothing if it was removed meanwhile
   */
  #read({ name }: SegmentName, isEnough?: (lines: Lines) => boolean): Buffer {
    let descriptor: number;
    try {
      descriptor = openSync(`${this.#directory}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) {
        return Buffer.alloc(0);
      }
      throw error;
    }
    try {
      const bytes = Buffer.allocUnsafe(fstatSync(descriptor).size);
      const chunk = isEnough === undefined ? bytes.length : CHUNK_BYTES;
      let length = 0;
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = readSync(descriptor, bytes, length, Math.min(chunk, bytes.length - length), length);
        if (isEnough?.(new Lines(bytes.subarray(0, length + read))) === true) {
          return bytes.subarray(0, length + read);
        }
      }
      return bytes.subarray(0, length);
    } finally {
      closeSync(descriptor);
    }
  }
}

type SpanEnding = Required<Pick<PastSpan, 'until' | 'how'>>;

function isEnd(kind: string | undefined): kind is SpanEnd {
  return kind === 'end' || kind === 'lost' || kind === 'gone';
}

/** Whether lines have all that a segment says at its start. */
function isBegin(lines: Lines): boolean {
  const kind = lines.kind(lines.count - 1);
  return kind !== undefined && kind !== 'format' && kind !== 'lives';
}

function isSame(one: Span, other: Span): boolean {
  return one.uid === other.uid && one.name === other.name && one.since === other.since;
}

function isAboutUser(kind: string | undefined): kind is UserKind {
  return USER_KINDS.some(known => known === kind);
}
