/** Prints the answer of a command: as JSON if that is asked for, else as text in the width of the output. */
import type { Invocation } from './command.ts';
import type { ProcessIo } from './process-io.ts';
import { renderJson } from './render/json.ts';
import { chooseStyle, type TableLayout } from './render/table.ts';

export function layoutOf({ legend }: Invocation, { output, environment }: ProcessIo): TableLayout {
  const { terminal } = output;
  return { legend, columns: terminal?.columns, style: chooseStyle(terminal !== undefined, environment) };
}

/** Shows a text, in a pager if it is longer than the terminal that it goes to. */
export async function showText(text: string, { mayPage }: Invocation, { output, page }: ProcessIo): Promise<void> {
  const rows = output.terminal?.rows;
  // The prompt needs a line, too.
  const isLong = rows !== undefined && text.split('\n').length > rows;
  if (!(isLong && mayPage && (await page(text)))) {
    await output.write(text);
  }
}

/** @param render makes the text of the value */
export async function print<T>(
  value: T,
  invocation: Invocation,
  io: ProcessIo,
  render: (value: T, layout: TableLayout) => string,
): Promise<void> {
  const { json } = invocation;
  const text = json === 'off' ? render(value, layoutOf(invocation, io)) : renderJson(value, json);
  await showText(text, invocation, io);
}
