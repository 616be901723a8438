/** Random bytes of the kernel's, drawn for many uses at a time: a draw costs the same for a few bytes as for thousands. */
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;

export class RandomBytes {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  /** @param count 1 to 4,096. @returns bytes that were never given out before, and never are again */
  take(count: number): Buffer {
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const taken = Buffer.from(this.#pool.subarray(this.#used, this.#used + count));
    this.#used += count;
    return taken;
  }
}
