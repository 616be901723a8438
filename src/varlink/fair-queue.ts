/**
 * One queue for the work of several owners. Owners take turns, and so do the pieces of work of one owner. It knows no clock, and every operation
 * is O(1).
 */

/** Whoever shares with others: a user, by its number, or a sender on a bus, by its name. */
export type OwnerKey = string | number;

/** What one owner may use before the next has its turn: whichever ends first. */
export interface Slice {
  readonly ms: number;
  readonly pieces: number;
}

export class FairQueue<Work> {
  readonly #slice: Slice;
  /** A Map and a Set keep the order in which their keys came: the first is next. An owner without work is not in it. */
  readonly #owners = new Map<OwnerKey, Set<Work>>();
  readonly #ownerOf = new Map<Work, OwnerKey>();
  /** what the first owner has used of its slice */
  #used = { ms: 0, pieces: 0 };

  constructor(slice: Slice) {
    this.#slice = slice;
  }

  get size(): number {
    return this.#ownerOf.size;
  }

  has(work: Work): boolean {
    return this.#ownerOf.has(work);
  }

  /** Puts work at the end of its owner's; work that is in the queue stays in its place. */
  add(owner: OwnerKey, work: Work): void {
    if (this.#ownerOf.has(work)) {
      return;
    }
    this.#ownerOf.set(work, owner);
    const others = this.#owners.get(owner);
    if (others === undefined) {
      this.#owners.set(owner, new Set([work]));
    } else {
      others.add(work);
    }
  }

  /** @returns what is to be done next, which stays in the queue until done() or remove() */
  first(): Work | undefined {
    const works = this.#owners.values().next().value;
    return works?.values().next().value;
  }

  /**
   * Accounts for the first work: it goes to the end of its owner's, or leaves, and an owner whose slice is used goes to the end of
   * the owners.
   * @param ms what it took
   * @param more whether there is more to do for it
   */
  done(ms: number, more: boolean): void {
    const next = this.#owners.entries().next();
    if (next.done === true) {
      return;
    }
    const [owner, works] = next.value;
    const work = works.values().next().value;
    if (work !== undefined) {
      works.delete(work);
      if (more) {
        works.add(work);
      } else {
        this.#ownerOf.delete(work);
      }
    }
    this.#used.ms += ms;
    this.#used.pieces++;
    if (works.size === 0) {
      this.#leave(owner);
    } else if (this.#used.ms >= this.#slice.ms || this.#used.pieces >= this.#slice.pieces) {
      this.#leave(owner);
      this.#owners.set(owner, works);
    }
  }

  remove(work: Work): void {
    const owner = this.#ownerOf.get(work);
    if (owner === undefined) {
      return;
    }
    this.#ownerOf.delete(work);
    const works = this.#owners.get(owner);
    works?.delete(work);
    if (works?.size === 0) {
      this.#leave(owner);
    }
  }

  /** An owner leaves its place; behind the first, the next begins with a whole slice. */
  #leave(owner: OwnerKey): void {
    if (this.#owners.keys().next().value === owner) {
      this.#used = { ms: 0, pieces: 0 };
    }
    this.#owners.delete(owner);
  }
}
