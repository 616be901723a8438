/** How much output waits for peers that do not read, in all. Whoever takes the budget past its end with the most pays. */

export class OutputBudget<C> {
  readonly #maxBytes: number;
  readonly #waiting = new Map<C, number>();
  #total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * @param bytes what waits for the connection now; 0 ends the account
   * @returns the connection with the most, where all together have more than the budget
   */
  account(connection: C, bytes: number): C | undefined {
    this.#total += bytes - (this.#waiting.get(connection) ?? 0);
    if (bytes === 0) {
      this.#waiting.delete(connection);
    } else {
      this.#waiting.set(connection, bytes);
    }
    return this.#total > this.#maxBytes ? this.#greatest() : undefined;
  }

  #greatest(): C | undefined {
    let greatest: C | undefined;
    let most = 0;
    for (const [connection, bytes] of this.#waiting) {
      if (bytes > most) {
        most = bytes;
        greatest = connection;
      }
    }
    return greatest;
  }
}
