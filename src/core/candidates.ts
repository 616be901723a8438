/**
 * The order in which UIDs are tried for a user: owners of its directories, the preferred UID, then every other UID of
 * the range once. systemd draws 97 times with repetition and may fail beside free UIDs; a sweep cannot.
 */
import type { Uid, UserName } from './ids.ts';
import { preferredUid } from './preferred-uid.ts';
import { inRange, rangeSize, type UidRange } from './range.ts';

export const CANDIDATE_ORIGINS = ['owner', 'preferred', 'sweep'] as const;
export type CandidateOrigin = (typeof CANDIDATE_ORIGINS)[number];

export interface Candidate {
  readonly uid: Uid;
  readonly origin: CandidateOrigin;
}

/** Two unpredictable integers in 0 … 2^32−1, which draw the order of one sweep. */
export interface Draw {
  readonly start: number;
  readonly stride: number;
}

/**
 * @param owners the owners of the directories that the request names, in its order; those outside the range are skipped
 * @returns each UID of the range exactly once
 */
export function* candidates(
  owners: readonly Uid[],
  name: UserName,
  range: UidRange,
  draw: Draw,
): Generator<Candidate, void, undefined> {
  const seen = new Set<Uid>();
  for (const uid of owners) {
    if (inRange(range, uid) && !seen.has(uid)) {
      seen.add(uid);
      yield { uid, origin: 'owner' };
    }
  }
  const preferred = preferredUid(name, range);
  if (!seen.has(preferred)) {
    seen.add(preferred);
    yield { uid: preferred, origin: 'preferred' };
  }
  const size = rangeSize(range);
  const stride = coprimeStride(draw.stride, size);
  let position = draw.start % size;
  for (let count = 0; count < size; count++) {
    const uid = (range.first + position) as Uid;
    if (!seen.has(uid)) {
      yield { uid, origin: 'sweep' };
    }
    position = (position + stride) % size;
  }
}

/** A stride that shares no divisor with the size walks through all of it before it repeats. */
function coprimeStride(drawn: number, size: number): number {
  let stride = 1 + (drawn % size);
  while (greatestCommonDivisor(stride, size) !== 1) {
    stride = 1 + (stride % size);
  }
  return stride;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
