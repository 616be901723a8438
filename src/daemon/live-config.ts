/**
 * The configuration while the daemon runs: one frozen Config, exchanged as a whole when the file is read again. Consumers keep
 * the view and read `current` when they need a value. What cannot change without a restart keeps its value, and is named.
 */
import { type Config, changedSettings } from './config.ts';

/** What consumers see. */
export interface ConfigView {
  readonly current: Config;
}

/** The keys whose value has changed. */
export interface Reloaded {
  /** in force from now on */
  readonly applied: readonly string[];
  /** in force after the next start */
  readonly deferred: readonly string[];
}

export class LiveConfig implements ConfigView {
  readonly #read: () => Config;
  readonly #listeners: ((config: Config) => void)[] = [];
  #current: Config;

  /**
   * @param read reads the configuration, here and at each reload
   * @throws DynuserError what read() throws
   */
  constructor(read: () => Config) {
    this.#read = read;
    this.#current = read();
  }

  get current(): Config {
    return this.#current;
  }

  /** @param listener told of each new configuration, for what does not read `current` each time */
  onChange(listener: (config: Config) => void): void {
    this.#listeners.push(listener);
  }

  /** @throws DynuserError what read() throws; the former configuration stays in force then */
  reload(): Reloaded {
    const wanted = this.#read();
    const changed = changedSettings(this.#current, wanted);
    const deferred = changed.filter(({ isDeferred }) => isDeferred);
    const kept = Object.fromEntries(deferred.map(({ name }) => [name, this.#current[name]]));
    // The runtime directory is of the environment, which does not change.
    this.#current = Object.freeze({ ...wanted, ...kept });
    for (const listener of this.#listeners) {
      listener(this.#current);
    }
    const applied = changed.filter(({ isDeferred }) => !isDeferred);
    return { applied: applied.map(({ key }) => key), deferred: deferred.map(({ key }) => key) };
  }
}
