/** Comparisons in conditions (systemd.unit(5), ConditionKernelVersion=): operators, versions, patterns. Pure. */

const OPERATORS = ['!$=', '$=', '<>', '<=', '>=', '!=', '==', '<', '>', '='] as const;

/** "=" and "!=" compare texts where there are some, "==" and "<>" versions, those with "$" patterns. */
export type Comparison = (typeof OPERATORS)[number];

/** @returns the operator at the beginning of a text, undefined without one, and what follows */
export function takeOperator(text: string): { readonly operator: Comparison | undefined; readonly rest: string } {
  const operator = OPERATORS.find(candidate => text.startsWith(candidate));
  return { operator, rest: text.slice(operator?.length ?? 0).trimStart() };
}

/** @param order below, at or above 0: how one compares with the other */
export function holds(operator: Comparison, order: number): boolean {
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '<>':
    case '!=':
    case '!$=':
      return order !== 0;
    case '=':
    case '==':
    case '$=':
      return order === 0;
  }
}

/** What stands before and behind other things in a version, the lowest first; an end is between "~" and "-". */
const MARKS = ['~', '', '-', '^', '.'];

/** Compares versions as systemd does (https://uapi-group.org/specifications/specs/version_format_specification/). */
export function compareVersions(one: string, other: string): number {
  const [ours, theirs] = [partsOf(one), partsOf(other)];
  for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
    const order = compareParts(ours[index] ?? '', theirs[index] ?? '');
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

/** Numbers, words and marks; all other characters separate them. */
function partsOf(version: string): string[] {
  return version.match(/\d+|[A-Za-z]+|[~^.-]/g) ?? [];
}

function compareParts(one: string, other: string): number {
  const ranks = [one, other].map(part => (MARKS.includes(part) ? MARKS.indexOf(part) : MARKS.length));
  const [rank = 0, otherRank = 0] = ranks;
  if (rank !== otherRank || rank < MARKS.length) {
    return rank - otherRank;
  }
  const numbers = [one, other].map(part => (/^\d/.test(part) ? BigInt(part) : undefined));
  const [number, otherNumber] = numbers;
  if (number !== undefined && otherNumber !== undefined) {
    return number < otherNumber ? -1 : number > otherNumber ? 1 : 0;
  }
  // A number is above a word.
  return number !== undefined ? 1 : otherNumber !== undefined ? -1 : one < other ? -1 : one > other ? 1 : 0;
}
