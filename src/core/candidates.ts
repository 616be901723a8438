/**
 * The order in which UIDs are tried for a user: owners of its directories, the preferred UID of each interval of the range in
 * their order, then every other UID of the range once, interval by interval. So a name keeps its UID when an interval is added
 * behind the others, and when UIDs of other names are excluded. systemd draws 97 times with repetition and may fail beside free
 * UIDs; a sweep cannot.
 */
import type { Uid, UserName } from './ids.ts';
import { inPart, inRange, partSize, type RangePart, type UidRange, uidAt } from './range.ts';
import { siphash24 } from './siphash.ts';

export type CandidateOrigin = 'owner' | 'preferred' | 'sweep';

export interface Candidate {
  readonly uid: Uid;
  readonly origin: CandidateOrigin;
}

/** Two unpredictable integers in 0 … 2^32−1, which draw the order of one sweep. */
export interface Draw {
  readonly start: number;
  readonly stride: number;
}

/** systemd, src/core/dynamic-user.c: the key of the hash from names to UIDs. */
const UID_KEY = Uint8Array.from([
  0x37, 0x53, 0x7e, 0x31, 0xcf, 0xce, 0x48, 0xf5, 0x8a, 0xbb, 0x39, 0x57, 0x8d, 0xd9, 0xec, 0x59,
]);

/** How often a name draws anew in an interval if what it has drawn is excluded. */
const DRAWS_MAX = 16;

/**
 * The UID that a name prefers in each interval: the low 32 bits of its hash, folded as systemd folds them, so that in the default
 * range both give it the same and a unit that moves keeps its files. One that is excluded is replaced by what the hash of the name with a number gives,
 * so that all other names keep theirs.
 * @returns one for each interval but those of which next to nothing is left
 */
export function* preferredUids(name: UserName, { parts }: UidRange): Generator<Uid, void, undefined> {
  const bytes = new TextEncoder().encode(name);
  const hash = lowHash(bytes);
  for (const part of parts) {
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      const drawn = draw === 0 ? hash : lowHash(Uint8Array.from([...bytes, 0, draw]));
      const uid = (part.first + (drawn % (part.last - part.first + 1))) as Uid;
      if (inPart(part, uid)) {
        yield uid;
        break;
      }
    }
  }
}

function lowHash(bytes: Uint8Array): number {
  return Number(siphash24(UID_KEY, bytes) & 0xffff_ffffn);
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
  for (const uid of preferredUids(name, range)) {
    if (!seen.has(uid)) {
      seen.add(uid);
      yield { uid, origin: 'preferred' };
    }
  }
  for (const part of range.parts) {
    for (const uid of sweep(part, draw)) {
      if (!seen.has(uid)) {
        yield { uid, origin: 'sweep' };
      }
    }
  }
}

/** Each UID that is left of a part, once. */
function* sweep(part: RangePart, draw: Draw): Generator<Uid, void, undefined> {
  const size = partSize(part);
  if (size === 0) {
    return;
  }
  const stride = coprimeStride(draw.stride, size);
  let position = draw.start % size;
  for (let count = 0; count < size; count++) {
    yield uidAt(part, position);
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
