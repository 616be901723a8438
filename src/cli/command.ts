/** The types of a command of dynuserctl: its row in commands.ts, and what its handler gets. */
import type { ExitStatus } from './failure.ts';
import type { ProcessIo } from './process-io.ts';
import type { JsonMode } from './render/json.ts';

export interface OptionSpec {
  /** without its dashes */
  readonly name: string;
  /** another name of one letter */
  readonly letter?: string;
  /** what its value stands for; a switch has none */
  readonly value?: string;
  /** the values that it takes, if they are few */
  readonly choices?: readonly string[];
  /** its value is the path of a file */
  readonly isPath?: true;
  readonly repeatable?: true;
  readonly help: string;
}

/** One of several things that a command does: the first operand says which. */
export interface ActionSpec {
  /** those after the word for it, as a command has them */
  readonly operands: readonly string[];
  /** those of the command that mean something to it */
  readonly options: readonly string[];
}

export type Actions = Readonly<Record<string, ActionSpec>>;

export interface CommandSpec {
  readonly verb: string;
  /** in this order; all but those in "[]" are needed; the last one may be given several times if it has "..." */
  readonly operands: readonly string[];
  /** by the words that the first operand may be */
  readonly actions?: Actions;
  /** one line, as the general help shows it */
  readonly summary: string;
  /** paragraphs */
  readonly description: readonly string[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly string[];
  /** A handler's file is loaded when its verb is called: starting the program costs what that verb needs. */
  readonly load: () => Promise<Handler>;
}

export function isOptional(operand: string): boolean {
  return operand.startsWith('[');
}

export function mayRepeat(operand: string | undefined): boolean {
  return operand?.includes('...') === true;
}

export interface CommandTable {
  readonly commands: readonly CommandSpec[];
  /** those that every command takes */
  readonly options: readonly OptionSpec[];
}

/** The options of one command line: the values of each, in their order; a switch has the value ''. */
export type OptionValues = ReadonlyMap<string, readonly string[]>;

export interface Invocation {
  /** as many as the command's table entry names, without those in "[]" or with more of the last one */
  readonly operands: readonly string[];
  readonly options: OptionValues;
  readonly json: JsonMode;
  readonly legend: boolean;
  /** whether a long answer may be shown in a pager */
  readonly mayPage: boolean;
}

/** @throws CommandFailure; DynuserError within withClient() */
export type Handler = (invocation: Invocation, io: ProcessIo) => Promise<ExitStatus>;
