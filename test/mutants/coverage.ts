/** What of the compiled code a test runs, as V8 counts it. A test cannot see a change of code that it never runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A stretch of a file's text, and how often it ran. The ranges of a function are nested; the innermost one counts. */
interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface Profile {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly Range[] }[];
  }[];
}

/** The ranges of one file in one process that ran it. */
type Ranges = readonly Range[];

export class Coverage {
  readonly #files = new Map<string, Ranges[]>();

  /**
   * @param directory what NODE_V8_COVERAGE= named: it has a file of each process that came to its end
   * @param dist the folder of what was compiled, with a slash at its end
   */
  constructor(directory: string, dist: string) {
    for (const name of readdirSync(directory)) {
      const { result }: Profile = JSON.parse(readFileSync(`${directory}/${name}`, 'utf8'));
      for (const { url, functions } of result) {
        const path = url.startsWith('file:') ? fileURLToPath(url) : '';
        if (path.startsWith(`${dist}src/`)) {
          const file = path.slice(dist.length);
          const ranges = functions.flatMap(each => each.ranges);
          this.#files.set(file, [...(this.#files.get(file) ?? []), ranges]);
        }
      }
    }
  }

  /** @param file such as src/core/name.js @returns whether what is at this place of it was run */
  reaches(file: string, offset: number): boolean {
    return (this.#files.get(file) ?? []).some(ranges => countAt(ranges, offset) > 0);
  }
}

function countAt(ranges: Ranges, offset: number): number {
  const around = ranges.filter(({ startOffset, endOffset }) => startOffset <= offset && offset < endOffset);
  const length = ({ startOffset, endOffset }: Range): number => endOffset - startOffset;
  const [innermost] = around.toSorted((one, other) => length(one) - length(other));
  return innermost?.count ?? 0;
}
