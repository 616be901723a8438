/**
 * The configuration while the daemon runs: one frozen Config, exchanged as a whole when the file is read again. Consumers keep
 * the view and read `current` when they need a value. What cannot change without a restart keeps its value, and is named.
 */
import type { Reloaded } from '../api/allocator.ts';
import { reasonOf } from '../core/errors.ts';
import type { Notify } from '../host/systemd/notify.ts';
import { type Config, changedSettings } from './config.ts';
import type { Logger } from './logger.ts';

export class LiveConfig {
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

  /**
   * Reads the configuration again, and says in the log what has changed. The manager waits for the end of the reload, however it ends
   * (sd_notify(3), RELOADING=1).
   * @throws DynuserError what read() throws: a file that is wrong changes nothing, and was said in the log
   */
  reload(logger: Logger, notify: Notify): Reloaded {
    tell(logger, () => notify({ state: 'reloading' }));
    try {
      return this.#exchange(logger);
    } catch (error) {
      logger.error(`the configuration stays as it was: ${reasonOf(error)}`);
      throw error;
    } finally {
      tell(logger, () => notify({ state: 'reloaded' }));
    }
  }

  /** @throws DynuserError what read() throws; the former configuration stays in force then */
  #exchange(logger: Logger): Reloaded {
    const wanted = this.#read();
    const changed = changedSettings(this.#current, wanted);
    const later = changed.filter(({ isDeferred }) => isDeferred);
    const kept = Object.fromEntries(later.map(({ name }) => [name, this.#current[name]]));
    // The runtime directory is of the environment, which does not change.
    this.#current = Object.freeze({ ...wanted, ...kept });
    for (const listener of this.#listeners) {
      listener(this.#current);
    }
    const applied = changed.filter(({ isDeferred }) => !isDeferred).map(({ key }) => key);
    logger.info({ applied }, 'configuration reloaded');
    const deferred = later.map(({ key }) => key);
    if (deferred.length > 0) {
      const keys = deferred.map(key => `${key}=`).join(', ');
      logger.warn(`${keys} changes at the next start; restart dynuserd for it`);
    }
    return { applied, deferred };
  }
}

/** A manager that cannot be told is not a reason not to reload. */
function tell(logger: Logger, notify: () => void): void {
  try {
    notify();
  } catch (error) {
    logger.error({ err: error }, 'cannot tell the service manager of a reload');
  }
}
