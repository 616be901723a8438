/** What all programs do that run until they are told to stop: they read options, obey two signals, and say why they end. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { DynuserError, reasonOf } from '../core/errors.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** @returns the options that were given; if one is wrong, it shows the help, and ends the process */
export function readOptions<Options extends NonNullable<ParseArgsConfig['options']>>(
  program: string,
  help: string,
  options: Options,
): ReturnType<typeof parseArgs<{ options: Options; strict: true; allowPositionals: false }>>['values'] {
  try {
    return parseArgs({ options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    process.stderr.write(`${program}: ${reasonOf(error)}\n${help}`);
    process.exit(EXIT_USAGE);
  }
}

/** The first of the two signals stops the program, a second one while it stops ends it at once. */
export function stopOnSignal(stop: () => Promise<void>, fail: (error: unknown) => never): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) {
        process.exit(EXIT_FAILED);
      }
      isStopping = true;
      stop().then(() => process.exit(0), fail);
    });
  }
}

/**
 * What the host refused is a sentence; an error in this code shows its stack.
 * @param isRefusal whether it is one of those that the program knows besides
 */
export function failWith(program: string, error: unknown, isRefusal = false): never {
  const isExpected = isRefusal || error instanceof DynuserError || (error instanceof Error && 'syscall' in error);
  const words = isExpected || !(error instanceof Error) ? reasonOf(error) : error.stack;
  process.stderr.write(`${program}: ${words}\n`);
  process.exit(EXIT_FAILED);
}
