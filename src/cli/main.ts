/** Runs one command: it finds the handler for the arguments, and reports what it throws. */

import { parseCommandLine } from './command-line.ts';
import { COMMAND_TABLE } from './commands.ts';
import { CommandFailure, type ExitStatus } from './failure.ts';
import type { ProcessIo } from './process-io.ts';
import { printable } from './render/text.ts';

/** @param argv the arguments after the program's name */
export async function run(argv: readonly string[], io: ProcessIo): Promise<ExitStatus> {
  try {
    const { command, invocation } = parseCommandLine(argv, COMMAND_TABLE);
    const handler = await command.load();
    return judgeOutput(await handler(invocation, io), io);
  } catch (error) {
    if (error instanceof CommandFailure) {
      await io.errors.write(`dynuserctl: ${error.message}\n`);
      return error.status;
    }
    throw error;
  }
}

/** Output that nobody reads any more (a pager that was left, head(1)) is not a failure; output that could not be written is. */
function judgeOutput(status: ExitStatus, { output: { broken } }: ProcessIo): ExitStatus {
  const error: NodeJS.ErrnoException | undefined = broken.reason;
  if (error === undefined || error.code === 'EPIPE') {
    return status;
  }
  throw new CommandFailure(`cannot write the output: ${printable(error.message)}`, { cause: error });
}
