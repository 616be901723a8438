/** How a command fails: a message for standard error, and an exit status. A command fails in no other way. */
import { getSystemErrorMap } from 'node:util';
import { reasonOf } from '../core/errors.ts';
import { printable } from './render/text.ts';

/** 0 success; 1 failed or not found; 2 the command line is wrong */
export type ExitStatus = 0 | 1 | 2;

export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly status: 1 | 2;

  /** @param message what is wrong and what to do; what comes from outside in it is printable already */
  constructor(message: string, options: { readonly status?: 1 | 2; readonly cause?: unknown } = {}) {
    super(message, options);
    this.status = options.status ?? 1;
  }
}

/**
 * @param error of a file whose path is said elsewhere: Node's message has it, the code and the system call around the words
 * @returns what is wrong, in words, printable
 */
export function problemOf(error: unknown): string {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : Number.NaN;
  return printable(getSystemErrorMap().get(errno)?.[1] ?? reasonOf(error));
}

/** The beginning of a path below a directory that is held open, which says nothing to a reader. */
const HELD = /^\/proc\/self\/fd\/\d+\/?/;

/** @returns the same, after the path that the error has, if it has any; below a held directory, after the path from there */
export function problemAtPath(error: unknown): string {
  const path = error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : '';
  const told = path.replace(HELD, '');
  return told === '' ? problemOf(error) : `${printable(told)}: ${problemOf(error)}`;
}

/** @returns the failure of a file that cannot be used */
export function fileFailure(path: string, error: unknown): CommandFailure {
  return new CommandFailure(`${printable(path)}: ${problemOf(error)}`, { cause: error });
}

/** For catch() of a promise. @returns what gives the value in place of a CommandFailure; any other error is thrown again */
export function onFailure<Value>(instead: (failure: CommandFailure) => Value): (error: unknown) => Value {
  return error => {
    if (error instanceof CommandFailure) {
      return instead(error);
    }
    throw error;
  };
}

/** @returns what is read of a file. @throws CommandFailure if it cannot be used */
export function readOrFail<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw fileFailure(path, error);
  }
}

/** @returns the failure of a wrong command line, with the way to its help; verb is absent if none was understood */
export function usageFailure(message: string, verb?: string): CommandFailure {
  const help = verb === undefined ? 'dynuserctl --help' : `dynuserctl ${verb} --help`;
  return new CommandFailure(`${message}\nTry '${help}' for what there is.`, { status: 2 });
}
