/** Comparisons in conditions (systemd.unit(5), ConditionKernelVersion=): operators, versions, patterns. Pure. */

/** Whether each holds, by how one compares with the other: below, at or above 0. The longer ones first. */
const OPERATORS = {
  '!$=': order => order !== 0,
  '$=': order => order === 0,
  '<>': order => order !== 0,
  '<=': order => order <= 0,
  '>=': order => order >= 0,
  '!=': order => order !== 0,
  '==': order => order === 0,
  '<': order => order < 0,
  '>': order => order > 0,
  '=': order => order === 0,
} as const satisfies Readonly<Record<string, (order: number) => boolean>>;

/** "=" and "!=" compare texts if there are some, "==" and "<>" versions, those with "$" patterns. */
export type Comparison = keyof typeof OPERATORS;

/** @returns the operator at the beginning of a text, undefined without one, and what follows */
export function takeOperator(text: string): { readonly operator: Comparison | undefined; readonly rest: string } {
  const operator = (Object.keys(OPERATORS) as Comparison[]).find(candidate => text.startsWith(candidate));
  return { operator, rest: text.slice(operator?.length ?? 0).trimStart() };
}

/** @param order below, at or above 0: how one compares with the other */
export function holds(operator: Comparison, order: number): boolean {
  return OPERATORS[operator](order);
}

/** @returns below 0, 0 or above 0, as Array.sort() takes it */
export function inOrder<Value extends string | bigint>(one: Value, other: Value): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Marks that order versions, the lowest first; the end of a version is between "~" and "-". */
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
  const [rank = 0, otherRank = 0] = [one, other].map(part =>
    MARKS.includes(part) ? MARKS.indexOf(part) : MARKS.length,
  );
  if (rank !== otherRank || rank < MARKS.length) {
    return rank - otherRank;
  }
  const [number, otherNumber] = [one, other].map(part => (/^\d/.test(part) ? BigInt(part) : undefined));
  if (number !== undefined && otherNumber !== undefined) {
    return inOrder(number, otherNumber);
  }
  // A number is above a word.
  return number !== undefined ? 1 : otherNumber !== undefined ? -1 : inOrder(one, other);
}
