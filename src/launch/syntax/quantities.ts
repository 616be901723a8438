/** Quantities of properties (systemd.syntax(7), systemd.time(7), systemd.exec(5)): spans of time, sizes, lists of numbers. Pure. */
import { checkLimit, quote } from '../errors.ts';
import type { ValueContext } from './values.ts';

/** RLIM_INFINITY; no quantity is above it. */
export const INFINITE = 0xffff_ffff_ffff_ffffn;

export const NANOSECONDS_PER_SECOND = 1_000_000_000n;

/** Units of time by their names, in nanoseconds. */
const TIME_UNITS: ReadonlyMap<string, bigint> = new Map(
  (
    [
      ['nsec ns', 1n],
      ['usec us µs μs', 1_000n],
      ['msec ms', 1_000_000n],
      ['seconds second sec s', NANOSECONDS_PER_SECOND],
      ['minutes minute min m', 60_000_000_000n],
      ['hours hour hr h', 3_600_000_000_000n],
      ['days day d', 86_400_000_000_000n],
      ['weeks week w', 604_800_000_000_000n],
      // 30.4375 and 365.25 days, as systemd has them.
      ['months month M', 2_629_800_000_000_000n],
      ['years year y', 31_557_600_000_000_000n],
    ] as const
  ).flatMap(([names, nanoseconds]) => names.split(' ').map(name => [name, nanoseconds] as const)),
);
/** Units of size, in bytes: each is 1024 times the one before it. */
const SIZE_UNITS: ReadonlyMap<string, bigint> = new Map(
  [...'BKMGTPE'].map((unit, index) => [unit, 1_024n ** BigInt(index)]),
);
/** A number, which may have a fraction, and its unit. */
const TERM = /\s*(\d{1,20})(?:\.(\d{0,18}))?\s*([A-Za-zµμ]*)/y;

/** @returns the sum of terms like "1.5h 30min", in what the units are in; undefined if the text is something else, or the sum above INFINITE */
function sum(text: string, units: ReadonlyMap<string, bigint>, unitless: bigint): bigint | undefined {
  let total = 0n;
  TERM.lastIndex = 0;
  for (let at = 0; at < text.length; at = TERM.lastIndex) {
    const [, whole = '', fraction = '', unit = ''] = TERM.exec(text) ?? [];
    const factor = unit === '' ? unitless : units.get(unit);
    if (whole === '' || factor === undefined) {
      return undefined;
    }
    total += BigInt(whole) * factor + (BigInt(fraction || '0') * factor) / 10n ** BigInt(fraction.length);
  }
  return text === '' || total > INFINITE ? undefined : total;
}

/**
 * @param unitless the nanoseconds that a number without a unit counts
 * @returns nanoseconds, INFINITE for "infinity"
 */
export function readTimeSpan(text: string, unitless: bigint, { fail }: ValueContext): bigint {
  const found = text === 'infinity' ? INFINITE : sum(text, TIME_UNITS, unitless);
  return found ?? fail(`not a time span: ${quote(text)}; use a number with a unit, such as 90s or 1.5h, or infinity`);
}

/** @returns bytes; undefined if the text is not a size */
export function asSize(text: string): bigint | undefined {
  return sum(text, SIZE_UNITS, 1n);
}

/** @returns bytes, INFINITE for "infinity" */
export function readSize(text: string, { fail }: ValueContext): bigint {
  const found = text === 'infinity' ? INFINITE : asSize(text);
  return found ?? fail(`not a size: ${quote(text)}; use bytes, a number with K, M, G, T, P or E, or infinity`);
}

/** @returns an integer from least to most */
export function readInteger(text: string, least: number, most: number, { fail }: ValueContext): number {
  const number = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most
    ? number
    : fail(`not a number from ${least} to ${most}: ${quote(text)}; use one of them`);
}

/** @returns the numbers of a list of numbers and ranges ("0-3 5,7"), each of them below the bound, at most as many */
export function readIndexes(text: string, bound: number, context: ValueContext): number[] {
  const found: number[] = [];
  for (const word of text.split(/[\s,]+/).filter(part => part !== '')) {
    const [first = '', last = first, more] = word.split('-');
    const [from, to] = [first, last].map(end => readInteger(end, 0, bound - 1, context));
    if (more !== undefined || from === undefined || to === undefined || from > to) {
      context.fail(`not a range of numbers: ${quote(word)}; write the lower one first, as in 0-3`);
    }
    for (let index = from ?? 0; index <= (to ?? 0); index++) {
      found.push(index);
    }
    checkLimit(found.length, bound, 'list entries', context.field);
  }
  return found;
}
