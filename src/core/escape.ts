/** The escapes of C as systemd reads them in values of unit files (systemd.syntax(7)). Pure. */

const SINGLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  s: ' ',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** Escapes that give a byte or a code point: the digits after the letter, their base, and the base of what they name. */
const NUMERIC = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/;

/** The longest escape in characters, without its backslash: U and eight digits. */
export const ESCAPE_MAX = 9;

/**
 * Reads what follows a backslash.
 * @param separators further characters that a backslash makes themselves
 * @returns the bytes that it stands for and how many characters it took, or undefined if it is not an escape, or one of NUL
 */
export function readEscape(
  text: string,
  separators = '',
): { readonly bytes: Buffer; readonly length: number } | undefined {
  const first = text.charAt(0);
  const single = SINGLE[first] ?? (first !== '' && separators.includes(first) ? first : undefined);
  if (single !== undefined) {
    return { bytes: Buffer.from(single), length: 1 };
  }
  const match = NUMERIC.exec(text);
  if (match === null) {
    return undefined;
  }
  const [whole, byte, short, long, octal] = match;
  const point = Number.parseInt(byte ?? short ?? long ?? octal ?? '', octal === undefined ? 16 : 8);
  const isByte = byte !== undefined || octal !== undefined;
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  if (point === 0 || point > (isByte ? 0xff : 0x10_ffff) || (!isByte && isSurrogate)) {
    return undefined;
  }
  return { bytes: isByte ? Buffer.of(point) : Buffer.from(String.fromCodePoint(point)), length: whole.length };
}
