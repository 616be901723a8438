/**
 * Words as systemd takes them from a value (systemd.syntax(7), "Quoting"): separated by white space, with quotes that may
 * begin anywhere in a word, and backslashes. Pure, and linear in the length of the text.
 */
import { ESCAPE_MAX, readEscape } from '../../core/escape.ts';
import { type Fail, quote } from '../errors.ts';

export const WHITESPACE = ' \t\n\r';

/**
 * What a backslash does.
 * c: an escape of C; an invalid one stays as it is. plain: the next character is itself. keep: nothing
 */
export type Backslash = 'c' | 'plain' | 'keep';

export interface Word {
  readonly text: string;
  /** where the next word may begin */
  readonly next: number;
  /** the separator that ended it; empty at the end of the text */
  readonly end: string;
}

/** @returns the index of the first character at or after 'from' that is not white space */
export function skipWhitespace(text: string, from: number): number {
  let index = from;
  while (index < text.length && WHITESPACE.includes(text.charAt(index))) {
    index++;
  }
  return index;
}

/** @returns the text without white space, as systemd counts it, at its ends */
export function trimmed(text: string): string {
  let end = text.length;
  while (end > 0 && WHITESPACE.includes(text.charAt(end - 1))) {
    end--;
  }
  return text.slice(Math.min(skipWhitespace(text, 0), end), end);
}

/**
 * Takes one word, which begins at 'from' after white space.
 * @param separators what ends a word besides white space
 * @returns undefined if there is none
 * @throws through fail if a quote is not closed, the text ends in a backslash, or escapes give no UTF-8
 */
export function takeWord(
  text: string,
  from: number,
  backslash: Backslash,
  fail: Fail,
  separators = '',
): Word | undefined {
  let index = skipWhitespace(text, from);
  if (index >= text.length) {
    return undefined;
  }
  const word = new WordBuilder();
  let open = '';
  for (; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === '\\' && backslash !== 'keep') {
      index += takeEscape(text, index + 1, backslash, word, fail);
    } else if (open !== '') {
      open = character === open ? '' : open;
      word.add(open === '' ? '' : character);
    } else if (character === '"' || character === "'") {
      open = character;
    } else if (WHITESPACE.includes(character) || separators.includes(character)) {
      return { text: word.whole(fail), next: index + 1, end: character };
    } else {
      word.add(character);
    }
  }
  if (open !== '') {
    fail(`the quote ${open} is not closed: ${quote(text)}; close it, or escape it with a backslash`);
  }
  return { text: word.whole(fail), next: index, end: '' };
}

/** @returns all words of a text, fewer than or as many as 'most'; the caller complains of one more */
export function splitWords(text: string, backslash: Backslash, fail: Fail, most: number): string[] {
  const words: string[] = [];
  for (let from = 0; words.length <= most; ) {
    const word = takeWord(text, from, backslash, fail);
    if (word === undefined) {
      break;
    }
    words.push(word.text);
    from = word.next;
  }
  return words;
}

/**
 * @param nul whether there may be escapes of NUL
 * @returns the bytes of a text with the escapes of C; an invalid one stays as it is
 */
export function unescapeBytes(text: string, fail: Fail, nul?: 'nul'): Buffer {
  const word = new WordBuilder();
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    const zero =
      nul !== undefined ? /^\\(?:x00|000|u0000|U00000000)/.exec(text.slice(index, index + 1 + ESCAPE_MAX)) : null;
    if (zero !== null) {
      word.addBytes(Buffer.of(0));
      index += zero[0].length - 1;
    } else if (character === '\\') {
      index += takeEscape(text, index + 1, 'c', word, fail);
    } else {
      word.add(character);
    }
  }
  return word.bytes();
}

/** @returns how many characters after the backslash were taken */
function takeEscape(text: string, at: number, backslash: 'c' | 'plain', word: WordBuilder, fail: Fail): number {
  const next = text.charAt(at);
  if (next === '') {
    fail(`a backslash at the end: ${quote(text)}; write a backslash as "\\\\"`);
  }
  const found = backslash === 'c' ? readEscape(text.slice(at, at + ESCAPE_MAX)) : undefined;
  if (found !== undefined) {
    word.addBytes(found.bytes);
    return found.length;
  }
  // systemd warns of an invalid escape, and keeps both characters.
  word.add(backslash === 'c' ? `\\${next}` : next);
  return 1;
}

/** A word in the making: characters, and bytes that only together need to be UTF-8. */
class WordBuilder {
  readonly #chunks: Buffer[] = [];
  #text = '';

  add(text: string): void {
    this.#text += text;
  }

  addBytes(bytes: Buffer): void {
    if (this.#text !== '') {
      this.#chunks.push(Buffer.from(this.#text));
      this.#text = '';
    }
    this.#chunks.push(bytes);
  }

  bytes(): Buffer {
    return Buffer.concat([...this.#chunks, Buffer.from(this.#text)]);
  }

  whole(fail: Fail): string {
    if (this.#chunks.length === 0) {
      return this.#text;
    }
    const bytes = this.bytes();
    const text = bytes.toString('utf8');
    return Buffer.from(text).equals(bytes) ? text : fail(`escapes that are not UTF-8: ${quote(text)}; leave them out`);
  }
}
