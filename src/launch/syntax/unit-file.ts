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

/** @returns the field of an error about an assignment */
export function fieldOf(assignment: Assignment): string {
  return assignment.origin === undefined ? assignment.name : `${assignment.origin}: ${assignment.name}`;
}

/**
 * @param path the name of the file in messages
 * @param warn gets what was left out
 * @returns the assignments of its [Service] section, in order
 * @throws DynuserError LaunchFailed
 */
export function parseUnitFile(text: string, path: string, warn: (text: string) => void): Assignment[] {
  const found: Assignment[] = [];
  let section: string | undefined;
  for (const { line, number } of logicalLines(text)) {
    const origin = `${path}:${number}`;
    const fail = failFor(origin);
    if (line.includes('\0')) {
      fail('a NUL character in a unit file; take it out');
    }
    if (line.startsWith('.include ')) {
      fail('".include" is not supported, nor is it by systemd; use a drop-in, NAME.service.d/NAME.conf');
    }
    if (line.startsWith('[')) {
      section = line.endsWith(']') ? line.slice(1, -1) : fail(`not a section: ${quote(line)}; end it with "]"`);
      if (!['Unit', 'Service', 'Install'].includes(section) && !section.startsWith('X-')) {
        warn(`${origin}: the section [${section}] is not one of a service; it is ignored`);
      }
      continue;
    }
    const equals = line.indexOf('=');
    if (equals <= 0) {
      fail(`not an assignment: ${quote(line)}; use NAME=VALUE`);
    }
    if (section === undefined) {
      fail(`an assignment before the first section: ${quote(line)}; put it below [Service]`);
    }
    if (section === 'Service') {
      found.push({ name: trimmed(line.slice(0, equals)), value: trimmed(line.slice(equals + 1)), origin });
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
  let number = 0;
  for (const raw of text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
    number++;
    if (/^[ \t]*[#;]/.test(raw)) {
      continue;
    }
    start = pending.length === 0 ? number : start;
    const goesOn = endsEscaped(raw);
    // A backslash that joins lines is a space (systemd.syntax(7)).
    pending.push(goesOn ? `${raw.slice(0, -1)} ` : raw);
    if (goesOn) {
      continue;
    }
    const line = trimmed(pending.join(''));
    pending = [];
    if (line !== '') {
      yield { line, number: start };
    }
  }
  const rest = trimmed(pending.join(''));
  if (rest !== '') {
    yield { line: rest, number: start };
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
