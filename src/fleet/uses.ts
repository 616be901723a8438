/** Which names are in use on this host, or just being held or forgotten: these must not happen to one name at the same time. */
import type { UserName } from '../core/ids.ts';

export class NameUses {
  readonly #isLive: (name: UserName) => boolean;
  readonly #changed: () => void;
  /** requests that are making a user of a name */
  readonly #requests = new Map<UserName, number>();
  readonly #forgetting = new Map<UserName, Promise<unknown>>();
  readonly #observers = new Set<Set<UserName>>();
  #holding = 0;

  /** @param changed told when a use has ended */
  constructor(isLive: (name: UserName) => boolean, changed: () => void) {
    this.#isLive = isLive;
    this.#changed = changed;
  }

  /** From now on the name is not forgotten. */
  async begin(name: UserName): Promise<Disposable> {
    while (this.#forgetting.has(name)) {
      await this.#forgetting.get(name)?.catch(() => undefined);
    }
    this.#requests.set(name, (this.#requests.get(name) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#requests.get(name) ?? 1) - 1;
        if (left > 0) {
          this.#requests.set(name, left);
        } else {
          this.#requests.delete(name);
        }
        this.#changed();
      },
    };
  }

  /** A request makes a user of it at this moment. */
  isRequested(name: UserName): boolean {
    return this.#requests.has(name);
  }

  /** That, or its user lives or is ending. */
  isUsed(name: UserName): boolean {
    return this.isRequested(name) || this.#isLive(name);
  }

  /** The store is being asked for some name, or the answer recorded. */
  get isHolding(): boolean {
    return this.#holding > 0;
  }

  async holding<Result>(task: () => Promise<Result>): Promise<Result> {
    this.#holding++;
    try {
      return await task();
    } finally {
      this.#holding--;
      this.#changed();
    }
  }

  /** Names that are being forgotten, or begin to be until the end of the scope. */
  observeForgotten(): ReadonlySet<UserName> & Disposable {
    const forgotten = new Set(this.#forgetting.keys());
    this.#observers.add(forgotten);
    return Object.assign(forgotten, { [Symbol.dispose]: () => void this.#observers.delete(forgotten) });
  }

  /** Whoever begins to use the name waits for the end of the task. The caller has seen in the same tick that nobody uses it. */
  async forgetting(name: UserName, task: () => Promise<void>): Promise<void> {
    for (const forgotten of this.#observers) {
      forgotten.add(name);
    }
    const forgotten = task();
    this.#forgetting.set(name, forgotten);
    try {
      await forgotten;
    } finally {
      this.#forgetting.delete(name);
    }
  }
}
