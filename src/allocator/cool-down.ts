/**
 * UIDs that were freed a moment ago: given to another name only if nothing else is free, so that what still carries
 * the number somewhere does not belong to somebody else at once. Their own name gets them back at any time.
 */
import type { Uid, UserName } from '../core/ids.ts';
import type { Clock } from './ports.ts';

/** Read at each use, so that it may change. */
export interface CoolDownSettings {
  /** how long a UID cools down, in milliseconds; 0 for not at all */
  readonly durationMs: number;
}

export class CoolDown {
  readonly #clock: Clock;
  readonly #settings: CoolDownSettings;
  readonly #freed = new Map<Uid, { readonly name: UserName; readonly until: number }>();

  constructor(clock: Clock, settings: CoolDownSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Notes that a UID was freed. There is one entry for each UID of the range at most. */
  freed(uid: Uid, name: UserName): void {
    const { durationMs } = this.#settings;
    if (durationMs > 0) {
      this.#freed.set(uid, { name, until: this.#clock.monotonic() + durationMs });
    }
  }

  /** @returns who had the UID a moment ago, if this name must not get it yet */
  formerUser(uid: Uid, name: UserName): UserName | undefined {
    const entry = this.#freed.get(uid);
    if (entry === undefined) {
      return undefined;
    }
    if (entry.until <= this.#clock.monotonic()) {
      this.#freed.delete(uid);
      return undefined;
    }
    return entry.name === name ? undefined : entry.name;
  }

  /** Whether a UID cools down now: it is remembered here and nowhere else. */
  get isCooling(): boolean {
    for (const [uid, { until }] of this.#freed) {
      if (until > this.#clock.monotonic()) {
        return true;
      }
      this.#freed.delete(uid);
    }
    return false;
  }
}
