/**
 * How far work on a file tree is, in one line on a terminal that is drawn again and again and is gone in the end. Writes nothing if the
 * output is not a terminal, or one that cannot go back to the start of a line.
 */
import type { Output } from './process-io.ts';
import { cut, printable, widthOf } from './render/text.ts';

/** Carriage return, and "erase in line" to its end (ECMA-48, 8.3.41). */
const CLEAR = '\r\x1b[K';

export function progressLine(output: Output, environment: Readonly<Record<string, string | undefined>>) {
  let isDrawn = false;
  return {
    async show(path: string, done: string) {
      const { terminal } = output;
      if (terminal !== undefined && environment['TERM'] !== 'dumb') {
        isDrawn = true;
        // A character in the last column makes some terminals go on to the next line.
        await output.write(CLEAR + renderProgress(path, done, Math.max(0, terminal.columns - 1)));
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

/**
 * Nobody knows how large the tree is: there is no percentage.
 * @param done the numbers
 * @param columns the width of the terminal; the path is shortened, the numbers are not
 */
export function renderProgress(path: string, done: string, columns: number): string {
  const numbers = `: ${done}`;
  return cut(cut(printable(path), Math.max(1, columns - widthOf(numbers))) + numbers, columns);
}
