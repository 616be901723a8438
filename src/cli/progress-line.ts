/**
 * One line on a terminal that is drawn again and again and is gone in the end. Writes nothing if the output
 * is no terminal, or one that cannot go back to the start of a line.
 */
import type { Output } from './process-io.ts';

export interface ProgressLine {
  /** @param render makes the line, for the width in columns that it is given; what it makes must be printable */
  show(render: (columns: number) => string): Promise<void>;
  clear(): Promise<void>;
}

/** Carriage return, and "erase in line" to its end (ECMA-48, 8.3.41). */
const CLEAR = '\r\x1b[K';

export function progressLine(output: Output, environment: Readonly<Record<string, string | undefined>>): ProgressLine {
  let isDrawn = false;
  return {
    async show(render) {
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
