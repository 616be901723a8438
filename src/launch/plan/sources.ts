/** Where the assignments of a launch come from, in the order in which later ones win: unit file, drop-ins, command line. */
import { checkLimit, failFor, quote } from '../errors.ts';
import { ASSIGNMENTS_MAX, TEXT_MAX } from '../limits.ts';
import { type Assignment, parseUnitFile } from '../syntax/unit-file.ts';
import { dropInDirectories, splitUnitName, type UnitName, unitOfFile } from '../syntax/unit-name.ts';
import { trimmed } from '../syntax/words.ts';
import type { Questions } from './questions.ts';
import type { LaunchRequest } from './request.ts';
import { UNTRUSTED_ASSIGNMENTS } from './untrusted.ts';

export interface Sources {
  readonly assignments: readonly Assignment[];
  /** absent if nothing names the unit */
  readonly unit?: UnitName;
}

/** @throws DynuserError LaunchFailed, LimitReached */
export function collectAssignments(
  request: LaunchRequest,
  questions: Questions,
  warn: (text: string) => void,
): Sources {
  const { unitFile, instance } = request;
  if (unitFile === undefined && instance !== undefined) {
    failFor('instance')('an instance without a unit file; give --unit-file=, too');
  }
  const ofFile = unitFile === undefined ? undefined : checkedFile(unitFile, instance);
  const fromFiles = ofFile === undefined ? [] : readFiles(ofFile, questions, warn);
  const unit = request.unit === undefined ? ofFile?.unit : splitUnitName(request.unit, failFor('unit'));
  const preset = request.untrusted ? UNTRUSTED_ASSIGNMENTS : [];
  const assignments = [...fromFiles, ...preset, ...request.properties.map(readProperty)];
  checkLimit(assignments.length, ASSIGNMENTS_MAX, 'properties', 'properties');
  const length = assignments.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  checkLimit(length, TEXT_MAX, 'characters in all properties', 'properties');
  return unit === undefined ? { assignments } : { assignments, unit };
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

function readFiles(file: UnitFile, questions: Questions, warn: (text: string) => void): Assignment[] {
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
    ...parseUnitFile(text ?? '', file.path, warn),
    ...paths.flatMap(([, path]) => parseUnitFile(questions.file(path) ?? '', path, warn)),
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
