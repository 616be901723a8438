/** The syntax of ExecStart= and ExecStartPre= (systemd.service(5), "Command lines"). Pure. */
import { checkLimit, quote } from '../errors.ts';
import { ARGUMENTS_MAX, COMMANDS_MAX } from '../limits.ts';
import { readPath, type ValueContext } from './values.ts';
import { skipWhitespace, takeWord, WHITESPACE } from './words.ts';

/** A command line, its variables not yet replaced. */
export interface CommandLine {
  readonly path: string;
  /** from argv[0] on */
  readonly words: readonly string[];
  /** "@": the first word is argv[0], not the path */
  readonly ownName: boolean;
  /** without ":" variables are replaced */
  readonly expands: boolean;
  /** "-" */
  readonly ignoreFailure: boolean;
  /** "!": root, "+": root outside of the mount namespace */
  readonly as: 'user' | 'root' | 'outside';
}

/** Reads the commands of one value: a semicolon as a word by itself separates them. */
export function readCommands(value: string, context: ValueContext): CommandLine[] {
  const found: CommandLine[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const words: string[] = [];
    from = takeCommand(value, from, words, context);
    if (words.length > 0) {
      found.push(toCommand(words, context));
    }
    checkLimit(found.length, COMMANDS_MAX, 'commands', context.field);
  }
  return found;
}

/** @returns the index at which the next command begins; undefined after the last */
function takeCommand(value: string, from: number, words: string[], { fail, field }: ValueContext): number | undefined {
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
    checkLimit(words.length, ARGUMENTS_MAX, 'words in a command line', field);
  }
}

function isAlone(value: string, at: number, word: string): boolean {
  const after = value.charAt(at + word.length);
  return value.startsWith(word, at) && (after === '' || WHITESPACE.includes(after));
}

function toCommand(words: readonly string[], context: ValueContext): CommandLine {
  const { fail } = context;
  const [first = '', ...rest] = words;
  const prefixes = prefixesOf(first, context);
  const given = context.expand(first.slice(prefixes.length));
  if (given === '' || given.endsWith('/')) {
    fail(`no program in a command: ${quote(first)}; name one`);
  }
  const path = given.includes('/') ? readPath(given, fail) : given;
  const expanded = rest.map(word => context.expand(word));
  const ownName = prefixes.includes('@');
  if (ownName && expanded.length === 0) {
    fail(`nothing behind ${quote(first)}; "@" asks for the name that the program sees as its own`);
  }
  if (path === '.' || path === '..' || [path, ...expanded].some(word => word.includes('\0'))) {
    fail(`not a program: ${quote(first)}; name a file, without NUL characters`);
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

function prefixesOf(word: string, { fail }: ValueContext): string {
  const prefixes = /^[-@:+!|]*/.exec(word)?.[0] ?? '';
  if (prefixes.includes('!!')) {
    fail('the prefix "!!" is for kernels without ambient capabilities; leave it out');
  }
  if (prefixes.includes('|')) {
    fail('the prefix "|" is not supported; name the shell as the program');
  }
  if (prefixes.includes('+') && prefixes.includes('!')) {
    fail('the prefixes "+" and "!" exclude each other; use one of them');
  }
  const twice = [...prefixes].find((prefix, index) => prefixes.indexOf(prefix) !== index);
  return twice === undefined ? prefixes : fail(`the prefix "${twice}" is there twice; use it once`);
}
