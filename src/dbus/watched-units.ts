/**
 * The units that are watched: their listeners, the names by which signals call them, and which of them systemd has to be asked about. It asks
 * nobody itself.
 */
import type { UnitRow } from './systemd-manager.ts';

interface Watched {
  readonly listeners: Set<() => void>;
  /** what signals call the unit: its primary name and its object path, known after the first look */
  keys: readonly string[];
}

export class WatchedUnits {
  readonly #watched = new Map<string, Watched>();
  /** the watched units that a key means: several if some were asked for by an alias */
  readonly #byKey = new Map<string, Set<string>>();
  readonly #toLookAt = new Set<string>();
  /** those that somebody has begun to watch since they were last looked at */
  readonly #added = new Set<string>();

  /** Adds a listener to a unit, which is then to be looked at. @returns takes it back */
  add(name: string, onEnd: () => void): () => void {
    // Two watches of one unit with one function are two watches.
    const listener = (): void => onEnd();
    const watched = this.#watched.get(name) ?? { listeners: new Set(), keys: [] };
    watched.listeners.add(listener);
    this.#watched.set(name, watched);
    this.mark(name);
    this.#added.add(name);
    return () => {
      watched.listeners.delete(listener);
      if (watched.listeners.size === 0 && this.#watched.get(name) === watched) {
        this.#remove(name, watched);
      }
    };
  }

  /** Marks a unit to be looked at; one that is not watched is left out. */
  mark(name: string): void {
    if (this.#watched.has(name)) {
      this.#toLookAt.add(name);
    }
  }

  markAll(): void {
    for (const name of this.#watched.keys()) {
      this.#toLookAt.add(name);
    }
  }

  /** Marks the units that a signal means. @param key a primary name or an object path */
  markByKey(key: string): void {
    for (const name of this.#byKey.get(key) ?? []) {
      this.#toLookAt.add(name);
    }
  }

  /** @returns at most so many of the marked units, which are then no longer marked */
  takeMarked(most: number): readonly string[] {
    const names = [...this.#toLookAt].slice(0, most);
    for (const name of names) {
      this.#toLookAt.delete(name);
      this.#added.delete(name);
    }
    return names;
  }

  /**
   * Takes what a look found.
   * @param row undefined: there is no such unit
   * @returns the listeners of a unit that has ended, which is no longer watched then; empty for one that lives
   */
  settle(name: string, row: UnitRow | undefined): readonly (() => void)[] {
    const watched = this.#watched.get(name);
    // Watched by another meanwhile: the answer may be older than that, and what ended before does not concern this watch.
    if (watched === undefined || this.#added.has(name)) {
      return [];
    }
    if (row !== undefined && !row.ended) {
      this.#setKeys(name, watched, [row.id, row.path]);
      return [];
    }
    // Also if a signal has marked it meanwhile: it has ended, whatever came after that. And a look at a unit that is
    // gone loads it, so that each look is followed by one more UnitRemoved: to look again for that would never end.
    this.#remove(name, watched);
    return [...watched.listeners];
  }

  #setKeys(name: string, watched: Watched, keys: readonly string[]): void {
    for (const key of watched.keys) {
      const names = this.#byKey.get(key);
      names?.delete(name);
      if (names?.size === 0) {
        this.#byKey.delete(key);
      }
    }
    for (const key of keys) {
      this.#byKey.set(key, (this.#byKey.get(key) ?? new Set()).add(name));
    }
    watched.keys = keys;
  }

  #remove(name: string, watched: Watched): void {
    this.#setKeys(name, watched, []);
    this.#watched.delete(name);
    this.#toLookAt.delete(name);
    this.#added.delete(name);
  }
}
