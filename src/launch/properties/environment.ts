/** Environment= and its siblings (systemd.exec(5), "Environment"). */
import { type Fail, quote } from '../errors.ts';
import { readPath, type ValueContext } from '../syntax/values.ts';
import { list, wordsOf } from './property.ts';

/** A path of EnvironmentFile=, which may have wildcards. */
export interface EnvironmentFile {
  readonly path: string;
  readonly optional: boolean;
  /** the field of an error about it */
  readonly field: string;
}

export const ENVIRONMENT = {
  Environment: list(readAssignments),
  EnvironmentFile: list(readFile),
  PassEnvironment: list(readNames),
  UnsetEnvironment: list(readUnset),
};

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function isVariableName(text: string): boolean {
  return NAME.test(text);
}

/** @returns the name and the value of "NAME=VALUE" */
export function readVariable(text: string, fail: Fail): { readonly name: string; readonly value: string } {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (equals < 0 || !isVariableName(name)) {
    fail(`not an assignment of a variable: ${quote(text)}; use NAME=VALUE`);
  }
  const value = text.slice(equals + 1);
  return text.includes('\0') ? fail(`a NUL character in the value of ${name}; leave it out`) : { name, value };
}

function readAssignments(text: string, context: ValueContext): string[] {
  return wordsOf(text, 'c', context).map(word => {
    const assignment = context.expand(word);
    readVariable(assignment, context.fail);
    return assignment;
  });
}

/** One path a value; "-" before it: it may be missing. */
function readFile(text: string, { expand, fail, field }: ValueContext): EnvironmentFile[] {
  const optional = text.startsWith('-');
  return [{ path: readPath(expand(optional ? text.slice(1) : text), fail), optional, field }];
}

function readNames(text: string, context: ValueContext): string[] {
  return wordsOf(text, 'c', context).map(word => {
    const name = context.expand(word);
    return isVariableName(name)
      ? name
      : context.fail(`not the name of a variable: ${quote(name)}; use letters, digits and "_"`);
  });
}

/** Names, or NAME=VALUE for a variable that goes if it has this value. */
function readUnset(text: string, context: ValueContext): string[] {
  return wordsOf(text, 'c', context).map(word => {
    const entry = context.expand(word);
    if (!isVariableName(entry)) {
      readVariable(entry, context.fail);
    }
    return entry;
  });
}
