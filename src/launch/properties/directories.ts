/** StateDirectory= and its siblings (systemd.exec(5)). What their values mean, the allocator decides. */
import type { DirectoryKind } from '../../core/directory.ts';
import { parseDirectoryValue } from '../../core/directory-value.ts';
import { quote } from '../errors.ts';
import { readMode, type ValueContext } from '../syntax/values.ts';
import { choice, entriesOf, filledValue, list } from './property.ts';

/** The property of each kind of directories. */
export const DIRECTORY_PROPERTIES = {
  runtime: 'RuntimeDirectory',
  state: 'StateDirectory',
  cache: 'CacheDirectory',
  logs: 'LogsDirectory',
} as const satisfies Readonly<Record<DirectoryKind, string>>;

/** A directory below /etc, which is root's. */
export interface ConfigurationDirectory {
  /** below /etc */
  readonly path: string;
  readonly readOnly: boolean;
}

export const DIRECTORIES = {
  StateDirectory: list(readValues, {
    manual:
      'Directories below /var/lib that are made, given to the user, and kept. NAME:LINK makes a further name, NAME::ro is read-only.',
  }),
  StateDirectoryMode: filledValue(readMode, { manual: 'The mode of these directories, in octal.' }),
  CacheDirectory: list(readValues, { manual: 'As StateDirectory=, below /var/cache.' }),
  CacheDirectoryMode: filledValue(readMode, { manual: 'The mode of these directories, in octal.' }),
  LogsDirectory: list(readValues, { manual: 'As StateDirectory=, below /var/log.' }),
  LogsDirectoryMode: filledValue(readMode, { manual: 'The mode of these directories, in octal.' }),
  RuntimeDirectory: list(readValues, {
    manual: 'As StateDirectory=, below /run. They are removed when the service ends.',
  }),
  RuntimeDirectoryMode: filledValue(readMode, { manual: 'The mode of these directories, in octal.' }),
  RuntimeDirectoryPreserve: choice(['restart'], {
    manual: 'yes or restart: runtime directories stay when the service ends.',
  }),
  ConfigurationDirectory: list(readConfiguration, {
    manual: 'Directories below /etc that are made, and belong to root.',
  }),
  ConfigurationDirectoryMode: filledValue(readMode, { manual: 'The mode of these directories, in octal.' }),
};

/** Escapes stay: a colon may be one. The value of a specifier is escaped, so that it is part of a path and no more. */
function readValues(text: string, context: ValueContext): string[] {
  return entriesOf(text, 'keep', context, word => {
    const value = expandPath(word, context);
    const parsed = parseDirectoryValue(value);
    return typeof parsed === 'string' ? context.fail(parsed) : value;
  });
}

function readConfiguration(text: string, context: ValueContext): ConfigurationDirectory[] {
  const { fail } = context;
  return entriesOf(text, 'keep', context, word => {
    const parsed = parseDirectoryValue(expandPath(word, context));
    if (typeof parsed === 'string') {
      return fail(parsed);
    }
    const { source: path, destination, readOnly } = parsed;
    return destination === undefined
      ? { path, readOnly }
      : fail(`${quote(word)} has an alias, which configuration cannot have; write a colon of its name as "\\:"`);
  });
}

function expandPath(word: string, { expand }: ValueContext): string {
  return expand(word, part => part.replace(/[\\:]/g, '\\$&'));
}

/** Whether a value of StateDirectory= or its siblings has the flag "ro". */
export function isReadOnlyDirectory(value: string): boolean {
  const parsed = parseDirectoryValue(value);
  return typeof parsed !== 'string' && parsed.readOnly;
}
