/** Listeners to the end of one connection. Each is called once, also if another one throws. */

export class CloseListeners {
  readonly #entries = new Set<() => void>();
  readonly #onFailure: (cause: unknown) => void;
  #isOver = false;

  constructor(onFailure: (cause: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** @returns takes the listener back */
  add(listener: () => void): () => void {
    // A function of its own for each, so that the same listener may be given twice.
    const entry = () => listener();
    this.#entries.add(entry);
    if (this.#isOver) {
      // Never before the caller has what this returns.
      setImmediate(() => this.tell());
    }
    return () => this.#entries.delete(entry);
  }

  tell(): void {
    this.#isOver = true;
    for (const entry of this.#entries) {
      this.#entries.delete(entry);
      try {
        entry();
      } catch (cause) {
        this.#onFailure(cause);
      }
    }
  }
}
