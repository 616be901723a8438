/** The UID that a name would have if nobody were in its way: systemd's, so that a unit that moves keeps its files. */
import type { Uid, UserName } from './ids.ts';
import { rangeSize, type UidRange } from './range.ts';
import { siphash24 } from './siphash.ts';

/** systemd, src/core/dynamic-user.c: the key of the hash from names to UIDs. */
const UID_KEY = Uint8Array.from([
  0x37, 0x53, 0x7e, 0x31, 0xcf, 0xce, 0x48, 0xf5, 0x8a, 0xbb, 0x39, 0x57, 0x8d, 0xd9, 0xec, 0x59,
]);

/** @returns the low 32 bits of the name's hash, folded into the range as systemd folds them */
export function preferredUid(name: UserName, range: UidRange): Uid {
  const digest = siphash24(UID_KEY, new TextEncoder().encode(name));
  const low = Number(digest & 0xffff_ffffn);
  return (range.first + (low % rangeSize(range))) as Uid;
}
