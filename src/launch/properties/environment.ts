/** Environment= and its siblings (systemd.exec(5), "Environment"). */
import { type Fail, quote } from '../errors.ts';
import { readPath, type ValueContext } from '../syntax/values.ts';
import { entriesOf, list } from './property.ts';

/** A path of EnvironmentFile=, which may have wildcards. */
export interface EnvironmentFile {
  readonly path: string;
  readonly optional: boolean;
  /** the field of an error about it */
  readonly field: string;
}

export const ENVIRONMENT = {
  Environment: list(words(readVariable), { manual: 'NAME=VALUE: variables of the service.' }),
  EnvironmentFile: list(readFile, { manual: 'Files of such lines. - before a path: it may be missing.' }),
  // From the launcher's environment; with systemd, from the service manager's.
  PassEnvironment: list(words(checkName), { manual: "Variables of the launcher's environment that the service gets." }),
  // Where programs without a slash are looked for, and the service's PATH if nothing else gives one.
  ExecSearchPath: list(readSearchPath, {
    manual: 'Directories, separated by colons, where programs without a slash are looked for; PATH is set to them.',
  }),
  // Names, or NAME=VALUE for a variable that goes if it has this value.
  UnsetEnvironment: list(
    words((text, fail) => isVariableName(text) || readVariable(text, fail)),
    { manual: 'Variables that the service does not get, by name or as NAME=VALUE.' },
  ),
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

/** @returns the reader of words whose specifiers are replaced, and each of which is checked then */
function words(check: (word: string, fail: Fail) => unknown): (text: string, context: ValueContext) => string[] {
  return (text, context) =>
    entriesOf(text, 'c', context, word => {
      const expanded = context.expand(word);
      check(expanded, context.fail);
      return expanded;
    });
}

/** With systemd a bad path ends the list: those before it stay. */
function readSearchPath(text: string, context: ValueContext): string[] {
  const found: string[] = [];
  for (const part of text.split(':')) {
    const path = context.entry(() => readPath(context.expand(part), context.fail));
    if (path === undefined) {
      break;
    }
    found.push(path);
  }
  return found;
}

/** One path a value; "-" before it: it may be missing. */
function readFile(text: string, { expand, fail, field }: ValueContext): EnvironmentFile[] {
  const optional = text.startsWith('-');
  return [{ path: readPath(expand(optional ? text.slice(1) : text), fail), optional, field }];
}

function checkName(text: string, fail: Fail): void {
  if (!isVariableName(text)) {
    fail(`not the name of a variable: ${quote(text)}; use letters, digits and "_"`);
  }
}
