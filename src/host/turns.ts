/** So many tasks at a time, the others in the order in which they came. Who asks bounds how many those are. */

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** @param atATime how many tasks run side by side, at least 1 */
  constructor(atATime: number) {
    this.#free = atATime;
  }

  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) {
      this.#free--;
    } else {
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#free++;
      } else {
        next();
      }
    }
  }
}
