/** The last results of something that is pure and takes long, by all that it depends on as text. */
export class Kept<Value> {
  readonly #most: number;
  /** in the order of their last use */
  readonly #values = new Map<string, Value>();

  /** @param most how many are kept; the one that was not used for the longest time goes first */
  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    return value === undefined ? undefined : this.keep(key, value);
  }

  /** @returns the value */
  keep(key: string, value: Value): Value {
    this.#values.delete(key);
    this.#values.set(key, value);
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#most) {
        break;
      }
      this.#values.delete(oldest);
    }
    return value;
  }
}
