/** Patterns of names as a shell has them (glob(7)): "*", "?", "[a-z]" and "[!a-z]". Pure, and without the cost of going back twice. */

type Piece =
  | { readonly kind: 'any' }
  | { readonly kind: 'one' }
  | {
      readonly kind: 'set';
      readonly ranges: readonly (readonly [first: string, last: string])[];
      readonly not: boolean;
    }
  | { readonly kind: 'character'; readonly character: string };

/** Whether a text is a pattern, and not the name that it would be without its special characters. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/**
 * @param escapes whether "\\" takes the meaning from the character behind it, as fnmatch(3) has it
 * @returns whether a whole text matches
 */
export function patternOf(pattern: string, escapes = false): (text: string) => boolean {
  const pieces = piecesOf([...pattern], escapes);
  return text => matches(pieces, [...text]);
}

/** @returns whether one of several texts matches one of the patterns; without a pattern all do */
export function anyOf(patterns: readonly string[]): (...texts: readonly string[]) => boolean {
  const matches = patterns.map(pattern => patternOf(pattern));
  return (...texts) => matches.length === 0 || matches.some(match => texts.some(match));
}

/** Only the last "*" is ever returned to: what the ones before it took can stay as it is. */
function matches(pieces: readonly Piece[], text: readonly string[]): boolean {
  let piece = 0;
  let at = 0;
  let star = -1;
  let taken = 0;
  while (at < text.length) {
    const wanted = pieces[piece];
    if (wanted?.kind === 'any') {
      star = piece++;
      taken = at;
    } else if (wanted !== undefined && fits(wanted, text[at] ?? '')) {
      piece++;
      at++;
    } else if (star >= 0) {
      piece = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  return pieces.slice(piece).every(({ kind }) => kind === 'any');
}

function fits(piece: Piece, character: string): boolean {
  switch (piece.kind) {
    case 'any':
    case 'one':
      return true;
    case 'set':
      return piece.ranges.some(([first, last]) => first <= character && character <= last) !== piece.not;
    case 'character':
      return piece.character === character;
  }
}

function piecesOf(pattern: readonly string[], escapes: boolean): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    const end = character === '[' ? endOfSet(pattern, at) : -1;
    const set = end > 0 ? setOf(pattern.slice(at + 1, end)) : undefined;
    const escaped = escapes && character === '\\' ? pattern[at + 1] : undefined;
    if (set !== undefined) {
      pieces.push(set);
      at = end;
    } else if (escaped !== undefined) {
      pieces.push({ kind: 'character', character: escaped });
      at++;
    } else if (character === '*') {
      pieces.push({ kind: 'any' });
    } else {
      pieces.push(character === '?' ? { kind: 'one' } : { kind: 'character', character });
    }
  }
  return pieces;
}

/** A "]" that is the first of the set is one of its characters. @returns −1 if nothing ends it: then "[" is itself */
function endOfSet(pattern: readonly string[], start: number): number {
  const first = start + (isNegation(pattern[start + 1]) ? 2 : 1);
  return pattern.indexOf(']', first + 1);
}

function isNegation(character: string | undefined): boolean {
  return character === '!' || character === '^';
}

/** @returns undefined for a bad set, such as "b-a": then "[" is itself */
function setOf(inside: readonly string[]): Piece | undefined {
  const not = isNegation(inside[0]);
  const ranges: [string, string][] = [];
  for (let at = not ? 1 : 0; at < inside.length; at++) {
    const first = inside[at] ?? '';
    const last = inside[at + 2];
    if (inside[at + 1] === '-' && last !== undefined) {
      ranges.push([first, last]);
      at += 2;
    } else {
      ranges.push([first, first]);
    }
  }
  return ranges.some(([first, last]) => first > last) ? undefined : { kind: 'set', ranges, not };
}
