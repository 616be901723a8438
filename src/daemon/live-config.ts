/**
 * The configuration while the daemon runs: one frozen Config, exchanged as a whole when the file is read again. Consumers keep
 * the view and read `current` when they need a value. What cannot change without a restart keeps its value, and is named.
 */
import type { Config, Settings } from './config.ts';

/** What consumers see. */
export interface ConfigView {
  readonly current: Config;
}

/** The key of the file for each setting, for the log. */
const KEY_OF: Readonly<Record<keyof Settings, string>> = {
  range: 'UidRange',
  probeTimeoutMs: 'ProbeTimeoutSec',
  allowUsers: 'AllowUsers',
  allowGroups: 'AllowGroups',
  directoryUsers: 'DirectoryUsers',
  maxConnections: 'MaxConnections',
  maxConnectionsPerUser: 'MaxConnectionsPerUser',
  idleTimeoutMs: 'IdleTimeoutSec',
  killGraceMs: 'KillGraceSec',
  coolDownMs: 'CoolDownSec',
  connectionGraceMs: 'ConnectionGraceSec',
  exitIdleMs: 'ExitIdleSec',
  logLevel: 'LogLevel',
};

/**
 * Users live in the range that they were allocated from, the grace time is granted once at the start, and the descriptors of
 * the connections are planned there too.
 */
const AT_NEXT_START: ReadonlySet<keyof Settings> = new Set([
  'range',
  'maxConnections',
  'connectionGraceMs',
  'exitIdleMs',
]);

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
    const changed = (Object.keys(KEY_OF) as (keyof Settings)[]).filter(
      field => JSON.stringify(wanted[field]) !== JSON.stringify(this.#current[field]),
    );
    const deferred = changed.filter(field => AT_NEXT_START.has(field));
    const kept = Object.fromEntries(deferred.map(field => [field, this.#current[field]]));
    // The runtime directory is of the environment, which does not change.
    this.#current = Object.freeze({ ...wanted, ...kept });
    for (const listener of this.#listeners) {
      listener(this.#current);
    }
    const keys = (fields: readonly (keyof Settings)[]) => fields.map(field => KEY_OF[field]);
    return { applied: keys(changed.filter(field => !AT_NEXT_START.has(field))), deferred: keys(deferred) };
  }
}
