/** What differs from one run of the daemon to the next: the time, and random numbers. */
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock, Randomness } from '../allocator/ports.ts';
import { LEASE_ID_BYTES, leaseIdOf } from '../core/ids.ts';
import { readBoot } from './processes/files.ts';

/** A draw of the kernel's random bytes costs the same for a few as for thousands: so they are drawn for many uses at a time. */
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

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

export const CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  // CLOCK_MONOTONIC, as Node has it from libuv.
  sinceBoot: () => Number(process.hrtime.bigint() / NANOSECONDS_PER_MILLISECOND),
};

/** The boot that this is, as readBoot() has it, without its dashes. */
export function bootId(): string {
  return readBoot().replaceAll('-', '');
}

/** @returns seconds since the boot, also those in which the host slept (proc_uptime(5)) */
export function uptime(): number {
  return Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
}

const RANDOM = new RandomBytes();

export const RANDOMNESS: Randomness = {
  uint32: () => RANDOM.take(4).readUInt32LE(0),
  leaseId: () => leaseIdOf(RANDOM.take(LEASE_ID_BYTES)),
};

/** Makes the unit name of a launch that names none unique. */
export function freshName(): string {
  return RANDOM.take(8).toString('hex');
}
