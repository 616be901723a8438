/** The order of names with versions in them: as text, but runs of digits by their numbers. Pure. */

/** @returns what Array.sort() takes */
export function naturally(one: string, other: string): number {
  const [parts, others] = [one, other].map(text => text.match(/\d+|\D+/g) ?? []);
  for (let index = 0; ; index++) {
    const [part, against] = [parts?.[index], others?.[index]];
    if (part === undefined || against === undefined) {
      return part === against ? 0 : part === undefined ? -1 : 1;
    }
    if (part === against) {
      continue;
    }
    const [number, counterpart] = [part, against].map(text => (/^\d/.test(text) ? BigInt(text) : undefined));
    if (number !== undefined && counterpart !== undefined && number !== counterpart) {
      return number < counterpart ? -1 : 1;
    }
    return part < against ? -1 : 1;
  }
}
