/** One run of dynuserctl: arguments and the process in, exit status out. Decides nothing that a verb decides. */

import { VERSION } from '../core/version.ts';
import { parseCommandLine } from './command-line.ts';
import { COMMAND_TABLE, COMMANDS, GLOBAL_OPTIONS } from './commands.ts';
import { CommandFailure, type ExitStatus } from './failure.ts';
import type { ProcessIo } from './process-io.ts';
import { renderCommandHelp, renderHelp } from './render/help.ts';
import { printable } from './render/text.ts';

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
      await io.output.write(
        line.command === undefined
          ? renderHelp(COMMANDS, GLOBAL_OPTIONS)
          : renderCommandHelp(line.command, GLOBAL_OPTIONS),
      );
      return 0;
    case 'version':
      await io.output.write(`dynuserctl ${VERSION}\n`);
      return 0;
    case 'command': {
      const handler = await line.command.load();
      return await handler(line.invocation, io);
    }
  }
}

/** Output that nobody reads any more (a pager that was left, head(1)) is no failure; output that could not be kept is. */
function judgeOutput(status: ExitStatus, io: ProcessIo): ExitStatus {
  const { broken } = io.output;
  if (!broken.aborted || isBrokenPipe(broken.reason)) {
    return status;
  }
  const words = broken.reason instanceof Error ? broken.reason.message : String(broken.reason);
  throw new CommandFailure(`cannot write the output: ${printable(words)}`, 1, broken.reason);
}

function isBrokenPipe(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && reason.code === 'EPIPE';
}
