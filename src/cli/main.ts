/** Runs one command: it finds the handler for the arguments, and reports what it throws. */

import { parseCommandLine } from './command-line.ts';
import { COMMAND_TABLE } from './commands.ts';
import { CommandFailure, type ExitStatus } from './failure.ts';
import type { ProcessIo } from './process-io.ts';
import { printable } from './render/text.ts';
import { helpOf } from './verbs/help.ts';
import { version } from './verbs/version.ts';

/** @param argv the arguments after the program's name */
export async function run(argv: readonly string[], io: ProcessIo): Promise<ExitStatus> {
  try {
    return judgeOutput(await execute(argv, io), io);
  } catch (error) {
    if (error instanceof CommandFailure) {
      await io.errors.write(`dynuserctl: ${error.message}\n`);
      return error.status;
    }
    throw error;
  }
}

async function execute(argv: readonly string[], io: ProcessIo): Promise<ExitStatus> {
  const line = parseCommandLine(argv, COMMAND_TABLE);
  switch (line.kind) {
    case 'help':
      return await helpOf(COMMAND_TABLE)(line.invocation, io);
    case 'version':
      return await version(line.invocation, io);
    case 'command': {
      const handler = await line.command.load();
      return await handler(line.invocation, io);
    }
  }
}

/** Output that nobody reads any more (a pager that was left, head(1)) is not a failure; output that could not be kept is. */
function judgeOutput(status: ExitStatus, { output: { broken } }: ProcessIo): ExitStatus {
  const error: NodeJS.ErrnoException | undefined = broken.reason;
  if (error === undefined || error.code === 'EPIPE') {
    return status;
  }
  throw new CommandFailure(`cannot write the output: ${printable(error.message)}`, { cause: error });
}
