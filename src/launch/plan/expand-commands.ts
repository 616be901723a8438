/** Variables in command lines (systemd.service(5), "Command lines"): `$NAME` as a word, `${NAME}` anywhere, `$$`. Pure. */

import type { LaunchCommand } from '../../api/generated/io-dynuser-allocator.ts';
import { checkLimit, failFor } from '../errors.ts';
import { ARGUMENTS_MAX, EXPANDED_MAX } from '../limits.ts';
import type { CommandLine } from '../syntax/command-line.ts';
import { splitWords } from '../syntax/words.ts';

/** @returns the value of a variable; undefined if it is not set */
export type Variables = (name: string) => string | undefined;

const FIELD = 'ExecStart';

/** @throws DynuserError LaunchFailed, LimitReached */
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
  let quote = '';
  let end = value;
  for (let index = 0; index < value.length; index++) {
    const character = value.charAt(index);
    if (character === '\\') {
      index++;
      end = index < value.length ? end : value.slice(0, -1);
    } else if (quote !== '') {
      quote = character === quote ? '' : quote;
    } else if (character === '"' || character === "'") {
      quote = character;
    }
  }
  return end + quote;
}
