/** The text of an interface definition as tokens. Knows letters and comments, and nothing of the grammar. */

export interface Token {
  /** 'end' comes once, last, with an empty text */
  readonly kind: 'word' | 'sign' | 'end';
  readonly text: string;
  /** from 1 */
  readonly line: number;
  /** from 1, in UTF-16 units */
  readonly column: number;
  /** the comment lines directly above, without "#" and the space behind it */
  readonly documentation: readonly string[];
}

/** What is wrong with a definition, and where. */
export class IdlError extends Error {
  override readonly name = 'IdlError';

  /** @param at where it is wrong */
  constructor(at: { readonly line: number; readonly column: number }, reason: string) {
    super(`line ${at.line}, column ${at.column}: ${reason}`);
  }
}

/** One piece at a time. A word is a name of any sort, dots and hyphens of interface names included. */
const PIECE = /[ \t\r]+|(\n)|#([^\n]*)|([A-Za-z][A-Za-z0-9_.-]*(?<![.-]))|(->|\[\]|[[\]():,?])/y;

/** @throws IdlError at the first letter that no definition has */
export function* scan(text: string): Generator<Token, void, undefined> {
  const piece = new RegExp(PIECE);
  let line = 1;
  let lineStart = 0;
  let documentation: string[] = [];
  // A comment behind a token on its line is a remark on that, not the documentation of the next.
  let lineHasToken = false;
  let lineHasAnything = false;

  for (let offset = 0; offset < text.length; offset = piece.lastIndex) {
    piece.lastIndex = offset;
    const column = offset - lineStart + 1;
    const found = piece.exec(text);
    if (found === null) {
      throw new IdlError(
        { line, column },
        `unexpected ${JSON.stringify(String.fromCodePoint(text.codePointAt(offset) ?? 0))}`,
      );
    }
    const [, newline, comment, word, sign] = found;
    if (newline !== undefined) {
      documentation = lineHasAnything ? documentation : [];
      line += 1;
      lineStart = piece.lastIndex;
      lineHasToken = false;
      lineHasAnything = false;
    } else if (comment !== undefined) {
      lineHasAnything = true;
      if (!lineHasToken) {
        documentation.push(comment.replace(/^ /, '').trimEnd());
      }
    } else if (word !== undefined || sign !== undefined) {
      yield { kind: word === undefined ? 'sign' : 'word', text: word ?? sign ?? '', line, column, documentation };
      documentation = [];
      lineHasToken = true;
      lineHasAnything = true;
    }
  }
  yield { kind: 'end', text: '', line, column: text.length - lineStart + 1, documentation: [] };
}
