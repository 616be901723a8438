/** dynuserctl history [NAME|UID]: who had which UID, from the files that the daemon keeps. */
import { randomBytes } from 'node:crypto';
import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { HISTORY_DIRECTORY, HISTORY_DIRECTORY_VARIABLE } from '../../core/paths.ts';
import { mergeIntervals } from '../../core/range.ts';
import { hasCode } from '../../files/pinned-directory.ts';
import { type Found, History, type PastSpan } from '../../history/read.ts';
import type { Handler, OptionValues } from '../command.ts';
import { lastValue } from '../command-line.ts';
import { configuredRanges } from '../configured-ranges.ts';
import { CommandFailure, fileFailure, problemOf, readOrFail, usageFailure } from '../failure.ts';
import { thisHost } from '../host.ts';
import { HISTORY_SPANS_MAX } from '../limits.ts';
import { renderHistoryPage } from '../page/page.ts';
import { POINT_IN_TIME_HELP, parsePointInTime } from '../point-in-time.ts';
import { print } from '../print.ts';
import type { ProcessIo } from '../process-io.ts';
import { type HistoryEntry, renderHistory } from '../render/history.ts';
import { printable } from '../render/text.ts';
import { localTime } from '../render/time.ts';

/** Whom the question is about. */
interface Subject {
  readonly uid?: number;
  readonly name?: string;
}

export const history: Handler = async (invocation, io) => {
  const { operands, options } = invocation;
  const subject = subjectOf(operands[0]);
  const [at, from, to] = ['at', 'since', 'until'].map(name => timeOf(options, name, io.now()));
  const file = lastValue(options, 'file');
  if (file !== undefined && (at !== undefined || subject.name !== undefined || subject.uid !== undefined)) {
    throw usageFailure('--file= says itself which UID and which time it is about: leave out the others', 'history');
  }
  if (at !== undefined && (from !== undefined || to !== undefined)) {
    throw usageFailure('--at= is one point in time: leave out --since= and --until=', 'history');
  }
  const records = openHistory(io);
  const { spans, omitted } =
    file !== undefined
      ? { spans: ofFile(records, file), omitted: 0 }
      : at !== undefined
        ? { spans: atTime(records, at, subject), omitted: 0 }
        : inTime(records, { ...subject, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
  await warnOfGaps(records, at ?? from, omitted, io);
  const entries = spans.map(toEntry);
  const page = lastValue(options, 'html');
  if (page !== undefined) {
    await writePage(page, entries, omitted, io);
    return 0;
  }
  await print(entries, invocation, io, (_, layout) => renderHistory(entries, layout));
  return entries.length === 0 ? 1 : 0;
};

/** @returns the UIDs that can be given out, ascending. @throws CommandFailure if the configuration does not say */
export function intervalsOfRange(): readonly (readonly [first: number, last: number])[] {
  const ranges = configuredRanges(thisHost({}));
  if ('unknown' in ranges || 'problem' in ranges) {
    throw new CommandFailure('unknown' in ranges ? ranges.unknown : ranges.problem);
  }
  return mergeIntervals(ranges).map(({ first, last }) => [first, last] as const);
}

/** Writes the page for a browser. */
async function writePage(
  file: string,
  entries: readonly HistoryEntry[],
  omitted: number,
  io: ProcessIo,
): Promise<void> {
  const page = renderHistoryPage({ entries, ranges: intervalsOfRange(), hostName: hostname(), now: io.now(), omitted });
  if (file === '-') {
    await io.output.write(page);
    return;
  }
  const temporary = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    // Whatever somebody has put at the path is replaced, and never written to.
    writeFileSync(temporary, page, { flag: 'wx', mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileFailure(file, error);
  }
  if (io.output.terminal !== undefined) {
    await io.output.write(`Wrote ${printable(file)}, which only you can read.\n`);
  }
}

/** @throws CommandFailure in words */
export function openHistory({ environment }: Pick<ProcessIo, 'environment'>): History {
  const directory = environment[HISTORY_DIRECTORY_VARIABLE] || HISTORY_DIRECTORY;
  try {
    return History.open(directory);
  } catch (error) {
    throw new CommandFailure(`${printable(directory)}: ${describeFailure(error)}`, { cause: error });
  }
}

function describeFailure(error: unknown): string {
  if (hasCode(error, 'EACCES')) {
    return 'only root can read the history; use sudo';
  }
  return hasCode(error, 'ENOENT')
    ? "there is no history yet: dynuserd has not written any, or HistoryKeep=no; see 'dynuserctl doctor'"
    : `the history cannot be read (${problemOf(error)})`;
}

function subjectOf(operand: string | undefined): Subject {
  if (operand === undefined) {
    return {};
  }
  return /^\d{1,10}$/.test(operand) ? { uid: Number(operand) } : { name: operand };
}

function timeOf(options: OptionValues, name: string, now: number): number | undefined {
  const text = lastValue(options, name);
  const time = text === undefined ? undefined : parsePointInTime(text, now);
  if (text !== undefined && time === undefined) {
    throw usageFailure(
      `--${name}=: '${printable(text)}' is not a point in time; write ${POINT_IN_TIME_HELP}`,
      'history',
    );
  }
  return time;
}

function atTime(records: History, at: number, { uid, name }: Subject): PastSpan[] {
  const spans = records.at(at, uid).flatMap(instant => instant.spans);
  return spans.filter(span => name === undefined || span.name === name).sort((one, other) => one.uid - other.uid);
}

/** @throws CommandFailure if there is no such file, or its owner was not a dynamic user then */
function ofFile(records: History, file: string): PastSpan[] {
  const status = readOrFail(file, () => lstatSync(file));
  const spans = atTime(records, status.ctimeMs, { uid: status.uid });
  if (spans.length === 0) {
    const when = localTime(status.ctimeMs * 1_000);
    throw new CommandFailure(
      `${printable(file)} belongs to UID ${status.uid}, which no dynamic user had when its inode was changed (${when})`,
    );
  }
  return spans;
}

function inTime(records: History, filter: Subject & { from?: number; to?: number }): Found {
  const { spans, omitted } = records.find({ ...filter, max: HISTORY_SPANS_MAX });
  return { spans: [...spans].sort((one, other) => one.since - other.since || one.uid - other.uid), omitted };
}

async function warnOfGaps(records: History, from: number | undefined, omitted: number, io: ProcessIo): Promise<void> {
  const begin = records.begin === undefined ? '' : localTime(records.begin * MICROSECONDS);
  const warnings = [
    omitted === 0 ? '' : `${omitted} older ones are left out; choose some with --since= and --until=`,
    records.damaged === 0 ? '' : `${records.damaged} lines of the history are damaged, and were skipped`,
    from === undefined || records.begin === undefined || from >= records.begin
      ? ''
      : `the history begins ${begin}; nothing is known of the time before`,
  ];
  for (const warning of warnings.filter(text => text !== '')) {
    await io.errors.write(`dynuserctl: ${warning}\n`);
  }
}

const MICROSECONDS = 1_000;

function toEntry({ uid, name, unit, owner, since, until, how }: PastSpan): HistoryEntry {
  return {
    ...{ uid, userName: name, unit, owner, since: since * MICROSECONDS },
    ...(until === undefined ? {} : { until: until * MICROSECONDS }),
    ...(how === 'lost' ? { end: how } : how === 'gone' ? { end: 'unseen' } : {}),
  };
}
