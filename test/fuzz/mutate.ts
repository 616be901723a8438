/** Inputs out of others: changed at random, and the same again for the same seed. */

/** A generator of numbers (mulberry32): one word of state, the same sequence on every machine. */
export class Random {
  #state: number;

  /** @param seed 0 … 2^32-1 */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** @returns an integer from 0 up to and without the bound, which is 1 at least */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  of<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) {
      throw new RangeError('nothing to choose from');
    }
    return found;
  }
}

const CHANGES_MAX = 5;
const PART_BYTES_MAX = 64;

/** @returns where a part of the input begins and ends; empty if the input is */
function partOf(input: Buffer, random: Random): [number, number] {
  const from = random.below(input.length + 1);
  return [from, Math.min(input.length, from + 1 + random.below(PART_BYTES_MAX))];
}

function change(input: Buffer, others: readonly Buffer[], pieces: readonly Buffer[], random: Random): Buffer {
  const [from, to] = partOf(input, random);
  const [before, part, after] = [input.subarray(0, from), input.subarray(from, to), input.subarray(to)];
  switch (random.below(8)) {
    case 0:
      return Buffer.concat([before, Buffer.of(random.below(256)), input.subarray(from + 1)]);
    case 1:
      return Buffer.concat([before, Buffer.of((part[0] ?? 0) ^ (1 << random.below(8))), input.subarray(from + 1)]);
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, part, part, after]);
    case 4: {
      const other = random.of(others);
      return Buffer.concat([before, other.subarray(...partOf(other, random)), after]);
    }
    case 5:
      return Buffer.concat([before, random.of(pieces), after]);
    default:
      return Buffer.concat([before, random.of(pieces), input.subarray(from)]);
  }
}

/**
 * @param pool inputs to begin with, one at least
 * @param pieces what is put in
 * @returns one of the pool after one to CHANGES_MAX changes, no longer than bytesMax
 */
export function mutate(pool: readonly Buffer[], pieces: readonly Buffer[], random: Random, bytesMax: number): Buffer {
  let input = random.of(pool);
  for (let left = 1 + random.below(CHANGES_MAX); left > 0; left--) {
    input = change(input, pool, pieces, random).subarray(0, bytesMax);
  }
  return input;
}
