/**
 * The history as the daemon writes it: takes note of who gets and loses a UID, in memory and at once, and writes it down a moment later.
 * Nobody waits for that. If the disk is full or gone, it says so once, keeps as much as it has room for, and tries again. Events
 * that did not fit are made up for by a comparison with the users that live.
 */
import type { LeaseEvents } from '../allocator/events.ts';
import { reasonOf } from '../core/errors.ts';
import type { DynamicUser } from '../core/lease.ts';
import { isTold } from '../core/memberships.ts';
import { hasCode } from '../files/pinned-directory.ts';
import {
  encodeRecord,
  FORMAT_VERSION,
  type HistoryRecord,
  LINE_BYTES,
  LiveSpans,
  type NoteKind,
  type Span,
  type Stamp,
} from './format.ts';
import { type HistoryLimits, SegmentFiles } from './segment-files.ts';

/** How long what happened may wait for what happens next, in milliseconds. */
const COLLECT_MS = 50;
/** How long written lines may be in the memory of the kernel alone, in milliseconds: a power cut loses as much. */
const SYNC_MS = 2_000;
/** How long to wait after a failure, in milliseconds. */
export const HISTORY_RETRY_MS = 10_000;
/** Events that wait to be written: if the disk hangs or is full, those that come then are not noted one by one. */
export const WAITING_MAX = 16_384;
/** Lines that are encoded at a time, in one turn of the event loop. */
const LINES_A_WRITE = 256;
/** Lines of a segment: the greater of the two, of which the second is for each user that was live at its start. */
const SEGMENT_LINES = 8_192;
const LINES_FOR_EACH_LIVE = 4;
/** How far the clock and the time since the boot may be apart before that is a clock that was set, in milliseconds. */
const CLOCK_TOLERANCE_MS = 2_000;

export interface HistoryDeps {
  readonly directory: string;
  readonly events: LeaseEvents;
  /** the users whose UID is not free, now */
  readonly users: () => Iterable<DynamicUser>;
  readonly clock: HistoryClock;
  /** undefined: nothing is kept. Read at each use, so that it may change. */
  readonly limits: () => HistoryLimits | undefined;
  /** told once that it cannot be written, and that it is written again */
  readonly onTrouble: (reason: string) => void;
  readonly onRecovery: () => void;
  /** identifies the boot and the daemon, in ASCII */
  readonly origin: string;
}

export interface HistoryClock {
  /** milliseconds since the epoch */
  now(): number;
  /** milliseconds that only ever grow */
  monotonic(): number;
  /** seconds since the boot, also those in which the host slept */
  uptime(): number;
}

interface Moment {
  readonly time: number;
  readonly monotonic: number;
}

type Change = Moment & { readonly kind: 'begin' | 'end' | 'lost'; readonly span: Span };
/** What is true now, whatever was noted before. */
type Truth = Moment & { readonly kind: 'truth'; readonly spans: readonly Span[]; readonly note: Note };

interface Note {
  readonly kind: NoteKind;
  readonly text: string;
}

export class HistoryWriter {
  readonly #deps: HistoryDeps;
  readonly #endListening: () => void;
  #isKept: boolean;
  #waiting: (Change | Truth)[] = [];
  /** how many events did not find room there */
  #missing = 0;
  #segment: OpenSegment | undefined;
  #isInTrouble = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;

  /** Listens from now on. */
  constructor(deps: HistoryDeps) {
    this.#deps = deps;
    this.#isKept = deps.limits() !== undefined;
    this.#endListening = deps.events.on(['allocated', 'ended', 'lost'], event => {
      if (event.kind !== 'allocated') {
        this.#note(event.user.lost === undefined ? 'end' : 'lost', event.user);
      } else if (!event.joined) {
        this.#note('begin', event.user);
      }
    });
  }

  /** To be called when the users of a former daemon are known, in the tick in which they are. */
  start(): void {
    if (this.#isKept) {
      this.#tellTruth({ kind: 'start', text: this.#deps.origin });
    }
  }

  /** To be called if the limits have changed. */
  adjust(): void {
    const wasKept = this.#isKept;
    this.#isKept = this.#deps.limits() !== undefined;
    if (this.#isKept && !wasKept) {
      this.#tellTruth({ kind: 'gap', text: 'no history was kept' });
    }
  }

  /** Writes what waits, and waits for that no longer than given. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopped = true;
    this.#endListening();
    clearTimeout(this.#timer);
    clearTimeout(this.#syncTimer);
    await Promise.race([this.#finish(), new Promise(resolve => setTimeout(resolve, timeoutMs).unref())]);
  }

  async #finish(): Promise<void> {
    await this.#round;
    await this.#write();
    const files = this.#segment?.files;
    this.#segment = undefined;
    await files?.sync().catch(() => undefined);
    await files?.close().catch(() => undefined);
  }

  #note(kind: Change['kind'], user: DynamicUser): void {
    if (!this.#isKept || !user.dynamic) {
      return;
    }
    if (this.#waiting.length >= WAITING_MAX) {
      this.#missing++;
      return;
    }
    this.#waiting.push({ kind, span: spanOf(user), ...this.#moment() });
    this.#later();
  }

  #tellTruth(note: Note): void {
    const users = Array.from(this.#deps.users()).filter(isTold);
    this.#waiting.push({ kind: 'truth', spans: users.map(spanOf), note, ...this.#moment() });
    this.#later();
  }

  #moment(): Moment {
    const { clock } = this.#deps;
    return { time: clock.now(), monotonic: clock.monotonic() };
  }

  #later(): void {
    if (this.#timer !== undefined || this.#round !== undefined || this.#isStopped) {
      return;
    }
    const begin = () => {
      this.#timer = undefined;
      this.#round = this.#write().finally(() => {
        this.#round = undefined;
        if (this.#waiting.length > 0) {
          this.#later();
        }
      });
    };
    // A daemon that stops writes what waits by itself.
    this.#timer = setTimeout(begin, this.#isInTrouble ? HISTORY_RETRY_MS : COLLECT_MS).unref();
  }

  /** Writes all that waits. Never throws. */
  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        this.#segment ??= await OpenSegment.open(this.#deps);
        await this.#writeSome(this.#segment);
        if (this.#waiting.length === 0 && this.#missing > 0) {
          const text = `${this.#missing} events are missing`;
          this.#missing = 0;
          this.#tellTruth({ kind: 'gap', text });
        }
      }
      if (this.#isInTrouble) {
        this.#isInTrouble = false;
        this.#deps.onRecovery();
      }
      this.#syncLater();
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** One event that says what is true, or several others. They wait until they are written. */
  async #writeSome(segment: OpenSegment): Promise<void> {
    const [first] = this.#waiting;
    if (first?.kind === 'truth') {
      await segment.writeTruth(first);
      this.#waiting.shift();
      return;
    }
    const some: Change[] = [];
    for (const each of this.#waiting) {
      if (each.kind === 'truth' || some.length === LINES_A_WRITE) {
        break;
      }
      some.push(each);
    }
    await segment.write(some);
    this.#waiting.splice(0, some.length);
  }

  async #fail(error: unknown): Promise<void> {
    if (!this.#isInTrouble) {
      this.#isInTrouble = true;
      this.#deps.onTrouble(reasonOf(error));
    }
    if (!hasCode(error, 'ENOSPC') && !hasCode(error, 'EDQUOT')) {
      // The directory may be another one next time. What is there then is read again.
      const files = this.#segment?.files;
      this.#segment = undefined;
      await files?.close().catch(() => undefined);
    }
  }

  #syncLater(): void {
    if (!this.#isStopped) {
      this.#syncTimer ??= setTimeout(() => {
        this.#syncTimer = undefined;
        this.#segment?.files.sync().catch((error: unknown) => void this.#fail(error));
      }, SYNC_MS).unref();
    }
  }
}

function spanOf({ uid, name, leases }: DynamicUser): Span {
  const [first] = leases;
  const since = Math.min(...leases.map(lease => lease.since));
  return { uid, name, unit: first?.unit ?? '-', owner: first?.owner ?? 0, since };
}

/** The segment that is written to, and what its lines say so far. */
class OpenSegment {
  readonly files: SegmentFiles;
  readonly #deps: HistoryDeps;
  readonly #live: LiveSpans;
  #lines = 0;
  #linesMax = 0;
  #lastTime: number;
  /** the clock minus the time since the boot, in milliseconds */
  #offset: number | undefined;
  /** the time since the boot minus that of the monotonic clock, in seconds: it grows while the host sleeps */
  #bootedBefore = 0;

  private constructor(deps: HistoryDeps, files: SegmentFiles, live: LiveSpans, lastTime: number) {
    this.#deps = deps;
    this.files = files;
    this.#live = live;
    this.#lastTime = lastTime;
    this.#lines = (files.last?.bytes ?? 0) / LINE_BYTES;
    this.#linesMax = files.last === undefined ? 0 : linesMax(live.size);
  }

  /** Takes up what a former daemon wrote. @throws Error the system's */
  static async open(deps: HistoryDeps): Promise<OpenSegment> {
    const files = await SegmentFiles.open(deps.directory);
    try {
      const live = new LiveSpans();
      let lastTime = 0;
      await files.resume(record => {
        live.apply(record);
        lastTime = record.time;
      });
      return new OpenSegment(deps, files, live, lastTime);
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  async write(events: readonly Change[]) {
    let batch = new Batch(this.#live);
    for (const [index, event] of events.entries()) {
      // A clock that was set needs a line, or another segment, before it.
      if (index === 0 || (batch.records.length > 0 && this.#isClockSet(event))) {
        await this.#append(batch.records);
        await this.#prepare(event);
        batch = new Batch(this.#live);
      }
      batch.add(event, this.#stamp(event));
    }
    await this.#append(batch.records);
  }

  async writeTruth(truth: Truth) {
    await this.#prepare(truth);
    const stamp = this.#stamp(truth);
    const { note, spans } = truth;
    const records: HistoryRecord[] = [{ ...note, ...stamp }];
    const byUid = new Map(spans.map(span => [span.uid, span]));
    for (const span of this.#live.all()) {
      if (byUid.get(span.uid)?.name !== span.name) {
        records.push({ kind: 'gone', span, ...stamp });
      }
    }
    for (const span of spans) {
      const noted = this.#live.get(span.uid);
      if (noted?.name !== span.name) {
        records.push({ kind: 'found', span, ...stamp });
      } else if (noted.since === span.since && noted.unit === span.unit && noted.owner === span.owner) {
        // The texts are those of the user, and not in memory twice.
        this.#live.apply({ kind: 'lives', span, ...stamp });
      }
    }
    for (let from = 0; from < records.length; from += LINES_A_WRITE) {
      await this.#append(records.slice(from, from + LINES_A_WRITE));
    }
  }

  /** Before lines of a moment: begins a segment if it is time for one, and notes a clock that was set. */
  async #prepare(moment: Moment): Promise<void> {
    const { clock } = this.#deps;
    this.#bootedBefore = clock.uptime() - clock.monotonic() / 1_000;
    const isSetBack = moment.time < this.#lastTime - CLOCK_TOLERANCE_MS;
    if (isSetBack || this.#lines >= this.#linesMax) {
      if (isSetBack) {
        this.#lastTime = moment.time;
      }
      await this.#begin(moment, isSetBack);
    }
    if (this.#isClockSet(moment)) {
      const by = (this.#offsetOf(moment) - (this.#offset ?? 0)) / 1_000;
      const text = `set ${by < 0 ? 'back' : 'forward'} by ${Math.abs(by).toFixed(1)} s`;
      this.#offset = this.#offsetOf(moment);
      await this.#append([{ kind: 'clock', text, ...this.#stamp(moment) }]);
    }
    this.#offset = this.#offsetOf(moment);
  }

  async #begin(moment: Moment, isSetBack: boolean): Promise<void> {
    const stamp = this.#stamp(moment);
    const parts = [encodeRecord({ kind: 'format', text: `${FORMAT_VERSION} ${this.#deps.origin}`, ...stamp })];
    for (const span of this.#live.all()) {
      parts.push(encodeRecord({ kind: 'lives', span, ...stamp }));
      if (parts.length % LINES_A_WRITE === 0) {
        await new Promise(resolve => setImmediate(resolve));
      }
    }
    await this.files.begin(stamp.time, isSetBack, Buffer.concat(parts));
    this.#lines = parts.length;
    this.#linesMax = linesMax(this.#live.size);
    const limits = this.#deps.limits();
    if (limits !== undefined) {
      await this.files.trim(limits, moment.time);
    }
  }

  async #append(records: readonly HistoryRecord[]): Promise<void> {
    if (records.length === 0) {
      return;
    }
    await this.files.append(Buffer.concat(records.map(encodeRecord)));
    for (const record of records) {
      this.#live.apply(record);
    }
    this.#lines += records.length;
    this.#lastTime = records.at(-1)?.time ?? this.#lastTime;
  }

  #isClockSet(moment: Moment): boolean {
    return this.#offset !== undefined && Math.abs(this.#offsetOf(moment) - this.#offset) > CLOCK_TOLERANCE_MS;
  }

  #offsetOf(moment: Moment): number {
    return moment.time - this.#uptimeAt(moment) * 1_000;
  }

  #uptimeAt({ monotonic }: Moment): number {
    return this.#bootedBefore + monotonic / 1_000;
  }

  /** Within a segment times only grow: readers search it by halves. */
  #stamp(moment: Moment): Stamp {
    return { time: Math.max(moment.time, this.#lastTime), uptime: this.#uptimeAt(moment) };
  }
}

/** Lines that are not written yet: what they say of each user follows from those before. */
class Batch {
  readonly records: HistoryRecord[] = [];
  readonly #live: LiveSpans;
  readonly #changed = new Map<number, Span | undefined>();

  constructor(live: LiveSpans) {
    this.#live = live;
  }

  add({ kind, span }: Change, stamp: Stamp): void {
    const { uid, name } = span;
    const noted = this.#changed.has(uid) ? this.#changed.get(uid) : this.#live.get(uid);
    if (kind === 'begin') {
      this.#changed.set(uid, span);
      this.records.push({ kind, span, ...stamp });
      return;
    }
    // What was lost before has no other end.
    if (kind === 'end' || noted?.name === name) {
      // The begin that was noted counts, also for a user whose first lease has ended before.
      this.records.push({ kind, span: noted?.name === name ? noted : span, ...stamp });
      this.#changed.set(uid, undefined);
    }
  }
}

function linesMax(live: number): number {
  return Math.max(SEGMENT_LINES, LINES_FOR_EACH_LIVE * live);
}
