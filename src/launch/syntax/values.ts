/** Single values of properties (systemd.syntax(7), systemd.exec(5)): booleans, modes, names, paths. Pure. */
import { isLookupName } from '../../core/name.ts';
import { type Fail, quote } from '../errors.ts';
import { COMPONENT_BYTES_MAX, PATH_BYTES_MAX } from '../limits.ts';

/** What the reader of a value gets in addition to its text. */
export interface ValueContext {
  /**
   * Ends the reading of what is bad. On the command line that ends the launch; in a unit file what was read falls out, with a
   * warning, as with systemd: an entry if there are several, or else the assignment.
   */
  readonly fail: Fail;
  /** The same for values that systemd refuses, too, and for what is not supported here: a bad one ends the launch, wherever it is from. */
  readonly strict: ValueContext;
  /** Reads one of several entries, which falls out alone. @returns undefined if it did */
  readonly entry: <Entry>(read: () => Entry) => Entry | undefined;
  /** the field of an error about the value */
  readonly field: string;
  /** @returns the text with its specifiers replaced; protect makes a replacement stand for itself */
  readonly expand: (text: string, protect?: (value: string) => string) => string;
}

const TRUE = new Set(['1', 'yes', 'y', 'true', 't', 'on']);
const FALSE = new Set(['0', 'no', 'n', 'false', 'f', 'off']);

/** @returns undefined if the text is not a boolean */
export function asBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}

/** @param further words that are allowed, too, for the error */
export function readBoolean(text: string, { fail }: ValueContext, further: readonly string[] = []): boolean {
  const words = ['yes', 'no', ...further];
  return (
    asBoolean(text) ?? fail(`not a boolean: ${quote(text)}; use ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`)
  );
}

/** @returns the text, if it is one of the words */
export function readWord<Word extends string>(text: string, words: readonly Word[], { fail }: ValueContext): Word {
  return words.find(word => word === text) ?? fail(`unknown value: ${quote(text)}; use one of ${words.join(', ')}`);
}

/** @returns permission bits, 0 … 0o7777 */
export function readMode(text: string, { fail }: ValueContext): number {
  const most = 0o7777;
  const mode = /^(?:0o)?[0-7]{1,16}$/.test(text) ? Number.parseInt(text.replace(/^0o/, ''), 8) : Number.NaN;
  return mode <= most ? mode : fail(`not a mode: ${quote(text)}; use an octal number, 0 to 07777`);
}

/** @returns a user's or group's name, or its number in decimal */
export function readAccount(text: string, fail: Fail): string {
  const isNumber = /^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) < 0xffff_ffff && text !== '65535';
  return isNumber || isLookupName(text)
    ? text
    : fail(`not the name of a user or group: ${quote(text)}; use a name or a number`);
}

/** @returns an absolute path without "." components and doubled slashes */
export function readPath(text: string, fail: Fail): string {
  return text.startsWith('/')
    ? `/${components(text, fail).join('/')}`
    : fail(`not an absolute path: ${quote(text)}; begin it with "/"`);
}

function components(text: string, fail: Fail): string[] {
  const found = text.split('/').filter(component => component !== '' && component !== '.');
  if (found.includes('..')) {
    fail(`".." in a path: ${quote(text)}; write the path without it`);
  }
  const tooLong = found.some(component => Buffer.byteLength(component) > COMPONENT_BYTES_MAX);
  if (text.includes('\0') || tooLong || Buffer.byteLength(text) > PATH_BYTES_MAX) {
    fail(
      `not a possible path: ${quote(text)}; use at most ${PATH_BYTES_MAX} bytes, ${COMPONENT_BYTES_MAX} between slashes, and no NUL`,
    );
  }
  return found;
}

/** @returns whether a path is another, or below it */
export function isWithin(path: string, other: string): boolean {
  return path === other || other === '/' || path.startsWith(`${other}/`);
}
