/** JSON output. Like all output it drives no terminal: what is not printable is written as \uNNNN (RFC 8259, 7). */

import { UNPRINTABLE } from './text.ts';

/** pretty: indented, for people; short: one line, for programs; off: no JSON but text */
export const JSON_MODES = ['pretty', 'short', 'off'] as const;
export type JsonMode = (typeof JSON_MODES)[number];

/** @returns the value, which must be plain data, as JSON with one line end; a bigint as a string of its digits */
export function renderJson(value: unknown, mode: 'pretty' | 'short'): string {
  const text = JSON.stringify(value, digits, mode === 'pretty' ? 2 : undefined);
  // Within JSON strings line ends are escaped already: a bare one is the indentation's.
  return `${text.replace(UNPRINTABLE, match => (match === '\n' ? match : escapeUnits(match)))}\n`;
}

/** JSON.stringify() refuses a bigint; a double in its place could be another number. */
function digits(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function escapeUnits(character: string): string {
  const units = character.split('').map(unit => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return units.map(unit => `\\u${unit}`).join('');
}
