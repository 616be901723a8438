/**
 * How far a handover is, in one line on a terminal that is drawn again and again and is gone in the end. Writes nothing
 * if the output is no terminal, or one that cannot go back to the start of a line.
 */
import type { Progress } from '../api/generated/io-dynuser-allocator.ts';
import type { Output } from './process-io.ts';
import { cut, printable, widthOf } from './render/text.ts';

/** Carriage return, and "erase in line" to its end (ECMA-48, 8.3.41). */
const CLEAR = '\r\x1b[K';

export function progressLine(output: Output, environment: Readonly<Record<string, string | undefined>>) {
  const line = statusLine(output, environment);
  return {
    show: (progress: Progress) => line.show(columns => renderProgress(progress, columns)),
    clear: () => line.clear(),
  };
}

/** One line about what is being done. */
export function statusLine(output: Output, environment: Readonly<Record<string, string | undefined>>) {
  let isDrawn = false;
  return {
    /** @param render makes the line, for a width */
    async show(render: (columns: number) => string) {
      const { terminal } = output;
      if (terminal !== undefined && environment['TERM'] !== 'dumb') {
        isDrawn = true;
        // A character in the last column makes some terminals go on to the next line.
        await output.write(CLEAR + render(Math.max(0, terminal.columns - 1)));
      }
    },
    async clear() {
      if (isDrawn) {
        isDrawn = false;
        await output.write(CLEAR);
      }
    },
  };
}

export type ProgressLine = ReturnType<typeof progressLine>;

/**
 * Nobody knows how large the tree is: there is no percentage.
 * @param columns the width of the terminal; the path is shortened, the numbers are not
 */
export function renderProgress({ publicPath, inodes, changed }: Progress, columns: number): string {
  const numbers = `: ${inodes} inodes inspected, ${changed} changed`;
  const path = cut(printable(publicPath), Math.max(1, columns - widthOf(numbers)));
  return cut(path + numbers, columns);
}
