/** Help texts, made from the table of commands. Plain text within 80 columns. Pure. */
import type { CommandSpec, CommandTable, OptionSpec } from '../command.ts';
import { widthOf, wrap } from './text.ts';

const WIDTH = 80;
const INDENT = '  ';
const GAP = 2;
/** An entry wider than this has its text on the lines below, so that one long entry does not squeeze all others. */
const TERM_MAX = 26;

/** The help of the whole command. */
export function renderHelp({ commands, options }: CommandTable): string {
  return sections([
    ['', ['Shows and manages the users that live as long as a service needs them.']],
    ['Usage', ['  dynuserctl [OPTION]... COMMAND [ARGUMENT]...']],
    ['Commands', entries(commands.map(command => [[command.verb, ...command.operands].join(' '), command.summary]))],
    ['Options', optionLines(options)],
    [
      'Environment',
      entries([
        ['DYNUSER_RUNTIME_DIRECTORY', 'The directory of the socket of dynuserd, instead of /run/dynuser'],
        ['DYNUSER_PAGER', 'The pager, instead of that of PAGER; empty or "cat" for no pager'],
        ['DYNUSER_LESS', 'The options of less, instead of FRSXMK'],
        [
          'DYNUSER_PAGERSECURE',
          '1: less in its secure mode alone. 0: any pager. Unless set, any for whoever has logged in as this user',
        ],
        ['NO_COLOR', 'No bold and faint text on a terminal'],
      ]),
    ],
    [
      'Exit status',
      entries([
        ['0', 'Success'],
        ['1', 'Failed, or not found'],
        ['2', 'The command line is wrong'],
      ]),
    ],
    ['', ["'dynuserctl COMMAND --help' says more about a command."]],
  ]);
}

/** The help of one command. */
export function renderCommandHelp(command: CommandSpec, { options }: CommandTable): string {
  const usage = ['dynuserctl', command.verb, '[OPTION]...', ...command.operands].join(' ');
  const own: [string, string[]][] = command.options.length === 0 ? [] : [['Options', optionLines(command.options)]];
  const paragraphs = command.description.map(paragraph => wrap(paragraph, WIDTH).join('\n'));
  return sections([
    ['', [`${command.summary}.`]],
    ['Usage', [INDENT + usage]],
    ['', [paragraphs.join('\n\n')]],
    ...own,
    ['Options of every command', optionLines(options)],
    ['Examples', command.examples.map(example => INDENT + example)],
  ]);
}

function sections(parts: readonly (readonly [title: string, lines: readonly string[]])[]): string {
  const blocks = parts.map(([title, lines]) => (title === '' ? lines : [`${title}:`, ...lines]).join('\n'));
  return `${blocks.join('\n\n')}\n`;
}

function optionLines(options: readonly OptionSpec[]): string[] {
  return entries(
    options.map(option => {
      const letter = option.letter === undefined ? '' : `-${option.letter}, `;
      const term = `${letter}--${option.name}${option.value === undefined ? '' : `=${option.value}`}`;
      return [option.repeatable ? `${term}...` : term, option.help];
    }),
  );
}

function entries(pairs: readonly (readonly [term: string, text: string])[]): string[] {
  const terms = pairs.map(([term]) => widthOf(term)).filter(width => width <= TERM_MAX);
  const column = INDENT.length + Math.max(0, ...terms) + GAP;
  return pairs.flatMap(([term, text]) => {
    const [first = '', ...rest] = wrap(text, WIDTH - column);
    const start = INDENT + term;
    const below = rest.map(line => ' '.repeat(column) + line);
    return widthOf(term) <= TERM_MAX
      ? [start.padEnd(column) + first, ...below]
      : [start, ' '.repeat(column) + first, ...below];
  });
}
