/** What differs from one run of the daemon to the next: the time, and random numbers. */

import type { Clock, Randomness } from '../allocator/ports.ts';
import { LEASE_ID_BYTES, leaseIdOf } from '../core/ids.ts';
import { RandomBytes } from './random-bytes.ts';

export const CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

const RANDOM = new RandomBytes();

export const RANDOMNESS: Randomness = {
  uint32: () => RANDOM.take(4).readUInt32LE(0),
  leaseId: () => leaseIdOf(RANDOM.take(LEASE_ID_BYTES)),
};

/** Makes the unit name of a launch that names none unique. */
export function freshName(): string {
  return RANDOM.take(8).toString('hex');
}
