/** What dynuserctl(1) says of the commands, made from their table: it cannot say anything else than the command does. Pure. */
import type { CommandSpec, CommandTable, OptionSpec } from '../cli/command.ts';
import { wrap } from '../cli/render/text.ts';

/** Short enough that a line stays within 80 columns with its escapes. */
const WIDTH = 70;

/** Lines of the page's source that the lists replace. */
const PLACEHOLDERS = {
  commands: '.\\" The commands are put here.\n',
  options: '.\\" The options of every command are put here.\n',
  examples: '.\\" The examples are put here.\n',
};

/** @throws TypeError if the page has no place for one of the lists */
export function withCommands(page: string, { commands, options }: CommandTable): string {
  const examples = commands.flatMap(command => command.examples).map(example => `${mdocLine(example)}\n`);
  const lists = {
    commands: commands.map(renderCommand).join(''),
    options: renderOptions(options),
    examples: examples.join(''),
  };
  return Object.entries(PLACEHOLDERS).reduce((text, [list, placeholder]) => {
    if (!text.includes(placeholder)) {
      throw new TypeError(`dynuserctl.1 has no place for the ${list}`);
    }
    return text.replace(placeholder, () => lists[list as keyof typeof lists]);
  }, page);
}

function renderCommand(command: CommandSpec): string {
  const operands = command.operands.map(operand => ` Ar ${mdocWord(operand)}`).join('');
  const own = command.options.length === 0 ? '' : renderOptions(command.options);
  return [
    `.Ss ${mdocWord([command.verb, ...command.operands].join(' '))}\n`,
    `.Nm Cm ${command.verb}${command.options.length === 0 ? '' : ' Oo Ar OPTION ... Oc'}${operands}\n.Pp\n`,
    `${mdocLine(command.summary)}.\n`,
    ...command.description.map(paragraph => `.Pp\n${mdocText(paragraph)}`),
    own,
  ].join('');
}

function renderOptions(options: readonly OptionSpec[]): string {
  const items = options.map(({ name, letter, value, repeatable, help }) => {
    const again = repeatable ? 'May be given several times.\n' : '';
    const short = letter === undefined ? '' : ` , ${letter}`;
    return `.It ${mdocOption(name, value)}${short}\n${mdocText(`${help}.`)}${again}`;
  });
  return `.Bl -tag -width Ds\n${items.join('')}.El\n`;
}

/**
 * Text as mdoc(7) takes it.
 * @param text words, of which nothing is a request or an escape
 * @returns lines, of which each sentence begins one: mdoc puts the space between two sentences itself
 */
export function mdocText(text: string): string {
  const sentences = text.split(/(?<=[.!?]) (?=\S)/);
  return sentences
    .flatMap(sentence => wrap(sentence, WIDTH))
    .map(line => `${mdocLine(line)}\n`)
    .join('');
}

/** @returns one line of running text: hyphens as they are typed, and nothing that roff would take for its own */
function mdocLine(text: string): string {
  const escaped = text.replace(/\\/g, '\\e').replace(/-/g, '\\-');
  // A dot or an apostrophe at the start of a line would be a request.
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** @returns an argument of a macro, in which quotation marks mean something, too */
function mdocWord(text: string): string {
  return mdocLine(text).replace(/"/g, '\\(dq');
}

/** @returns the macros of one option: "--user=NAME" */
function mdocOption(name: string, value: string | undefined): string {
  const flag = `Fl \\-${mdocWord(name)}`;
  return value === undefined ? flag : `${flag} Ns = Ns Ar ${mdocWord(value)}`;
}
