/** Where the standard streams lead, and what is done to a terminal (systemd.exec(5), "Logging and Standard Input/Output"). */
import { type Fail, quote } from '../errors.ts';
import { STREAM_BYTES_MAX } from '../limits.ts';
import { readBoolean, readPath, type ValueContext } from '../syntax/values.ts';
import { unescapeBytes } from '../syntax/words.ts';
import { boolean, filledValue, list, listReader, value } from './property.ts';

/** What a value of StandardInput=, StandardOutput= or StandardError= says. */
export type StreamChoice =
  /** inherit: standard output has what standard input has, standard error what standard output has */
  | { readonly kind: 'inherit' | 'null' | 'socket' | 'data' }
  | { readonly kind: 'terminal'; readonly control?: 'wait' | 'force' | 'fail' }
  | { readonly kind: 'file'; readonly path: string; readonly how: 'file' | 'append' | 'truncate' }
  | { readonly kind: 'named'; readonly name?: string }
  | { readonly kind: 'journal'; readonly toKernel: boolean; readonly toConsole: boolean };

const FACILITIES: readonly (string | undefined)[] = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...[undefined, undefined, undefined, undefined],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;
/** What a terminal's size is given as, tty_ioctl(2). */
const SIZE_MAX = 65_535;

const JOURNALS: Readonly<Record<string, StreamChoice>> = {
  journal: { kind: 'journal', toKernel: false, toConsole: false },
  'journal+console': { kind: 'journal', toKernel: false, toConsole: true },
  kmsg: { kind: 'journal', toKernel: true, toConsole: false },
  'kmsg+console': { kind: 'journal', toKernel: true, toConsole: true },
  // Their old names, for which systemd warns.
  syslog: { kind: 'journal', toKernel: false, toConsole: false },
  'syslog+console': { kind: 'journal', toKernel: false, toConsole: true },
};

const INPUTS: Readonly<Record<string, StreamChoice>> = {
  null: { kind: 'null' },
  tty: { kind: 'terminal', control: 'wait' },
  'tty-force': { kind: 'terminal', control: 'force' },
  'tty-fail': { kind: 'terminal', control: 'fail' },
  data: { kind: 'data' },
  socket: { kind: 'socket' },
  fd: { kind: 'named' },
};

const OUTPUTS: Readonly<Record<string, StreamChoice>> = {
  inherit: { kind: 'inherit' },
  null: { kind: 'null' },
  tty: { kind: 'terminal' },
  ...JOURNALS,
  socket: { kind: 'socket' },
  fd: { kind: 'named' },
};

export const STREAMS = {
  StandardInput: filledValue((text, context) => readStream(text, INPUTS, ['file'], context), {
    manual:
      'Standard input: null, data, file:PATH, tty, tty-force, tty-fail, socket or fd:NAME. Unless it is given, that of the launcher.',
  }),
  StandardOutput: filledValue(readOutput, {
    manual:
      'Standard output: inherit, null, file:PATH, append:PATH, truncate:PATH, journal, kmsg, tty, socket or fd:NAME. Unless given, that of the launcher.',
  }),
  StandardError: filledValue(readOutput, {
    manual: 'Standard error, with the values of StandardOutput. If only StandardOutput is given, it leads to the same.',
  }),
  StandardInputText: list(readText, {
    manual: 'Lines of text for standard input, which is data then unless StandardInput says otherwise.',
    otherNames: { StandardInputData: listReader(readBase64) },
  }),
  TTYPath: value((text, { expand, fail }) => readPath(expand(text), fail), {
    manual: 'The terminal that tty means, and that the TTY properties are for; /dev/console unless it is given.',
  }),
  TTYReset: boolean({ manual: 'The terminal gets usual settings before each command.' }),
  TTYVHangup: boolean({ manual: 'Whoever has the terminal open loses it before each command.' }),
  TTYVTDisallocate: boolean({ manual: 'The screen of a virtual terminal is emptied before each command.' }),
  TTYRows: value(readSize, { manual: 'How many rows the terminal has.' }),
  TTYColumns: value(readSize, { manual: 'How many columns the terminal has.' }),
  SyslogIdentifier: value((text, context) => readIdentifier(context.expand(text), context.fail), {
    manual: "The name that lines in systemd's journal begin with; the program's name unless it is given.",
  }),
  SyslogFacility: filledValue((text, { fail }) => readNumberOrWord(text, FACILITIES, 'facility', fail), {
    manual: "The facility of lines in systemd's journal: daemon unless it is given.",
  }),
  SyslogLevel: filledValue((text, { fail }) => readNumberOrWord(text, LEVELS, 'level', fail), {
    manual: "The level of lines in systemd's journal that give none: info unless it is given.",
  }),
  SyslogLevelPrefix: filledValue<boolean>(readBoolean, {
    manual: "Lines in systemd's journal may begin with their level, as in <3>; yes unless it is given.",
  }),
};

function readStream(
  text: string,
  words: Readonly<Record<string, StreamChoice>>,
  files: readonly ('file' | 'append' | 'truncate')[],
  { expand, fail }: ValueContext,
): StreamChoice {
  const choice = Object.hasOwn(words, text) ? words[text] : undefined;
  if (choice !== undefined) {
    return choice;
  }
  const colon = text.indexOf(':');
  const [kind, rest] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  const how = files.find(word => word === kind);
  if (how !== undefined) {
    return { kind: 'file', path: readPath(expand(rest), fail), how };
  }
  if (kind === 'fd') {
    return { kind: 'named', name: readDescriptorName(expand(rest), fail) };
  }
  const known = [
    ...Object.keys(words).filter(word => !word.startsWith('syslog')),
    ...files.map(word => `${word}:PATH`),
  ];
  return fail(`unknown value: ${quote(text)}; use one of ${known.join(', ')}, fd:NAME`);
}

function readOutput(text: string, context: ValueContext): StreamChoice {
  return readStream(text, OUTPUTS, ['file', 'append', 'truncate'], context);
}

/** sd_listen_fds_with_names(3): names are ASCII, without ":", which is between them. */
export function readDescriptorName(text: string, fail: Fail): string {
  return /^[\x20-9;-~]{1,255}$/.test(text)
    ? text
    : fail(`not the name of a descriptor: ${quote(text)}; use at most 255 letters, digits and signs without ":"`);
}

/** A line; its escapes may be those of any bytes. */
function readText(text: string, { expand, fail }: ValueContext): Buffer[] {
  const expanded = expand(text, found => found.replaceAll('\\', '\\\\'));
  return [checkBytes(Buffer.concat([unescapeBytes(expanded, fail), Buffer.from('\n')]), fail)];
}

function readBase64(text: string, { fail }: ValueContext): Buffer[] {
  const digits = text.replace(/\s+/g, '');
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits)
    ? [checkBytes(Buffer.from(digits, 'base64'), fail)]
    : fail(`not base64: ${quote(text)}; "base64 -w 0" makes it`);
}

function checkBytes(bytes: Buffer, fail: Fail): Buffer {
  return bytes.length <= STREAM_BYTES_MAX ? bytes : fail(`more than ${STREAM_BYTES_MAX} bytes; use a file`);
}

function readSize(text: string, { fail }: ValueContext): number {
  const size = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return size <= SIZE_MAX ? size : fail(`not a size: ${quote(text)}; use a number, 0 to ${SIZE_MAX}`);
}

/** The journal reads it as a line. */
function readIdentifier(text: string, fail: Fail): string {
  return text.length <= 255 && !/\p{Cc}/u.test(text)
    ? text
    : fail(`not an identifier: ${quote(text)}; use at most 255 characters, and no control characters`);
}

function readNumberOrWord(text: string, words: readonly (string | undefined)[], what: string, fail: Fail): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : words.indexOf(text);
  return number >= 0 && number < words.length
    ? number
    : fail(`unknown ${what}: ${quote(text)}; use one of ${words.filter(word => word !== undefined).join(', ')}`);
}
