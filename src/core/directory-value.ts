/**
 * The value syntax of StateDirectory= and its siblings (systemd.exec(5)): `source[:destination[:flags]]`, with C escapes
 * and `\:` for a colon within a part. Pure: says what a value names, and touches nothing.
 */

import { PRIVATE } from './directory-classes.ts';
import { readEscape } from './escape.ts';
import { quote } from './name.ts';

/** One directory of a request. */
export interface DirectoryValue {
  /** the path below the base directory, without "." components */
  readonly source: string;
  /** a further name for it below the base directory, a symlink */
  readonly destination?: string;
  readonly readOnly: boolean;
}

/** NAME_MAX and PATH_MAX of limits.h, the latter less what a base directory takes. */
const COMPONENT_MAX = 255;
const PATH_MAX = 4_000;
const SHOWN_MAX = 255;
/** What a backslash makes part of a value, instead of an end. */
const SEPARATORS = ': ';

/** @returns the parsed value, or an error message */
export function parseDirectoryValue(text: string): DirectoryValue | string {
  const parts = splitParts(text);
  if (parts === undefined) {
    return `${quote(text, SHOWN_MAX)} has an invalid escape; a backslash is written "\\\\"`;
  }
  if (parts.length > 3) {
    return `${quote(text, SHOWN_MAX)} has more than three parts; a colon within a part is written "\\:"`;
  }
  const source = checkPath(parts[0] ?? '');
  if ('reason' in source) {
    return source.reason;
  }
  const flags = parts[2] ?? '';
  if (flags !== '' && flags !== 'ro') {
    return `${quote(flags, SHOWN_MAX)} is not a flag of a directory; there is only "ro"`;
  }
  const value = { source: source.path, readOnly: flags === 'ro' };
  if (parts[1] === undefined || parts[1] === '') {
    return value;
  }
  const destination = checkPath(parts[1]);
  return 'reason' in destination ? destination.reason : { ...value, destination: destination.path };
}

/** @returns the parts without their escapes; undefined if an escape is invalid or the text is not UTF-8 */
function splitParts(text: string): string[] | undefined {
  const parts: Buffer[][] = [[]];
  for (let index = 0; index < text.length; ) {
    const rest = /^[^\\:]+/.exec(text.slice(index))?.[0];
    const escaped = text.charAt(index) === '\\' ? readEscape(text.slice(index + 1), SEPARATORS) : undefined;
    if (rest !== undefined) {
      parts.at(-1)?.push(Buffer.from(rest));
      index += rest.length;
    } else if (escaped !== undefined) {
      parts.at(-1)?.push(escaped.bytes);
      index += 1 + escaped.length;
    } else if (text.charAt(index) === ':') {
      parts.push([]);
      index++;
    } else {
      return undefined;
    }
  }
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return parts.map(part => decoder.decode(Buffer.concat(part)));
  } catch (error) {
    if (error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}

function checkPath(path: string): { readonly path: string } | { readonly reason: string } {
  const shown = quote(path, SHOWN_MAX);
  if (path.startsWith('/')) {
    return { reason: `${shown} must be relative: it is a path below the base directory` };
  }
  const components = path.split('/').filter(component => component !== '' && component !== '.');
  if (components.length === 0) {
    return { reason: `${shown} names no directory` };
  }
  if (components.includes('..')) {
    return { reason: `${shown} must not contain ".."` };
  }
  const tooLong = components.some(component => Buffer.byteLength(component) > COMPONENT_MAX);
  if (path.includes('\0') || tooLong || Buffer.byteLength(path) > PATH_MAX) {
    return { reason: `${shown} is a path that no file system can hold` };
  }
  if (components[0] === PRIVATE) {
    return { reason: `${shown} holds the private directories, and no service may have it` };
  }
  return { path: components.join('/') };
}
