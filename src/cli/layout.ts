/** How output is laid out in this run: by the options of the command line, the terminal and the environment. */
import type { Invocation } from './command.ts';
import type { ProcessIo } from './process-io.ts';
import { chooseStyle } from './render/style.ts';
import type { TableLayout } from './render/table.ts';

export function layoutOf(invocation: Invocation, { output, environment }: ProcessIo): TableLayout {
  return {
    legend: invocation.legend,
    columns: output.terminal?.columns,
    style: chooseStyle(output.terminal !== undefined, environment),
  };
}
