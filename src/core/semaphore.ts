/** Bounds how many jobs run at a time; the others wait in the order in which they came. */
export class Semaphore {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** @param count how many jobs run at a time, at least 1 */
  constructor(count: number) {
    this.#free = count;
  }

  /** @returns what the job gives, or its rejection */
  async run<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) {
      this.#free--;
    } else {
      // Whoever ends hands its place on, so that nobody who comes meanwhile gets it.
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
    try {
      return await job();
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
