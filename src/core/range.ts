/**
 * The range of UIDs that may be given out: intervals in an order, and what is taken out of them. The default is systemd's own,
 * so that both hand the same number to the same name; any other must lie where no distribution puts users of another kind
 * (systemd, docs/UIDS-GIDS.md). Whatever is done with a range takes as long as it has intervals, however many UIDs these have.
 */

import { OVERFLOW_ID, type Uid, type UnitName } from './ids.ts';
import { patternOf } from './pattern.ts';

/** UIDs one after the other, both ends included. */
export interface UidInterval {
  readonly first: Uid;
  readonly last: Uid;
}

/** An interval as it was configured, and what is left of it without the exclusions. */
export interface RangePart extends UidInterval {
  /** ascending, none empty, none touches another */
  readonly pieces: readonly UidInterval[];
}

export interface UidRange {
  /** in the order in which they were configured; no UID is in two of them */
  readonly parts: readonly RangePart[];
  /** as it was configured, with one space between two words */
  readonly text: string;
}

/** The range of the units whose names match a pattern. */
export interface UnitRange {
  /** of a unit's name, with or without its suffix: "*" is any text, "?" any character */
  readonly pattern: string;
  readonly range: UidRange;
}

/** systemd's range, in which it and this daemon lock what they use. */
export const SYSTEMD_INTERVAL: UidInterval = { first: 61184 as Uid, last: 65519 as Uid };

export const DEFAULT_RANGE: UidRange = {
  parts: [{ ...SYSTEMD_INTERVAL, pieces: [SYSTEMD_INTERVAL] }],
  text: `${SYSTEMD_INTERVAL.first}-${SYSTEMD_INTERVAL.last}`,
};

/** The bounds of a configured range, both included; native/include/dynuser.h says the same to the NSS module. */
export const POSSIBLE_UIDS: UidInterval = { first: 60578 as Uid, last: 2147483647 as Uid };

/** nobody, and the 16-bit −1 (chown(2) on old ABIs): within the bounds, but never given out. */
export const RESERVED_UIDS: readonly number[] = [OVERFLOW_ID, 65535];

/** Intervals and exclusions in one range. */
const RANGE_WORDS_MAX = 64;
/** Ranges of unit patterns. */
export const UNIT_RANGES_MAX = 64;

export function rangeSize({ parts }: UidRange): number {
  return parts.reduce((sum, part) => sum + partSize(part), 0);
}

export function partSize({ pieces }: RangePart): number {
  return pieces.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

export function inInterval({ first, last }: UidInterval, uid: number): boolean {
  return uid >= first && uid <= last;
}

export function inRange({ parts }: UidRange, uid: number): boolean {
  return parts.some(part => inPart(part, uid));
}

export function inPart({ pieces }: RangePart, uid: number): boolean {
  return pieces.some(piece => inInterval(piece, uid));
}

/** @param position 0 … partSize() − 1 @returns the UID at a position of what is left of a part */
export function uidAt({ pieces }: RangePart, position: number): Uid {
  let left = position;
  for (const { first, last } of pieces) {
    const size = last - first + 1;
    if (left < size) {
      return (first + left) as Uid;
    }
    left -= size;
  }
  throw new RangeError(`a part of the range has no position ${position}`);
}

/** @returns the intervals of several ranges in ascending order, those that touch as one */
export function mergeIntervals(ranges: readonly UidRange[]): readonly UidInterval[] {
  const merged: UidInterval[] = [];
  const pieces = ranges.flatMap(({ parts }) => parts.flatMap(part => part.pieces));
  for (const piece of pieces.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && piece.first <= before.last + 1) {
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, piece.last) as Uid };
    } else {
      merged.push(piece);
    }
  }
  return merged;
}

/** @returns whether two ranges have a UID in common */
export function intervalsOverlap(one: UidRange, other: UidRange): boolean {
  const pieces = other.parts.flatMap(part => part.pieces);
  return one.parts.some(part =>
    part.pieces.some(piece => pieces.some(({ first, last }) => first <= piece.last && piece.first <= last)),
  );
}

/** @returns the range of the first pattern that a unit matches, or the one of all other units */
export function rangeOfUnit(unit: UnitName, standard: UidRange, byUnit: readonly UnitRange[]): UidRange {
  return byUnit.find(({ pattern }) => matchesUnit(pattern, unit))?.range ?? standard;
}

const PATTERN = /^[A-Za-z0-9:_.\\@*?-]{1,255}$/;

/** @returns why the text cannot be a pattern of unit names; undefined if it can */
export function patternProblem(text: string): string | undefined {
  return PATTERN.test(text)
    ? undefined
    : 'a pattern of unit names has letters, digits, : _ . \\ @ - and the wildcards * and ?, such as ci-*';
}

function matchesUnit(pattern: string, unit: UnitName): boolean {
  const matches = patternOf(pattern);
  const dot = unit.lastIndexOf('.');
  return matches(unit) || (dot > 0 && matches(unit.slice(0, dot)));
}

/**
 * @param text intervals such as "61184-65519 100000-165535", and exclusions such as "!61500-61599" or "!61500"
 * @returns the range, or the reason why it cannot be one
 */
export function parseRange(text: string): UidRange | string {
  const words = text.split(/[ \t]+/).filter(word => word !== '');
  if (words.length > RANGE_WORDS_MAX) {
    return `it must not have more than ${RANGE_WORDS_MAX} intervals and exclusions`;
  }
  const intervals: UidInterval[] = [];
  const excluded: UidInterval[] = [];
  for (const word of words) {
    const read = word.startsWith('!') ? readExclusion(word.slice(1)) : readInterval(word);
    if (typeof read === 'string') {
      return read;
    }
    (word.startsWith('!') ? excluded : intervals).push(read);
  }
  if (intervals.length === 0) {
    return `"${text}" has no two numbers with a dash between, such as 61184-65519`;
  }
  return checkIntervals(intervals, excluded) ?? makeRange(intervals, excluded, words.join(' '));
}

function readInterval(word: string): UidInterval | string {
  const match = /^(\d{1,10})-(\d{1,10})$/.exec(word);
  if (match === null) {
    return `"${word}" is not two numbers with a dash between, such as 61184-65519`;
  }
  const [first, last] = [Number(match[1]) as Uid, Number(match[2]) as Uid];
  return first > last ? `${first} is greater than ${last}` : { first, last };
}

function readExclusion(word: string): UidInterval | string {
  if (/^\d{1,10}$/.test(word)) {
    return { first: Number(word) as Uid, last: Number(word) as Uid };
  }
  const read = readInterval(word);
  return typeof read === 'string'
    ? `"!${word}" excludes nothing: it is not a number, or two with a dash between`
    : read;
}

function checkIntervals(intervals: readonly UidInterval[], excluded: readonly UidInterval[]): string | undefined {
  for (const [index, { first, last }] of intervals.entries()) {
    if (first < POSSIBLE_UIDS.first || last > POSSIBLE_UIDS.last) {
      return `it must lie within ${POSSIBLE_UIDS.first}-${POSSIBLE_UIDS.last}`;
    }
    const other = intervals.slice(0, index).find(earlier => earlier.first <= last && first <= earlier.last);
    if (other !== undefined) {
      return `${other.first}-${other.last} and ${first}-${last} overlap`;
    }
    const reserved = RESERVED_UIDS.find(
      uid => uid >= first && uid <= last && !excluded.some(exclusion => inInterval(exclusion, uid)),
    );
    if (reserved !== undefined) {
      return `it must not contain ${reserved}, which is reserved; exclude it by !${reserved}`;
    }
  }
  for (const { first, last } of excluded) {
    if (!intervals.some(interval => interval.first <= last && first <= interval.last)) {
      return `!${first}-${last} excludes nothing: no interval has any of these numbers`;
    }
  }
  return undefined;
}

function makeRange(
  intervals: readonly UidInterval[],
  excluded: readonly UidInterval[],
  text: string,
): UidRange | string {
  const parts = intervals.map(interval => ({ ...interval, pieces: without(interval, excluded) }));
  return parts.every(({ pieces }) => pieces.length === 0) ? `nothing is left of "${text}"` : { parts, text };
}

function without(interval: UidInterval, excluded: readonly UidInterval[]): readonly UidInterval[] {
  const pieces: UidInterval[] = [];
  let next: number = interval.first;
  for (const { first, last } of excluded.toSorted((a, b) => a.first - b.first)) {
    if (first > interval.last || last < next) {
      continue;
    }
    if (first > next) {
      pieces.push({ first: next as Uid, last: (first - 1) as Uid });
    }
    next = last + 1;
  }
  if (next <= interval.last) {
    pieces.push({ first: next as Uid, last: interval.last });
  }
  return pieces;
}
