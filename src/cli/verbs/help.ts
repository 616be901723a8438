/** dynuserctl help [COMMAND]: the same as --help. */
import type { CommandTable, Handler } from '../command.ts';
import { findCommand } from '../command-line.ts';
import { showText } from '../print.ts';
import { renderCommandHelp, renderHelp } from '../render/help.ts';

/** @param table which the command itself is in */
export function helpOf(table: CommandTable): Handler {
  return async (invocation, io) => {
    const [verb] = invocation.operands;
    const text = verb === undefined ? renderHelp(table) : renderCommandHelp(findCommand(verb, table), table);
    await showText(text, invocation, io);
    return 0;
  };
}
