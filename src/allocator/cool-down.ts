/**
 * UIDs that were freed a moment ago: given to another name only if nothing else is free, so that what still carries
 * the number somewhere does not belong to somebody else at once. Their own name gets them back at any time.
 */
import type { Uid, UserName } from '../core/ids.ts';
import { COOLING_MAX } from '../core/limits.ts';
import type { Clock } from './ports.ts';

/** Read at each use, so that it may change. */
export interface CoolDownSettings {
  /** how long a UID cools down, in milliseconds; 0 for not at all */
  readonly durationMs: number;
}

export class CoolDown {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #settings: CoolDownSettings;
  readonly #freed = new Map<Uid, { readonly name: UserName; readonly until: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>, settings: CoolDownSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Notes that a UID was freed, and forgets those whose time is over. */
  freed(uid: Uid, name: UserName): void {
    const { durationMs } = this.#settings;
    const now = this.#clock.monotonic();
    // They are in the order in which they were freed: after the first one that still cools down, all others do as well, unless the
    // duration has changed.
    for (const [first, { until }] of this.#freed) {
      if (until > now && this.#freed.size < COOLING_MAX) {
        break;
      }
      this.#freed.delete(first);
    }
    this.#freed.delete(uid);
    if (durationMs > 0) {
      this.#freed.set(uid, { name, until: now + durationMs });
    }
  }

  /** @returns who had the UID a moment ago, if this name must not get it yet */
  formerUser(uid: Uid, name: UserName): UserName | undefined {
    const entry = this.#freed.get(uid);
    const isKept = entry !== undefined && entry.until > this.#clock.monotonic() && entry.name !== name;
    return isKept ? entry.name : undefined;
  }

  /** How many UIDs cool down now. */
  get count(): number {
    const now = this.#clock.monotonic();
    let count = 0;
    for (const { until } of this.#freed.values()) {
      count += until > now ? 1 : 0;
    }
    return count;
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
