/**
 * UIDs that were freed a moment ago: given to another name only where nothing else is free, so that what still carries
 * the number somewhere is not at once somebody else's. Their own name gets them back at any time.
 */
import type { Uid, UserName } from '../core/ids.ts';
import type { Clock } from './ports.ts';

export class CoolDown {
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #freed = new Map<Uid, { readonly name: UserName; readonly until: number }>();

  /** @param durationMs how long a UID cools down, in milliseconds; 0 for not at all */
  constructor(clock: Clock, durationMs: number) {
    this.#clock = clock;
    this.#durationMs = durationMs;
  }

  /** Notes that a UID was freed. There is one entry for each UID of the range at most. */
  freed(uid: Uid, name: UserName): void {
    if (this.#durationMs > 0) {
      this.#freed.set(uid, { name, until: this.#clock.monotonic() + this.#durationMs });
    }
  }

  /** @returns who had the UID a moment ago, where it is not to be given to this name yet */
  formerHolder(uid: Uid, name: UserName): UserName | undefined {
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
