/** The snapshot by which the NSS module finds users of other hosts (native/nss): a text file, whose reader in C has its constants from here. Pure. */
import type { FleetUser } from './fleet.ts';
import type { Uid, UserName } from './ids.ts';
import { POSSIBLE_UIDS } from './range.ts';

/** The first line of a snapshot begins so; its end is the number of users. */
export const SNAPSHOT_MAGIC = 'dynuser-fleet 1';
/** The bytes of every line, the newline counted: the longest name, a space and the digits of the largest UID. */
export const SNAPSHOT_LINE = 43;
const NAME_WIDTH = 31;
const UID_WIDTH = 10;
/** Users in a snapshot: whoever reads one refuses more. */
export const SNAPSHOT_USERS_MAX = 131_072;
/** The longest snapshot. */
export const SNAPSHOT_BYTES_MAX = SNAPSHOT_LINE * (1 + 2 * SNAPSHOT_USERS_MAX);

/**
 * The snapshot that the NSS module searches: a line with the number of users, a line for each user by name, and again by UID. All are of one
 * length, so that a search reads a few of them.
 * @param users at most SNAPSHOT_USERS_MAX, no name and no UID twice
 */
export function encodeSnapshot(users: readonly FleetUser[]): string {
  // By bytes, as strcmp(3) in the C locale: names are ASCII.
  const byName = users.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const byUid = users.toSorted((a, b) => a.uid - b.uid);
  const head = `${SNAPSHOT_MAGIC.padEnd(NAME_WIDTH)} ${String(users.length).padStart(UID_WIDTH)}\n`;
  return head + [...byName, ...byUid].map(lineOf).join('');
}

function lineOf({ name, uid }: FleetUser): string {
  return `${name.padEnd(NAME_WIDTH)} ${String(uid).padStart(UID_WIDTH)}\n`;
}

const LINE = /^([A-Za-z_][A-Za-z0-9_-]{0,30}) * +([1-9][0-9]{0,9})$/;

/** @returns the users of a snapshot, or undefined if the text is broken */
export function decodeSnapshot(text: string): readonly FleetUser[] | undefined {
  const count = Number(text.slice(NAME_WIDTH, SNAPSHOT_LINE - 1));
  const isWhole =
    text.startsWith(SNAPSHOT_MAGIC) &&
    Number.isInteger(count) &&
    count <= SNAPSHOT_USERS_MAX &&
    text.length === SNAPSHOT_LINE * (1 + 2 * count);
  if (!isWhole) {
    return undefined;
  }
  const users: FleetUser[] = [];
  for (let index = 1; index <= count; index++) {
    const match = LINE.exec(text.slice(index * SNAPSHOT_LINE, (index + 1) * SNAPSHOT_LINE - 1));
    const uid = Number(match?.[2]);
    if (match?.[1] === undefined || uid < POSSIBLE_UIDS.first || uid > POSSIBLE_UIDS.last) {
      return undefined;
    }
    users.push({ name: match[1] as UserName, uid: uid as Uid });
  }
  return users;
}
