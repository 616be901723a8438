/** StateDirectory= and its siblings, with their modes (systemd.exec(5)). What their values mean is read where they are made. */
import type { DirectoryKind } from '../../core/directory.ts';
import { readEscape } from '../../core/escape.ts';
import { checkLimit, quote } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import { readChoice, readMode, readRelativePath } from '../syntax/values.ts';
import { splitWords } from '../syntax/words.ts';
import { list, type PropertyContext, type PropertyReader, single } from './property.ts';

export const CLASS_NAMES: Readonly<Record<DirectoryKind, string>> = {
  runtime: 'RuntimeDirectory',
  state: 'StateDirectory',
  cache: 'CacheDirectory',
  logs: 'LogsDirectory',
};

/** The directories below which those of each class are (systemd.exec(5)). */
export const CLASS_BASES: Readonly<Record<DirectoryKind, string>> = {
  runtime: '/run',
  state: '/var/lib',
  cache: '/var/cache',
  logs: '/var/log',
};

/** What a backslash makes part of a path, beside the escapes of C. */
const SEPARATORS = ': ';

const KINDS = Object.keys(CLASS_NAMES) as DirectoryKind[];

export const DIRECTORY_PROPERTIES: ReadonlyMap<string, PropertyReader> = new Map([
  ...KINDS.map(kind => [CLASS_NAMES[kind], list(parsed => parsed.directories[kind], readValues)] as const),
  ...KINDS.map(kind => [`${CLASS_NAMES[kind]}Mode`, modeOf(kind)] as const),
  ['ConfigurationDirectory', list(parsed => parsed.configuration, readConfiguration)],
  ['ConfigurationDirectoryMode', single('configurationMode', (value, { fail }) => readMode(value, fail))],
  ['RuntimeDirectoryPreserve', single('runtimePreserve', (value, { fail }) => readChoice(value, ['restart'], fail))],
]);

function modeOf(kind: DirectoryKind): PropertyReader {
  return (parsed, value, { fail }) => {
    if (value === '') {
      delete parsed.modes[kind];
    } else {
      parsed.modes[kind] = readMode(value, fail);
    }
  };
}

/** Escapes stay: a colon may be one. What a specifier stands for is escaped, so that it is part of a path and no more. */
function readValues(value: string, context: PropertyContext): string[] {
  return wordsOf(value, context).map(word => context.expand(word, text => text.replace(/[\\:]/g, '\\$&')));
}

function readConfiguration(value: string, context: PropertyContext): string[] {
  return readValues(value, context).map(word => readRelativePath(withoutEscapes(word, context), context.fail));
}

/** The path that a value of one part has, with its escapes replaced (systemd.exec(5): a colon in a path is written "\:"). */
function withoutEscapes(word: string, { fail }: PropertyContext): string {
  const bytes: Buffer[] = [];
  for (let index = 0; index < word.length; ) {
    const plain = /^[^\\:]+/.exec(word.slice(index))?.[0];
    const escaped = word.charAt(index) === '\\' ? readEscape(word.slice(index + 1), SEPARATORS) : undefined;
    if (word.charAt(index) === ':') {
      fail('a directory of configuration has no further names and no flags; a colon in its name is written "\\:"');
    }
    const next = plain === undefined ? escaped?.bytes : Buffer.from(plain);
    bytes.push(next ?? fail(`${quote(word)} has an invalid escape; a backslash is written "\\\\"`));
    index += plain?.length ?? 1 + (escaped?.length ?? 0);
  }
  const whole = Buffer.concat(bytes);
  const text = whole.toString('utf8');
  return Buffer.from(text).equals(whole) ? text : fail(`the escapes in ${quote(word)} give bytes that are not UTF-8`);
}

function wordsOf(value: string, { fail, field }: PropertyContext): string[] {
  const words = splitWords(value, 'keep', fail, LIST_MAX);
  checkLimit(words.length, LIST_MAX, 'entries in its list', field);
  return words;
}
