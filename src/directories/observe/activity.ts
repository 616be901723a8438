/**
 * Knows which directories this process works on, so that it is known whether a snapshot still holds. The lock beside a
 * directory says the same to every process, but asking it costs several steps on the disk, and this none. Pure.
 */
import { overlap, type Place } from '../plan/sharing.ts';

export interface Watch {
  /** whether nobody has worked on the places, or on what is above or below one, since the watch began */
  readonly isUndisturbed: boolean;
  end(): void;
}

export class Activity {
  readonly #works = new Set<readonly Place[]>();
  readonly #watched = new Map<{ isUndisturbed: boolean }, readonly Place[]>();

  /** Says that directories may be changed from now on. @returns what to call when that is over */
  begin(places: readonly Place[]): () => void {
    // A new list: the same one may be worked on twice at a time.
    const work = [...places];
    this.#works.add(work);
    for (const [watch, watched] of this.#watched) {
      watch.isUndisturbed &&= !anyOverlap(watched, work);
    }
    return () => void this.#works.delete(work);
  }

  /** Watches directories; the caller ends it. */
  watch(places: readonly Place[]): Watch {
    const isUndisturbed = ![...this.#works].some(work => anyOverlap(places, work));
    const watch = { isUndisturbed, end: () => void this.#watched.delete(watch) };
    this.#watched.set(watch, places);
    return watch;
  }
}

function anyOverlap(some: readonly Place[], others: readonly Place[]): boolean {
  return some.some(one => others.some(other => overlap(one, other)));
}
