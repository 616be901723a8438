/** StateDirectory= and its siblings (systemd.exec(5)). What their values mean, the allocator decides. */
import type { DirectoryKind, DirectoryQuota } from '../../core/directory.ts';
import { parseDirectoryValue } from '../../core/directory-value.ts';
import { quote } from '../errors.ts';
import { asSize } from '../syntax/quantities.ts';
import { readMode, type ValueContext } from '../syntax/values.ts';
import { boolean, choice, entriesOf, filledValue, list, value } from './property.ts';

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
  StateDirectoryQuota: value(readQuota, {
    manual:
      'How much space each of these directories may take, such as 10G, or a percentage of the file system, which also bounds the number of files. It takes project quotas, and a service without PrivateUsers= can leave them.',
  }),
  StateDirectoryAccounting: boolean({
    manual: 'The space that these directories take is counted, by project quotas, where the file system has them.',
  }),
  CacheDirectory: list(readValues, { manual: 'As StateDirectory=, below /var/cache.' }),
  CacheDirectoryMode: filledValue(readMode, { manual: 'The mode of these directories, in octal.' }),
  CacheDirectoryQuota: value(readQuota, { manual: 'As StateDirectoryQuota=.' }),
  CacheDirectoryAccounting: boolean({ manual: 'As StateDirectoryAccounting=.' }),
  LogsDirectory: list(readValues, { manual: 'As StateDirectory=, below /var/log.' }),
  LogsDirectoryMode: filledValue(readMode, { manual: 'The mode of these directories, in octal.' }),
  LogsDirectoryQuota: value(readQuota, { manual: 'As StateDirectoryQuota=.' }),
  LogsDirectoryAccounting: boolean({ manual: 'As StateDirectoryAccounting=.' }),
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

const BYTES_MAX = Number.MAX_SAFE_INTEGER;

/** systemd.exec(5): "off", a percentage with two decimals at most, or a size. @returns 'off', or the quota */
function readQuota(text: string, { fail }: ValueContext): Exclude<DirectoryQuota, { kind: 'counted' }> | 'off' {
  if (text === 'off') {
    return text;
  }
  const [, whole, decimals = ''] = /^(\d{1,3})(?:\.(\d{1,2}))?%$/.exec(text) ?? [];
  if (whole !== undefined) {
    const permyriad = Number(whole) * 100 + Number(decimals.padEnd(2, '0'));
    return permyriad <= 10_000
      ? { kind: 'share', permyriad }
      : fail(`${quote(text)} is more than the whole; use 0% to 100%`);
  }
  const bytes = asSize(text);
  return bytes !== undefined && bytes <= BYTES_MAX
    ? { kind: 'bytes', bytes: Number(bytes) }
    : fail(`not a quota: ${quote(text)}; use a size such as 10G, a percentage such as 5%, or off`);
}

/** The kinds that outlive their services, and can have a quota. */
export const QUOTA_KINDS = ['state', 'cache', 'logs'] as const satisfies readonly DirectoryKind[];

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
