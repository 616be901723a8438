/** The syntax of unit files (systemd.syntax(7)): sections, assignments, comments, continued lines. Pure. */
import { failFor, quote } from '../errors.ts';
import { trimmed } from './words.ts';

/** An assignment, and where it is from. */
export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** "/etc/systemd/system/x.service:12"; absent on the command line */
  readonly origin?: string;
}

/** Those of each section that is read. */
export interface UnitAssignments {
  readonly service: readonly Assignment[];
  readonly unit: readonly Assignment[];
}

/** @returns the field of an error about an assignment */
export function fieldOf(assignment: Assignment): string {
  return assignment.origin === undefined ? assignment.name : `${assignment.origin}: ${assignment.name}`;
}

const SECTIONS = ['Unit', 'Service', 'Install'];

/**
 * Reads a unit file. As with systemd, lines without a meaning are ignored, with a warning, and a bad head of a section is an error.
 * @param path the name of the file in messages
 * @param warn gets what was left out
 * @returns the assignments of [Service] and [Unit], in order
 * @throws DynuserError LaunchFailed
 */
export function parseUnitFile(text: string, path: string, warn: (text: string) => void): UnitAssignments {
  const found = { service: [] as Assignment[], unit: [] as Assignment[] };
  let section: string | undefined;
  for (const { line, number } of logicalLines(text)) {
    const origin = `${path}:${number}`;
    const fail = failFor(origin);
    if (line.includes('\0')) {
      fail('a NUL character in a unit file; take it out');
    }
    if (line.startsWith('[')) {
      section = line.endsWith(']') ? line.slice(1, -1) : fail(`not a section: ${quote(line)}; end it with "]"`);
      if (!SECTIONS.includes(section) && !section.startsWith('X-')) {
        warn(`${origin}: the section [${section}] is not one of a service; it is ignored`);
      }
      continue;
    }
    const equals = line.indexOf('=');
    if (section === undefined) {
      warn(`${origin}: a line before the first section is ignored: ${quote(line)}; put it below [Service]`);
    } else if (equals <= 0 && SECTIONS.includes(section)) {
      warn(`${origin}: a line that is not an assignment is ignored: ${quote(line)}; use NAME=VALUE`);
    } else if (section === 'Service' || section === 'Unit') {
      found[section === 'Unit' ? 'unit' : 'service'].push({
        name: trimmed(line.slice(0, equals)),
        value: trimmed(line.slice(equals + 1)),
        origin,
      });
    }
  }
  return found;
}

interface LogicalLine {
  readonly line: string;
  /** of the line in which it begins, from 1 */
  readonly number: number;
}

/** Joins lines that end in a backslash; comments in between are passed over, and do not end the line. */
function* logicalLines(text: string): Generator<LogicalLine> {
  let pending: string[] = [];
  let start = 1;
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  // One more line, which is empty, ends a continued one at the end of the text.
  for (const [index, raw] of [...lines, ''].entries()) {
    if (/^[ \t]*[#;]/.test(raw)) {
      continue;
    }
    start = pending.length === 0 ? index + 1 : start;
    const continues = endsEscaped(raw);
    // A backslash that joins lines is a space (systemd.syntax(7)).
    pending.push(continues ? `${raw.slice(0, -1)} ` : raw);
    if (continues) {
      continue;
    }
    const line = trimmed(pending.join(''));
    pending = [];
    if (line !== '') {
      yield { line, number: start };
    }
  }
}

/** @returns whether the text ends in an odd number of backslashes */
function endsEscaped(text: string): boolean {
  let count = 0;
  while (text.charAt(text.length - 1 - count) === '\\') {
    count++;
  }
  return count % 2 === 1;
}
