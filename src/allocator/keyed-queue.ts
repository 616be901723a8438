/** Runs the tasks of one key one after the other, those of different keys side by side. */

export class KeyedQueue<Key> {
  readonly #last = new Map<Key, Promise<unknown>>();

  /** @returns what the task returns or throws, once all earlier tasks of the key have ended */
  async run<Result>(key: Key, task: () => Promise<Result>): Promise<Result> {
    const former = this.#last.get(key);
    const mine = former === undefined ? task() : former.then(task, task);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) {
        this.#last.delete(key);
      }
    }
  }
}
