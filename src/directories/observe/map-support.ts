/**
 * Remembers for a short while which file systems make id-mapped mounts: the question takes a process, and the answer is the
 * same for all of a file system. If an answer has become wrong, because another file system got the number meanwhile,
 * launches fail with a clear error until it expires, and no data is lost.
 */
import type { HeldDirectory } from '../held-directory.ts';
import { MAP_SUPPORT_MAX, MAP_SUPPORT_TTL_MS } from '../limits.ts';

interface Answer {
  readonly canMap: Promise<boolean>;
  /** of the monotonic clock, in milliseconds */
  readonly until: number;
}

export class MapSupport {
  readonly #answers = new Map<string, Answer>();
  readonly #probe: (directory: HeldDirectory) => Promise<boolean>;
  readonly #now: () => number;

  /**
   * @param probe finds out whether an id-mapped mount of a directory can be made
   * @param now the monotonic clock, in milliseconds
   */
  constructor(probe: (directory: HeldDirectory) => Promise<boolean>, now: () => number = () => performance.now()) {
    this.#probe = probe;
    this.#now = now;
  }

  /**
   * @param device the number of a file system
   * @param open opens a directory on it, if the answer is not known
   * @returns whether it makes id-mapped mounts
   */
  async canMap(device: string, open: () => Promise<HeldDirectory>): Promise<boolean> {
    const known = this.#answers.get(device);
    if (known !== undefined && known.until > this.#now()) {
      return known.canMap;
    }
    if (this.#answers.size >= MAP_SUPPORT_MAX) {
      this.#answers.clear();
    }
    const canMap = this.#ask(open);
    const answer = { canMap, until: this.#now() + MAP_SUPPORT_TTL_MS };
    this.#answers.set(device, answer);
    // A question that failed is not an answer; who asked gets the error.
    canMap.catch(() => this.#answers.get(device) === answer && this.#answers.delete(device));
    return canMap;
  }

  async #ask(open: () => Promise<HeldDirectory>): Promise<boolean> {
    using directory = await open();
    return await this.#probe(directory);
  }
}
