/**
 * Knows which trees this process is at work on, so that who only looks at one learns whether what it saw still holds. The
 * lock beside a tree says the same to every process; asking it costs several steps on the disk, and this none. Pure.
 */
import { overlap, type Place } from '../plan/sharing.ts';

export interface Look {
  /** whether nobody has been at work on the places, or on what is above or below one, since the look began */
  readonly holds: boolean;
  end(): void;
}

interface Watched {
  readonly places: readonly Place[];
  disturbed: boolean;
}

export class TreeWork {
  readonly #works = new Set<readonly Place[]>();
  readonly #looks = new Set<Watched>();

  /** Says that trees may be changed from now on. @returns what to call when that is over */
  begin(places: readonly Place[]): () => void {
    // A list of its own: one that is given twice is twice at work.
    const work = [...places];
    this.#works.add(work);
    for (const look of this.#looks) {
      look.disturbed ||= anyOverlap(look.places, work);
    }
    return () => void this.#works.delete(work);
  }

  /** Begins a look at trees; the caller ends it. */
  look(places: readonly Place[]): Look {
    const watched: Watched = { places, disturbed: [...this.#works].some(work => anyOverlap(places, work)) };
    this.#looks.add(watched);
    return {
      get holds() {
        return !watched.disturbed;
      },
      end: () => void this.#looks.delete(watched),
    };
  }
}

function anyOverlap(some: readonly Place[], others: readonly Place[]): boolean {
  return some.some(one => others.some(other => overlap(one, other)));
}
