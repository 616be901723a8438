/**
 * Parses the command line by the table of commands. Options are written "--name=value" or "--name value", a few have one letter, too, and "--"
 * ends them. Pure. Each mistake is a usage failure that names its argument.
 */
import { parseArgs } from 'node:util';
import { nearest } from '../core/nearest.ts';
import { checkOperands } from './actions.ts';
import type { CommandSpec, CommandTable, Invocation, OptionSpec, OptionValues } from './command.ts';
import { usageFailure } from './failure.ts';
import { JSON_MODES } from './render/json.ts';
import { printable } from './render/text.ts';

export interface CommandLine {
  readonly command: CommandSpec;
  readonly invocation: Invocation;
}

/** @param argv the arguments after the program's name. @throws CommandFailure with status 2 */
export function parseCommandLine(argv: readonly string[], table: CommandTable): CommandLine {
  const all = [...table.options, ...table.commands.flatMap(command => command.options)];
  const types = all.map(({ name, value, letter }) => {
    const type = value === undefined ? ('boolean' as const) : ('string' as const);
    return [name, letter === undefined ? { type } : { type, short: letter }] as const;
  });
  const { tokens } = parseArgs({ args: [...argv], options: Object.fromEntries(types), strict: false, tokens: true });
  const options = new Map<string, string[]>();
  const operands: string[] = [];
  let command: CommandSpec | undefined;
  for (const token of tokens) {
    if (token.kind === 'option') {
      const option = findOption(token.rawName, command, table);
      const value = checkValue(option, token, command);
      options.set(option.name, [...(options.get(option.name) ?? []), value]);
    } else if (token.kind === 'positional' && command === undefined) {
      command = findCommand(token.value, table);
    } else if (token.kind === 'positional') {
      operands.push(token.value);
    }
  }
  return conclude(command, operands, options, table);
}

/** The command that is meant if none is named. */
const USUAL_COMMAND = 'status';

function conclude(
  named: CommandSpec | undefined,
  operands: readonly string[],
  options: OptionValues,
  table: CommandTable,
): CommandLine {
  const invocation: Invocation = {
    operands,
    options,
    json: JSON_MODES.find(mode => mode === lastValue(options, 'json')) ?? 'off',
    legend: !options.has('no-legend'),
    mayPage: !options.has('no-pager'),
  };
  if (options.has('help')) {
    const about = named === undefined ? [] : [named.verb];
    return { command: findCommand('help', table), invocation: { ...invocation, operands: about } };
  }
  if (options.has('version')) {
    return { command: findCommand('version', table), invocation };
  }
  const command = named ?? findCommand(USUAL_COMMAND, table);
  checkOperands(command.verb, command.operands, operands, command.verb, extra =>
    // In other programs, status takes the name of what it shows.
    command.verb === USUAL_COMMAND ? `; 'dynuserctl show ${printable(extra)}' shows one user` : '',
  );
  return { command, invocation };
}

/** @throws CommandFailure with status 2 */
export function findCommand(verb: string, { commands }: CommandTable): CommandSpec {
  const command = commands.find(candidate => candidate.verb === verb);
  if (command === undefined) {
    const known = commands.map(candidate => candidate.verb);
    throw usageFailure(`unknown command '${printable(verb)}'${didYouMean(verb, known)}`);
  }
  return command;
}

/** @param word as it was typed, with its dashes */
function findOption(word: string, command: CommandSpec | undefined, { commands, options }: CommandTable): OptionSpec {
  const known = [...options, ...(command?.options ?? [])];
  const option = known.find(
    ({ name, letter }) => `--${name}` === word || (letter !== undefined && `-${letter}` === word),
  );
  if (option !== undefined) {
    return option;
  }
  if (command === undefined && commands.some(other => other.options.some(own => `--${own.name}` === word))) {
    throw usageFailure(`option '${word}' belongs after the command`);
  }
  const names = known.map(candidate => `--${candidate.name}`);
  const where = command === undefined ? '' : ` of ${command.verb}`;
  throw usageFailure(`unknown option '${printable(word)}'${where}${didYouMean(word, names)}`, command?.verb);
}

/** @returns the value, '' for a switch */
function checkValue(
  { value: placeholder, choices }: OptionSpec,
  {
    rawName,
    value = '',
    inlineValue,
  }: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  command: CommandSpec | undefined,
): string {
  if (placeholder === undefined) {
    if (inlineValue === true) {
      throw usageFailure(`option '${rawName}' takes no value`, command?.verb);
    }
    return '';
  }
  if (value === '') {
    throw usageFailure(`option '${rawName}' needs a value: ${rawName}=${placeholder}`, command?.verb);
  }
  if (choices !== undefined && !choices.includes(value)) {
    const words = `invalid value '${printable(value)}' of '${rawName}'${didYouMean(value, choices)}`;
    throw usageFailure(`${words}: it is one of ${choices.join(', ')}`, command?.verb);
  }
  return value;
}

function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : ` (did you mean '${near}'?)`;
}

/** @returns the value that counts if an option is given several times: the last one */
export function lastValue(options: OptionValues, name: string): string | undefined {
  return options.get(name)?.at(-1);
}
