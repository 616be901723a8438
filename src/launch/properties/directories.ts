/** StateDirectory= and its siblings (systemd.exec(5)). The allocator reads what their values mean. */
import type { DirectoryKind } from '../../core/directory.ts';
import { readEscape } from '../../core/escape.ts';
import { quote } from '../errors.ts';
import { readMode, readRelativePath, type ValueContext } from '../syntax/values.ts';
import { choice, list, value, wordsOf } from './property.ts';

/** The property of each kind of directories. */
export const DIRECTORY_PROPERTIES = {
  runtime: 'RuntimeDirectory',
  state: 'StateDirectory',
  cache: 'CacheDirectory',
  logs: 'LogsDirectory',
} as const satisfies Readonly<Record<DirectoryKind, string>>;

/** What a backslash makes part of a path, besides the escapes of C. */
const SEPARATORS = ': ';

export const DIRECTORIES = {
  StateDirectory: list(readValues),
  StateDirectoryMode: value(readMode),
  CacheDirectory: list(readValues),
  CacheDirectoryMode: value(readMode),
  LogsDirectory: list(readValues),
  LogsDirectoryMode: value(readMode),
  RuntimeDirectory: list(readValues),
  RuntimeDirectoryMode: value(readMode),
  RuntimeDirectoryPreserve: choice(['restart']),
  ConfigurationDirectory: list(readConfiguration),
  ConfigurationDirectoryMode: value(readMode),
};

/** Escapes stay: a colon may be one. The value of a specifier is escaped, so that it is part of a path and no more. */
function readValues(text: string, context: ValueContext): string[] {
  return wordsOf(text, 'keep', context).map(word => context.expand(word, part => part.replace(/[\\:]/g, '\\$&')));
}

function readConfiguration(text: string, context: ValueContext): string[] {
  return readValues(text, context).map(word => readRelativePath(withoutEscapes(word, context), context.fail));
}

/** The path that a value of one part has, with its escapes replaced (systemd.exec(5): a colon in a path is written "\:"). */
function withoutEscapes(word: string, { fail }: ValueContext): string {
  const bytes: Buffer[] = [];
  for (let index = 0; index < word.length; ) {
    const plain = /^[^\\:]+/.exec(word.slice(index))?.[0];
    const escaped = word.charAt(index) === '\\' ? readEscape(word.slice(index + 1), SEPARATORS) : undefined;
    if (word.charAt(index) === ':') {
      fail(`a colon in ${quote(word)}, which has no aliases and no flags; write a colon of its name as "\\:"`);
    }
    const next = plain === undefined ? escaped?.bytes : Buffer.from(plain);
    bytes.push(next ?? fail(`an invalid escape in ${quote(word)}; write a backslash as "\\\\"`));
    index += plain?.length ?? 1 + (escaped?.length ?? 0);
  }
  const whole = Buffer.concat(bytes);
  const text = whole.toString('utf8');
  return Buffer.from(text).equals(whole) ? text : fail(`escapes in ${quote(word)} that give no UTF-8; leave them out`);
}
