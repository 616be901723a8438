/**
 * From arguments to an invocation of one command, by the table in commands.ts. Long options alone, as "--name=value"
 * or "--name value"; "--" ends them. Pure; every slip is a usage failure that names its argument.
 */

import { nearest } from '../core/nearest.ts';
import { COMMANDS, type CommandSpec, GLOBAL_OPTIONS, type OptionSpec } from './commands.ts';
import { usageFailure } from './failure.ts';
import { JSON_MODES, type JsonMode } from './render/json.ts';
import { printable } from './render/text.ts';

/** The options of one command line: the values of each, in their order; a switch has the value ''. */
export type OptionValues = ReadonlyMap<string, readonly string[]>;

export interface Invocation {
  /** as many as the command's table entry names */
  readonly operands: readonly string[];
  readonly options: OptionValues;
  readonly json: JsonMode;
  readonly legend: boolean;
}

export type CommandLine =
  | { readonly kind: 'help'; readonly command?: CommandSpec }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: CommandSpec; readonly invocation: Invocation };

/** @param argv the arguments after the program's name. @throws CommandFailure with status 2 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const options = new Map<string, string[]>();
  const operands: string[] = [];
  let command: CommandSpec | undefined;
  let ended = false;
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (!ended && argument === '--') {
      ended = true;
    } else if (!ended && argument.startsWith('-') && argument !== '-') {
      const { option, value } = readOption(argument, argv[index + 1], command);
      index += value.consumed;
      options.set(option.name, [...(options.get(option.name) ?? []), value.text]);
    } else if (command === undefined) {
      command = findCommand(argument);
    } else {
      operands.push(argument);
    }
  }
  return conclude(command, operands, options);
}

function conclude(command: CommandSpec | undefined, operands: readonly string[], options: OptionValues): CommandLine {
  if (options.has('help')) {
    return command === undefined ? { kind: 'help' } : { kind: 'help', command };
  }
  if (options.has('version')) {
    return { kind: 'version' };
  }
  if (command === undefined) {
    throw usageFailure('a command is missing');
  }
  const missing = command.operands[operands.length];
  if (missing !== undefined) {
    throw usageFailure(`${command.verb} needs ${missing}`, command.verb);
  }
  const extra = operands[command.operands.length];
  if (extra !== undefined) {
    throw usageFailure(`${command.verb} takes no further argument '${printable(extra)}'`, command.verb);
  }
  const json = JSON_MODES.find(mode => mode === lastValue(options, 'json')) ?? 'off';
  return { kind: 'command', command, invocation: { operands, options, json, legend: !options.has('no-legend') } };
}

function findCommand(verb: string): CommandSpec {
  const command = COMMANDS.find(candidate => candidate.verb === verb);
  if (command === undefined) {
    const known = COMMANDS.map(candidate => candidate.verb);
    throw usageFailure(`there is no command '${printable(verb)}'${didYouMean(nearest(verb, known))}`);
  }
  return command;
}

interface ReadOption {
  readonly option: OptionSpec;
  /** consumed: how many arguments after the option's own belong to it, 0 or 1 */
  readonly value: { readonly text: string; readonly consumed: 0 | 1 };
}

function readOption(argument: string, next: string | undefined, command: CommandSpec | undefined): ReadOption {
  const equals = argument.indexOf('=');
  const word = equals < 0 ? argument : argument.slice(0, equals);
  const option = findOption(word, command);
  if (option.value === undefined) {
    if (equals >= 0) {
      throw usageFailure(`option '${word}' takes no value`, command?.verb);
    }
    return { option, value: { text: '', consumed: 0 } };
  }
  const text = equals < 0 ? (next ?? '') : argument.slice(equals + 1);
  if (text === '') {
    throw usageFailure(`option '${word}' needs a value: ${word}=${option.value}`, command?.verb);
  }
  if (option.choices !== undefined && !option.choices.includes(text)) {
    const hint = didYouMean(nearest(text, option.choices));
    const choices = option.choices.join(', ');
    throw usageFailure(`'${printable(text)}' is no value of '${word}'${hint}: it is one of ${choices}`, command?.verb);
  }
  return { option, value: { text, consumed: equals < 0 ? 1 : 0 } };
}

function findOption(word: string, command: CommandSpec | undefined): OptionSpec {
  const known = [...GLOBAL_OPTIONS, ...(command?.options ?? [])];
  const option = known.find(candidate => `--${candidate.name}` === word);
  if (option !== undefined) {
    return option;
  }
  const hint = didYouMean(
    nearest(
      word,
      known.map(candidate => `--${candidate.name}`),
    ),
  );
  if (command === undefined && COMMANDS.some(other => other.options.some(own => `--${own.name}` === word))) {
    throw usageFailure(`option '${word}' belongs after the command`);
  }
  const where = command === undefined ? '' : ` of ${command.verb}`;
  throw usageFailure(`'${printable(word)}' is no option${where}${hint}`, command?.verb);
}

function didYouMean(word: string | undefined): string {
  return word === undefined ? '' : ` (did you mean '${word}'?)`;
}

/** @returns the value that counts where an option is given several times: the last one */
export function lastValue(options: OptionValues, name: string): string | undefined {
  return options.get(name)?.at(-1);
}
