/** Single values of properties (systemd.syntax(7), systemd.exec(5)): booleans, modes, names, paths. Pure. */
import { isLookupName } from '../../core/name.ts';
import { type Fail, quote } from '../errors.ts';
import { COMPONENT_BYTES_MAX, PATH_BYTES_MAX } from '../limits.ts';

const TRUE = new Set(['1', 'yes', 'y', 'true', 't', 'on']);
const FALSE = new Set(['0', 'no', 'n', 'false', 'f', 'off']);

/** @returns undefined where the text is no boolean */
export function asBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}

export function readBoolean(text: string, fail: Fail): boolean {
  return asBoolean(text) ?? fail(`${quote(text)} is no boolean; it must be yes or no`);
}

/** @returns 'yes' or 'no' for a boolean, or one of the further words */
export function readChoice<const T extends string>(text: string, words: readonly T[], fail: Fail): T | 'yes' | 'no' {
  const truth = asBoolean(text);
  if (truth !== undefined) {
    return truth ? 'yes' : 'no';
  }
  return words.find(word => word === text) ?? fail(`${quote(text)} must be one of: yes, no, ${words.join(', ')}`);
}

/** @returns permission bits, 0 … 0o7777 */
export function readMode(text: string, fail: Fail): number {
  const most = 0o7777;
  const mode = /^(?:0o)?[0-7]{1,16}$/.test(text) ? Number.parseInt(text.replace(/^0o/, ''), 8) : Number.NaN;
  return mode <= most ? mode : fail(`${quote(text)} is no mode; a mode is 0 to 07777 in octal`);
}

/** @returns a user's or group's name, or its number in decimal */
export function readAccount(text: string, fail: Fail): string {
  const isNumber = /^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) < 0xffff_ffff && text !== '65535';
  return isNumber || isLookupName(text) ? text : fail(`${quote(text)} is no name of a user or a group, and no number`);
}

/** @returns an absolute path without "." components and doubled slashes */
export function readPath(text: string, fail: Fail): string {
  return text.startsWith('/')
    ? `/${components(text, fail).join('/')}`
    : fail(`${quote(text)} must be an absolute path`);
}

/** @returns a relative path without "." components and doubled slashes */
export function readRelativePath(text: string, fail: Fail): string {
  if (text.startsWith('/')) {
    fail(`${quote(text)} must be a relative path`);
  }
  const parts = components(text, fail);
  return parts.length === 0 ? fail(`${quote(text)} names nothing`) : parts.join('/');
}

function components(text: string, fail: Fail): string[] {
  const found = text.split('/').filter(component => component !== '' && component !== '.');
  if (found.includes('..')) {
    fail(`${quote(text)} must not contain ".."`);
  }
  const tooLong = found.some(component => Buffer.byteLength(component) > COMPONENT_BYTES_MAX);
  if (text.includes('\0') || tooLong || Buffer.byteLength(text) > PATH_BYTES_MAX) {
    fail(`${quote(text)} is a path that no file system can hold`);
  }
  return found;
}

/** @returns whether a path is another, or below it */
export function isWithin(path: string, other: string): boolean {
  return path === other || other === '/' || path.startsWith(`${other}/`);
}
