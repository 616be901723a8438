/** The form of a fuzz target. */

/** What is tried with an input, once it is set up. */
export interface Trial {
  /**
   * Tries one input.
   * @returns what came of it, in a few words that are the same for inputs that took the same way: inputs with a new outcome are kept and
   *   changed further
   * @throws AssertionError if a promise is broken; any other error, which none of the code may throw, is found as well
   */
  run(input: Buffer): string | Promise<string>;
  close?(): void;
}

export interface Target {
  /** also the name of its corpus, test/fuzz/corpus/<name> */
  readonly name: string;
  /** pieces that mean something to the code: they are put into inputs more often than chance would */
  readonly pieces: readonly string[];
  /** the longest input that is tried, in bytes */
  readonly bytesMax: number;
  start(): Trial | Promise<Trial>;
}

/** @returns an error's words without what differs between inputs: what is quoted, and numbers */
export function outcomeOf(error: Error): string {
  return `${error.name} ${error.message.replace(/"(?:[^"\\]|\\.)*"?/g, '"').replace(/\d+/g, '0')}`.slice(0, 120);
}
