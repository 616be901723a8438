/** The syntax of ExecStart= and ExecStartPre= (systemd.service(5), "Command lines"). Pure. */
import { checkLimit, quote } from '../errors.ts';
import { ARGUMENTS_MAX, COMMANDS_MAX } from '../limits.ts';
import type { CommandLine } from '../properties/exec-settings.ts';
import { list, type PropertyContext, type PropertyReader } from '../properties/property.ts';
import { readPath } from './values.ts';
import { skipWhitespace, takeWord, WHITESPACE } from './words.ts';

export const COMMAND_PROPERTIES: ReadonlyMap<string, PropertyReader> = new Map<string, PropertyReader>([
  ['ExecStart', list(parsed => parsed.start, readCommands)],
  ['ExecStartPre', list(parsed => parsed.startBefore, readCommands)],
]);

/** Several commands in one value are separated by a semicolon that is a word of its own. */
function readCommands(value: string, context: PropertyContext): CommandLine[] {
  const found: CommandLine[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const words: string[] = [];
    from = takeCommand(value, from, words, context);
    if (words.length > 0) {
      found.push(toCommand(words, context));
    }
    checkLimit(found.length, COMMANDS_MAX, 'commands in it', context.field);
  }
  return found;
}

/** @returns where the next command begins; undefined after the last */
function takeCommand(
  value: string,
  from: number,
  words: string[],
  { fail, field }: PropertyContext,
): number | undefined {
  for (let at = from; ; ) {
    at = skipWhitespace(value, at);
    if (isAlone(value, at, ';')) {
      return at + 1;
    }
    if (isAlone(value, at, '\\;')) {
      words.push(';');
      at += 2;
    } else {
      const word = takeWord(value, at, 'c', fail);
      if (word === undefined) {
        return undefined;
      }
      words.push(word.text);
      at = word.next;
    }
    checkLimit(words.length, ARGUMENTS_MAX, 'words in it', field);
  }
}

function isAlone(value: string, at: number, word: string): boolean {
  const after = value.charAt(at + word.length);
  return value.startsWith(word, at) && (after === '' || WHITESPACE.includes(after));
}

function toCommand(words: readonly string[], context: PropertyContext): CommandLine {
  const { fail } = context;
  const [first = '', ...rest] = words;
  const prefixes = prefixesOf(first, context);
  const given = context.expand(first.slice(prefixes.length));
  if (given === '' || given.endsWith('/')) {
    fail(`${quote(first)} names no program`);
  }
  const path = given.includes('/') ? readPath(given, fail) : given;
  const expanded = rest.map(word => context.expand(word));
  const ownName = prefixes.includes('@');
  if (ownName && expanded.length === 0) {
    fail(`after ${quote(first)} there must be the name that the program is to see as its own`);
  }
  if (path === '.' || path === '..' || [path, ...expanded].some(word => word.includes('\0'))) {
    fail(`${quote(first)} names no program that can be started`);
  }
  return {
    path,
    words: ownName ? expanded : [path, ...expanded],
    ownName,
    expands: !prefixes.includes(':'),
    ignoreFailure: prefixes.includes('-'),
    as: prefixes.includes('+') ? 'outside' : prefixes.includes('!') ? 'root' : 'user',
  };
}

function prefixesOf(word: string, { fail }: PropertyContext): string {
  const prefixes = /^[-@:+!|]*/.exec(word)?.[0] ?? '';
  if (prefixes.includes('!!')) {
    fail('the prefix "!!" is not supported: it is for kernels without ambient capabilities; leave it out');
  }
  if (prefixes.includes('|')) {
    fail('the prefix "|" is not supported; name the shell as the program');
  }
  if (prefixes.includes('+') && prefixes.includes('!')) {
    fail('the prefixes "+" and "!" exclude each other');
  }
  const twice = [...prefixes].find((prefix, index) => prefixes.indexOf(prefix) !== index);
  return twice === undefined ? prefixes : fail(`the prefix "${twice}" is there twice`);
}
