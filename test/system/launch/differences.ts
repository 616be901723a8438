/** The differences to systemd that dynuser-run(1) tells of, read from the page: no others are to be seen, and none too many. */
import { readSource } from '../../support/sources.ts';
import { type Facts, NOT_STARTED } from './report.ts';
import type { ComparedUnit } from './units.ts';

const PAGE = 'src/manual/dynuser-run.1';
const SECTION = 'DIFFERENCES FROM SYSTEMD';
/** What the page has in the place of a value where there is nothing. */
const NOTHING = 'none';

/** One thing that is different in the world of one unit. */
export interface Difference {
  readonly what: string;
  readonly theirs: string;
  readonly ours: string;
}

/** A row of the page: the same, with "*" for any text, and the lines of [Service] that it takes, one of several groups of them. */
export interface Documented extends Difference {
  readonly alternatives: readonly (readonly string[])[];
}

/** @returns one difference alone if one of them did not start */
export function differencesOf(theirs: Facts, ours: Facts): Difference[] {
  if (theirs.has(NOT_STARTED) !== ours.has(NOT_STARTED)) {
    const [failed, done] = ['fails', 'works'];
    return [
      { what: 'start', theirs: theirs.has(NOT_STARTED) ? failed : done, ours: ours.has(NOT_STARTED) ? failed : done },
    ];
  }
  return [...new Set([...theirs.keys(), ...ours.keys()])]
    .map(what => ({ what, theirs: theirs.get(what) ?? NOTHING, ours: ours.get(what) ?? NOTHING }))
    .filter(difference => difference.theirs !== difference.ours);
}

/** @throws Error where the page has no such section, or no rows in it */
export function documentedDifferences(): readonly Documented[] {
  const section = readSource(PAGE)
    .split(/^\.Sh /m)
    .find(text => text.startsWith(`${SECTION}\n`));
  const rows: Documented[] = [];
  let alternatives: readonly (readonly string[])[] = [[]];
  // A "With" continues behind each "or" at the end of a line.
  const unwrapped = (section ?? '').replace(/^With (?:.* or\n)+/gm, text => text.replaceAll('\n', ' '));
  for (const line of unwrapped.split('\n').map(text => text.replace(/\\-/g, '-').replace(/\\&/g, ''))) {
    if (line.startsWith('.Ss ')) {
      alternatives = [[]];
    }
    const settings = /^With (\w+=.*):$/.exec(line)?.[1];
    if (settings === undefined && /^With \w+=/.test(line)) {
      throw new Error(`${PAGE}: a line that says what rows take has to end with a colon: ${line}`);
    }
    alternatives = settings?.split(' or ').map(group => group.split(' ')) ?? alternatives;
    const [what, theirs, ours, more] = line.startsWith('.It ') ? line.slice('.It '.length).split(' Ta ') : [];
    if (what !== undefined && theirs !== undefined && ours !== undefined && more === undefined) {
      rows.push({ what, theirs, ours, alternatives });
    } else if (what !== undefined) {
      throw new Error(`${PAGE}: a row has three columns, and this one has not: ${line}`);
    }
  }
  if (rows.length === 0) {
    throw new Error(`${PAGE}: the section "${SECTION}" has no rows`);
  }
  return rows;
}

export function isAbout(row: Documented, difference: Difference, unit: ComparedUnit): boolean {
  return (
    row.alternatives.some(settings => settings.every(setting => unit.lines.some(line => matches(setting, line)))) &&
    matches(row.what, difference.what) &&
    matches(row.theirs, difference.theirs) &&
    matches(row.ours, difference.ours)
  );
}

function matches(pattern: string, text: string): boolean {
  const quoted = pattern.split('*').map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${quoted.join('.*')}$`, 's').test(text);
}

export function showDifference({ what, theirs, ours }: Difference): string {
  return `${what}: ${theirs} with systemd, ${ours} with dynuser-run`;
}
