/**
 * The range of UIDs that may be given out. The default is systemd's own, so that both hand the same number to the same
 * name; any other must lie where no distribution puts users of another kind (systemd, docs/UIDS-GIDS.md).
 */
import { OVERFLOW_ID, type Uid } from './ids.ts';

/** A range of UIDs, both ends included. */
export interface UidRange {
  readonly first: Uid;
  readonly last: Uid;
}

export const DEFAULT_RANGE: UidRange = { first: 61184 as Uid, last: 65519 as Uid };

/** The bounds of a configured range, both included; native/include/dynuser.h says the same to the NSS module. */
export const POSSIBLE_UIDS: UidRange = { first: 60578 as Uid, last: 2147483647 as Uid };

/** nobody, and the 16-bit −1 (chown(2) on old ABIs): within the bounds, but never given out. */
export const RESERVED_UIDS: readonly number[] = [OVERFLOW_ID, 65535];

/** The greatest number of UIDs in a range: what one daemon can keep lock files open for. */
export const RANGE_SIZE_MAX = 65536;

export function rangeSize(range: UidRange): number {
  return range.last - range.first + 1;
}

export function inRange(range: UidRange, uid: number): boolean {
  return uid >= range.first && uid <= range.last;
}

/**
 * @param text two decimal numbers with a dash between, such as "61184-65519"
 * @returns the range, or the reason why it cannot be one
 */
export function parseRange(text: string): UidRange | string {
  const match = /^(\d{1,10})-(\d{1,10})$/.exec(text);
  if (match === null) {
    return `"${text}" is not two numbers with a dash between, such as 61184-65519`;
  }
  const first = Number(match[1]);
  const last = Number(match[2]);
  if (first > last) {
    return `${first} is greater than ${last}`;
  }
  if (first < POSSIBLE_UIDS.first || last > POSSIBLE_UIDS.last) {
    return `it must lie within ${POSSIBLE_UIDS.first}-${POSSIBLE_UIDS.last}`;
  }
  const reserved = RESERVED_UIDS.find(uid => uid >= first && uid <= last);
  if (reserved !== undefined) {
    return `it must not contain ${reserved}, which is reserved`;
  }
  if (last - first >= RANGE_SIZE_MAX) {
    return `it must not hold more than ${RANGE_SIZE_MAX} UIDs`;
  }
  return { first: first as Uid, last: last as Uid };
}
