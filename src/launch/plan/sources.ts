/** Where the assignments of a launch come from, in the order in which later ones win: unit file, drop-ins, --untrusted, command line. */
import { checkLimit, failFor, quote } from '../errors.ts';
import { ASSIGNMENTS_MAX, TEXT_MAX } from '../limits.ts';
import { UNTRUSTED_FILTERS } from '../properties/filters.ts';
import { untrustedValues } from '../properties/table.ts';
import { type Assignment, parseUnitFile, type UnitAssignments } from '../syntax/unit-file.ts';
import { dropInDirectories, escapeUnitName, splitUnitName, type UnitName, unitOfFile } from '../syntax/unit-name.ts';
import { trimmed } from '../syntax/words.ts';
import type { Questions } from './questions.ts';
import type { LaunchRequest } from './request.ts';

/** The origin of the assignments of --untrusted, in messages. */
const ORIGIN = '--untrusted';

/** What --untrusted sets: for a program that may be hostile, all that a launch can take from it. */
const PRESET: readonly (readonly [name: string, value: string])[] = [
  ...untrustedValues(),
  // The links by which the NSS module finds names: without them the user would be a number to itself.
  ['BindReadOnlyPaths', '-/run/dynuser/by-uid -/run/dynuser/by-name'],
];

/** Variables of the launcher's own environment that the program gets; with "*" at its end, a beginning of names. */
export const UNTRUSTED_VARIABLES: readonly string[] = ['PATH', 'TERM', 'LANG', 'LC_*'];

const UNTRUSTED_ASSIGNMENTS: readonly Assignment[] = PRESET.map(([name, value]) => ({
  name,
  value,
  origin: ORIGIN,
}));

/**
 * @param fields of each property that was given, the field of an error about its last assignment
 * @returns what the preset sets, in words, and what was changed in it
 */
export function untrustedWords(fields: ReadonlyMap<string, string>): string[] {
  const filters = Object.entries(UNTRUSTED_FILTERS).map(([name, { words }]) =>
    fields.get(name) === name ? `${name}=${words}, changed by ${name}=` : `${name}=${words}`,
  );
  return [
    ...PRESET.map(([name, value]) =>
      fields.get(name) === `${ORIGIN}: ${name}` ? `${name}=${value}` : `${name}=${value}, changed by ${name}=`,
    ),
    ...filters,
  ];
}

/** @returns no unit if nothing names it. @throws DynuserError LaunchFailed, LimitReached */
export function collectAssignments(
  request: LaunchRequest,
  questions: Questions,
  warn: (text: string) => void,
): {
  readonly assignments: readonly Assignment[];
  readonly conditions: readonly Assignment[];
  readonly unit: UnitName | undefined;
} {
  const { unitFile, instance, properties = [] } = request;
  if (unitFile === undefined && instance !== undefined) {
    failFor('instance')('an instance without a unit file; give --unit-file=, too');
  }
  const ofFile = unitFile === undefined ? undefined : checkedFile(unitFile, instance);
  const fromFiles = ofFile === undefined ? [] : readFiles(ofFile, questions, warn);
  const conditions = fromFiles.flatMap(file => file.unit);
  const unit = request.unit === undefined ? ofFile?.unit : splitUnitName(escapeUnitName(request.unit), failFor('unit'));
  const preset = request.untrusted === true ? UNTRUSTED_ASSIGNMENTS : [];
  const assignments = [...fromFiles.flatMap(file => file.service), ...preset, ...properties.map(readProperty)];
  checkLimit(assignments.length, ASSIGNMENTS_MAX, 'properties', 'properties');
  checkLimit(conditions.length, ASSIGNMENTS_MAX, 'settings of [Unit]', 'unitFile');
  const length = assignments.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  checkLimit(length, TEXT_MAX, 'characters in all properties', 'properties');
  return { assignments, conditions, unit };
}

interface UnitFile {
  readonly path: string;
  readonly directory: string;
  readonly unit: UnitName;
}

function checkedFile(path: string, instance: string | undefined): UnitFile {
  const fail = failFor('unitFile');
  if (!path.startsWith('/') || path.includes('\0')) {
    fail(`not an absolute path: ${quote(path)}; begin it with "/"`);
  }
  const slash = path.lastIndexOf('/');
  const unit = unitOfFile(path.slice(slash + 1), instance, fail, failFor('instance'));
  return { path, directory: path.slice(0, slash).replace(/\/+$/, '') || '/', unit };
}

function readFiles(file: UnitFile, questions: Questions, warn: (text: string) => void): UnitAssignments[] {
  const text = questions.file(file.path);
  if (text === undefined && questions.knows('file', file.path)) {
    failFor('unitFile')(`no readable file ${quote(file.path)}; name a unit file`);
  }
  const dropIns = new Map<string, string>();
  for (const directory of dropInDirectories(file.unit, file.directory)) {
    for (const name of questions.directory(directory) ?? []) {
      // The first directory that has a name masks it in all others (systemd.unit(5)).
      if (/^[^/\0]+\.conf$/.test(name) && !dropIns.has(name)) {
        dropIns.set(name, `${directory}/${name}`);
      }
    }
  }
  const paths = [...dropIns].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  return [
    parseUnitFile(text ?? '', file.path, warn),
    ...paths.map(([, path]) => parseUnitFile(questions.file(path) ?? '', path, warn)),
  ];
}

function readProperty(text: string): Assignment {
  const equals = text.indexOf('=');
  if (equals <= 0) {
    failFor('properties')(`not a property: ${quote(text)}; use NAME=VALUE`);
  }
  const assignment = { name: trimmed(text.slice(0, equals)), value: trimmed(text.slice(equals + 1)) };
  return text.includes('\0') ? failFor(assignment.name)('a NUL character in the value; leave it out') : assignment;
}
