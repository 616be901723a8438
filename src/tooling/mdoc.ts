/** Text as mdoc(7) takes it. Pure. */
import { wrap } from '../cli/render/text.ts';

/** Short enough that a line stays within 80 columns with its escapes. */
const WIDTH = 70;

/**
 * @param text words, of which nothing is a request or an escape
 * @returns lines, of which each sentence begins one: mdoc puts the space between two sentences itself
 */
export function mdocText(text: string): string {
  const sentences = text.split(/(?<=[.!?]) (?=\S)/);
  return sentences
    .flatMap(sentence => wrap(sentence, WIDTH))
    .map(line => `${mdocLine(line)}\n`)
    .join('');
}

/** @returns one line of running text: hyphens as they are typed, and nothing that roff would take for its own */
export function mdocLine(text: string): string {
  const escaped = text.replace(/\\/g, '\\e').replace(/-/g, '\\-');
  // A dot or an apostrophe at the start of a line would be a request.
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** @returns an argument of a macro, where quotation marks mean something too */
export function mdocWord(text: string): string {
  return mdocLine(text).replace(/"/g, '\\(dq');
}

/** @returns the macros of one option: "--user=NAME" */
export function mdocOption(name: string, value: string | undefined): string {
  const flag = `Fl \\-${mdocWord(name)}`;
  return value === undefined ? flag : `${flag} Ns = Ns Ar ${mdocWord(value)}`;
}
