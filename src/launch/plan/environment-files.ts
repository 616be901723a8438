/** Reads the files of EnvironmentFile=, through the questions that a launcher answers. */
import { checkLimit, failFor, quote } from '../errors.ts';
import { VARIABLES_MAX } from '../limits.ts';
import { type EnvironmentFile, isVariableName } from '../properties/environment.ts';
import { parseEnvironmentFile } from '../syntax/environment-file.ts';
import type { Questions } from './questions.ts';

/** @returns their assignments, NAME=VALUE, in order; other names are warnings */
export function readEnvironmentFiles(
  files: readonly EnvironmentFile[],
  questions: Questions,
  warn: (text: string) => void,
): string[] {
  const found: string[] = [];
  for (const file of files) {
    for (const path of pathsOf(file, questions)) {
      const text = questions.file(path);
      if (text === undefined && !file.optional && questions.knows('file', path)) {
        failFor(file.field)(`no readable file ${quote(path)}; create it, or put "-" before the path to do without it`);
      }
      for (const { name, value } of parseEnvironmentFile(text ?? '')) {
        if (isVariableName(name) && !value.includes('\0')) {
          found.push(`${name}=${value}`);
        } else {
          warn(`${path}: ${quote(name)} is not the name of a variable; it is ignored`);
        }
      }
      checkLimit(found.length, VARIABLES_MAX, 'variables of environment files', file.field);
    }
  }
  return found;
}

function pathsOf(file: EnvironmentFile, questions: Questions): readonly string[] {
  // glob(7): a path without these is one file.
  if (!/[*?[\]{}\\]/.test(file.path)) {
    return [file.path];
  }
  const paths = questions.glob(file.path);
  if (paths === undefined && !file.optional && questions.knows('glob', file.path)) {
    failFor(file.field)(`no file matches ${quote(file.path)}; create one, or put "-" before the path to do without it`);
  }
  return (paths ?? []).filter(path => path.startsWith('/') && !path.includes('\0'));
}
