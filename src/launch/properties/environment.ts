/** Environment= and its siblings (systemd.exec(5), "Environment"). */
import { checkLimit, type Fail, quote } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import { readPath } from '../syntax/values.ts';
import { splitWords } from '../syntax/words.ts';
import type { EnvironmentFile } from './parsed-properties.ts';
import { list, type PropertyContext, type PropertyReader } from './property.ts';

export const ENVIRONMENT_PROPERTIES: ReadonlyMap<string, PropertyReader> = new Map<string, PropertyReader>([
  ['Environment', list(parsed => parsed.environment, readAssignments)],
  ['EnvironmentFile', list(parsed => parsed.environmentFiles, readFile)],
  ['PassEnvironment', list(parsed => parsed.passEnvironment, readNames)],
  ['UnsetEnvironment', list(parsed => parsed.unsetEnvironment, readUnset)],
]);

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function isVariableName(text: string): boolean {
  return NAME.test(text);
}

/** @returns the name and the value of "NAME=VALUE" */
export function readVariable(text: string, fail: Fail): { readonly name: string; readonly value: string } {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (equals < 0 || !isVariableName(name)) {
    fail(`${quote(text)} is no assignment of a variable; it must be NAME=VALUE`);
  }
  const value = text.slice(equals + 1);
  return text.includes('\0') ? fail(`the value of ${name} must not contain NUL characters`) : { name, value };
}

function readAssignments(value: string, context: PropertyContext): string[] {
  return wordsOf(value, context).map(word => {
    const text = context.expand(word);
    readVariable(text, context.fail);
    return text;
  });
}

/** One path a value, which may have wildcards; "-" before it: it may be missing. */
function readFile(value: string, { expand, fail, field }: PropertyContext): EnvironmentFile[] {
  const optional = value.startsWith('-');
  return [{ path: readPath(expand(optional ? value.slice(1) : value), fail), optional, field }];
}

function readNames(value: string, context: PropertyContext): string[] {
  return wordsOf(value, context).map(word => {
    const name = context.expand(word);
    return isVariableName(name) ? name : context.fail(`${quote(name)} is no name of a variable`);
  });
}

function readUnset(value: string, context: PropertyContext): string[] {
  return wordsOf(value, context).map(word => {
    const text = context.expand(word);
    if (!isVariableName(text)) {
      readVariable(text, context.fail);
    }
    return text;
  });
}

function wordsOf(value: string, { fail, field }: PropertyContext): string[] {
  const words = splitWords(value, 'c', fail, LIST_MAX);
  checkLimit(words.length, LIST_MAX, 'entries in its list', field);
  return words;
}
