/**
 * Makes texts from outside safe, and measures them. Everything that a peer, a file or an argument says passes printable() before it is shown: a
 * name must never control the terminal of the operator who looks at it.
 */

/**
 * Control, format (bidirectional overrides among them), surrogate, private and unassigned characters, and the line and
 * paragraph separators (Unicode Standard, 4.5 General Category).
 */
export const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

const SURROGATE = /[\ud800-\udfff]/;

/** @returns the text with each character that is not printable as \n, \t, \xNN or \u{N…} */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  if (character === '\n') {
    return '\\n';
  }
  if (character === '\t') {
    return '\\t';
  }
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** @returns the width of a printable text in columns, one for each code point */
export function widthOf(text: string): number {
  // Most texts have no character of two code units, and a list may have a million cells.
  return SURROGATE.test(text) ? [...text].length : text.length;
}

/** @returns the text; if it is wider than `width` columns, its start and "…", `width` columns together */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) {
    return text;
  }
  return width < 1 ? '' : `${[...text].slice(0, width - 1).join('')}…`;
}

/** Text that goes to no terminal is wrapped for one of this width; a terminal that is narrower than the other breaks words. */
export const WRAP_COLUMNS = 100;
export const WRAP_NARROWEST = 40;

/** Breaks a text at its spaces into lines of at most `width` columns; a longer word has a line for itself. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** @returns "1 user", "2 users" */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
