/** Command lines of ExecStart= and its siblings (systemd.service(5), "Command lines"): their syntax, and the variables in them. Pure. */
import type { LaunchCommand } from '../../api/generated/io-dynuser-allocator.ts';
import { checkLimit, type Fail, failFor, quote } from '../errors.ts';
import { ARGUMENTS_MAX, COMMANDS_MAX, EXPANDED_MAX } from '../limits.ts';
import type { Assignment } from './unit-file.ts';
import { asBoolean, readPath, type ValueContext } from './values.ts';
import { skipWhitespace, splitWords, takeWord, WHITESPACE } from './words.ts';

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
  /** of ExecCondition=: whether the service is started at all */
  readonly isCondition?: boolean;
  /** "!": root, "+": root outside of the mount namespace; "!!" is nothing on kernels with ambient capabilities, as all are */
  readonly as: 'user' | 'root' | 'outside';
}

const PREFIXES = /^[-@:+!|]*/;

/**
 * Reads the commands of one value: a semicolon as a word by itself separates them. As with systemd, a bad command ends the
 * launch unless its failure is ignored: then what is left of the value falls out.
 */
export function readCommands(value: string, context: ValueContext): CommandLine[] {
  const found: CommandLine[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const words: string[] = [];
    const start = from;
    const taken = context.entry(() => {
      const next = takeCommand(value, start, words, context);
      return { next, commands: words.length === 0 ? [] : [toCommand(words, contextIn(words, context))] };
    });
    found.push(...(taken?.commands ?? []));
    from = taken?.next;
    checkLimit(found.length, COMMANDS_MAX, 'commands', context.field);
  }
  return found;
}

/**
 * Which commands of a service leave its root directory, as root: those with "+", and with PermissionsStartOnly= all but the service itself. The
 * unit file may come from anybody: nothing else in it has to be valid, and a command that cannot be read counts as one of them.
 * @returns each as NAME=WORD
 */
export function outsideCommands(service: readonly Assignment[]): string[] {
  const leavesAll = service.some(({ name, value }) => name === 'PermissionsStartOnly' && asBoolean(value) === true);
  return service
    .filter(({ name, value }) => name.startsWith('Exec') && value !== '')
    .flatMap(({ name, value }) => {
      const words = leavesAll && name !== 'ExecStart' ? [value] : wordsOutside(value);
      return words.map(word => `${name}=${word}`);
    });
}

function wordsOutside(value: string): string[] {
  const found: string[] = [];
  const { fail, expand } = { fail: failFor(''), expand: (text: string) => text };
  const context: ValueContext = {
    ...{ fail, field: '', expand, entry: read => read() },
    get strict() {
      return context;
    },
  };
  for (let from: number | undefined = 0; from !== undefined; ) {
    const words: string[] = [];
    try {
      from = takeCommand(value, from, words, context);
    } catch {
      return [...found, value];
    }
    const [first = ''] = words;
    if (PREFIXES.exec(first)?.[0].includes('+') === true) {
      found.push(first);
    }
  }
  return found;
}

/** Only a first word that cannot be read, and what is bad in a command with "-", may fall out. */
function contextIn([first]: readonly string[], context: ValueContext): ValueContext {
  return first === undefined || PREFIXES.exec(first)?.[0].includes('-') ? context : context.strict;
}

/** @returns the index at which the next command begins; undefined after the last */
function takeCommand(value: string, from: number, words: string[], context: ValueContext): number | undefined {
  for (let at = from; ; ) {
    at = skipWhitespace(value, at);
    if (isAlone(value, at, ';')) {
      return at + 1;
    }
    if (isAlone(value, at, '\\;')) {
      words.push(';');
      at += 2;
    } else {
      const word = takeWord(value, at, 'c', contextIn(words, context).fail);
      if (word === undefined) {
        return undefined;
      }
      words.push(word.text);
      at = word.next;
    }
    checkLimit(words.length, ARGUMENTS_MAX, 'words in a command line', context.field);
  }
}

function isAlone(value: string, at: number, word: string): boolean {
  const after = value.charAt(at + word.length);
  return value.startsWith(word, at) && (after === '' || WHITESPACE.includes(after));
}

function toCommand(words: readonly string[], context: ValueContext): CommandLine {
  const { fail } = context;
  const [first = '', ...rest] = words;
  const prefixes = prefixesOf(first, fail);
  const given = context.expand(first.slice(prefixes.length));
  if (given === '' || given.endsWith('/')) {
    fail(`no program in a command: ${quote(first)}; name one`);
  }
  const path = given.includes('/') ? readPath(given, fail) : given;
  const expanded = rest.map(word => context.expand(word));
  const ownName = prefixes.includes('@');
  if (ownName && expanded.length === 0) {
    fail(`nothing after ${quote(first)}; "@" asks for the name that the program sees as its own`);
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
    as: prefixes.includes('+') ? 'outside' : prefixes.split('!').length === 2 ? 'root' : 'user',
  };
}

function prefixesOf(word: string, fail: Fail): string {
  const prefixes = PREFIXES.exec(word)?.[0] ?? '';
  if (prefixes.includes('|')) {
    fail('the prefix "|" is not supported; name the shell as the program');
  }
  if (prefixes.includes('+') && prefixes.includes('!')) {
    fail('the prefixes "+" and "!" exclude each other; use one of them');
  }
  // The second "!" may stand anywhere after the first.
  const more = [...prefixes.replace(/!(.*)!/, '!$1')];
  const twice = more.find((prefix, index) => more.indexOf(prefix) !== index);
  return twice === undefined ? prefixes : fail(`the prefix "${twice}" is repeated; use it once`);
}

/** @returns the value of a variable; undefined if it is not set */
export type Variables = (name: string) => string | undefined;

const FIELD = 'ExecStart';

/** Replaces variables: `$NAME` as a word, `${NAME}` anywhere, `$$`. @throws DynuserError LaunchFailed, LimitReached */
export function planCommands(lines: readonly CommandLine[], variables: Variables): LaunchCommand[] {
  let made = 0;
  return lines.map(line => {
    const words = line.expands ? line.words.flatMap((word, index) => expand(word, index, line, variables)) : line.words;
    made += words.reduce((sum, word) => sum + word.length, 0);
    checkLimit(made, EXPANDED_MAX, 'characters in all command lines', FIELD);
    checkLimit(words.length, ARGUMENTS_MAX, 'words in a command line', FIELD);
    return {
      path: line.path,
      arguments: words.length === 0 ? [line.path] : words,
      as: line.as,
      ignoreFailure: line.ignoreFailure,
      ...(line.isCondition === true ? { condition: true } : {}),
    };
  });
}

function expand(word: string, index: number, line: CommandLine, variables: Variables): string[] {
  // The program itself is what the file says (systemd.service(5)); with "@" argv[0] is a word like the others.
  if (!word.includes('$') || (index === 0 && !line.ownName)) {
    return [word];
  }
  if (/^\$(?![{$])/.test(word)) {
    const value = variables(word.slice(1)) ?? '';
    return splitWords(closeQuote(value), 'plain', failFor(FIELD), ARGUMENTS_MAX);
  }
  let made = 0;
  // A colon would begin a default value, which command lines do not have: then nothing is replaced.
  const text = word.replace(/\$\$|\$\{([^}:]*)\}/g, (_whole, name: string | undefined) => {
    const value = name === undefined ? '$' : (variables(name) ?? '');
    made += value.length;
    checkLimit(made, EXPANDED_MAX, 'characters in all command lines', FIELD);
    return value;
  });
  return [text];
}

/** A value is split as far as it goes: a quote that is not closed, and a backslash at the end, are not errors there. */
function closeQuote(value: string): string {
  let open = '';
  let end = value;
  for (let index = 0; index < value.length; index++) {
    const character = value.charAt(index);
    if (character === '\\') {
      index++;
      end = index < value.length ? end : value.slice(0, -1);
    } else if (open !== '') {
      open = character === open ? '' : open;
    } else if (character === '"' || character === "'") {
      open = character;
    }
  }
  return end + open;
}
