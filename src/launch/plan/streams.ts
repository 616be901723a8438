/** From the properties of the standard streams to what the launcher opens. Pure. */
import type { LaunchPlan, Stream, Terminal } from '../../api/generated/io-dynuser-allocator.ts';
import { defined, unlessEmpty } from '../defined.ts';
import { failFor } from '../errors.ts';
import { STREAM_BYTES_MAX } from '../limits.ts';
import type { StreamChoice } from '../properties/streams.ts';
import type { ExecSettings } from '../properties/table.ts';

const [INPUT, OUTPUT, ERROR] = [0, 1, 2];
/** Names of descriptors for StandardInput=fd and its siblings without a name. */
const NAMES = ['stdin', 'stdout', 'stderr'] as const;
const CONSOLE = '/dev/console';
const DAEMON = 3;
const INFORMATION = 6;
const FACILITY_SHIFT = 3;

/** @returns the fields of the plan; streams that it does not name stay as the launcher has them */
export function planStreams(settings: ExecSettings): Pick<LaunchPlan, 'streams' | 'terminal'> {
  const [input, output, error] = choicesOf(settings);
  const streams = [
    ...(input === undefined ? [] : [inputStream(input, settings, [output, error])]),
    ...outputStream(OUTPUT, output, [input], settings),
    ...outputStream(ERROR, error, [input, output], settings),
  ];
  return defined({ streams: unlessEmpty(streams), terminal: terminalOf(settings) });
}

/** @returns the terminal that the properties give a program, which its TERM is about; undefined if they give none */
export function ownTerminal(settings: ExecSettings): string | undefined {
  const isOnOne = choicesOf(settings).some(choice => choice?.kind === 'terminal');
  return settings.TTYPath ?? (isOnOne ? CONSOLE : undefined);
}

type Choices = readonly [StreamChoice | undefined, StreamChoice | undefined, StreamChoice | undefined];

function choicesOf({ StandardInput, StandardInputText, StandardOutput, StandardError }: ExecSettings): Choices {
  const hasData = StandardInputText.length > 0;
  // As with systemd, data comes before /dev/null, and empty data is that.
  const input = hasData && (StandardInput?.kind ?? 'null') === 'null' ? ({ kind: 'data' } as const) : StandardInput;
  const given = input?.kind === 'data' && !hasData ? ({ kind: 'null' } as const) : input;
  const inherits = StandardOutput !== undefined && StandardOutput.kind !== 'inherit';
  const journal = StandardOutput?.kind === 'journal' ? StandardOutput : undefined;
  // Without a journal both stay as they are, each for itself.
  const error = StandardError ?? (inherits ? (journal ?? ({ kind: 'inherit' } as const)) : undefined);
  return [given, StandardOutput, error];
}

function inputStream(choice: StreamChoice, settings: ExecSettings, outputs: readonly Choices[number][]): Stream {
  if (choice.kind === 'file') {
    const isShared = outputs.some(output => isSameFile(output, choice));
    return { number: INPUT, kind: 'file', path: choice.path, access: isShared ? 'both' : 'read' };
  }
  if (choice.kind === 'data') {
    const data = Buffer.concat(settings.StandardInputText);
    if (data.length > STREAM_BYTES_MAX) {
      failFor('StandardInputText')(`more than ${STREAM_BYTES_MAX} bytes; use a file`);
    }
    return { number: INPUT, kind: 'data', data: data.toString('base64') };
  }
  return simpleStream(INPUT, choice, settings);
}

/** @param before the streams before it; with "inherit" it is a copy of the last of them */
function outputStream(
  number: number,
  choice: StreamChoice | undefined,
  before: readonly (StreamChoice | undefined)[],
  settings: ExecSettings,
): Stream[] {
  if (choice === undefined) {
    return [];
  }
  const copyOf = (from: number): Stream => ({ number, kind: 'copy', from });
  const other = before[number - 1];
  if (choice.kind === 'inherit') {
    // What standard input reads cannot be written to, and is not what is meant.
    const isMeant = number === ERROR || (other !== undefined && !['null', 'data'].includes(other.kind));
    return isMeant ? [copyOf(number - 1)] : [];
  }
  const same = before.findIndex(
    earlier => (choice.kind === 'terminal' && earlier?.kind === 'terminal') || isSameFile(choice, earlier),
  );
  if (same >= 0) {
    return [copyOf(same)];
  }
  if (choice.kind === 'file') {
    const { path, how } = choice;
    const further = {
      ...(how === 'append' ? { append: true } : {}),
      ...(how === 'truncate' ? { truncate: true } : {}),
    };
    return [{ number, kind: 'file', path, access: 'write', ...further }];
  }
  return [simpleStream(number, choice, settings)];
}

/** Whether two streams are one open file. Standard input is read, so only what is written over is the same as it. */
function isSameFile(one: StreamChoice | undefined, other: StreamChoice | undefined): boolean {
  return one?.kind === 'file' && other?.kind === 'file' && one.path === other.path && one.how === other.how;
}

function simpleStream(number: number, choice: StreamChoice, settings: ExecSettings): Stream {
  switch (choice.kind) {
    case 'terminal':
      return { number, kind: 'terminal', path: settings.TTYPath ?? CONSOLE, ...defined({ control: choice.control }) };
    case 'named':
      return { number, kind: 'named', name: choice.name ?? NAMES[number] ?? '' };
    case 'journal':
      return journalStream(number, choice, settings);
    case 'socket':
      return { number, kind: 'socket' };
    default:
      return { number, kind: 'null' };
  }
}

function journalStream(
  number: number,
  { toKernel, toConsole }: Extract<StreamChoice, { kind: 'journal' }>,
  { SyslogIdentifier, SyslogFacility, SyslogLevel, SyslogLevelPrefix }: ExecSettings,
): Stream {
  return {
    ...{ number, kind: 'journal' },
    ...defined({ identifier: SyslogIdentifier }),
    priority: ((SyslogFacility ?? DAEMON) << FACILITY_SHIFT) | (SyslogLevel ?? INFORMATION),
    levelPrefix: SyslogLevelPrefix ?? true,
    toKernel,
    toConsole,
  };
}

function terminalOf(settings: ExecSettings): Terminal | undefined {
  const { TTYReset, TTYVHangup, TTYVTDisallocate, TTYRows, TTYColumns } = settings;
  const path = ownTerminal(settings);
  if (
    path === undefined ||
    !(TTYReset || TTYVHangup || TTYVTDisallocate || TTYRows !== undefined || TTYColumns !== undefined)
  ) {
    return undefined;
  }
  return {
    path,
    hangup: TTYVHangup,
    reset: TTYReset,
    clear: TTYVTDisallocate,
    ...defined({ rows: TTYRows, columns: TTYColumns }),
  };
}
