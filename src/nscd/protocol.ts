/**
 * The protocol of nscd(8), version 2, for the five questions about users and groups: bytes in, a question out, and the bytes of its
 * answer. musl's programs, and static ones of glibc, ask it after /etc/passwd. Pure. Layouts and numbers are those of glibc's
 * nscd/nscd-client.h; numbers are in the byte order of the host.
 */
const VERSION = 2;
/** A version, the number of the question, and the length of its key. */
export const HEADER_BYTES = 12;
/** The longest key that glibc's nscd takes (MAXKEYLEN). */
export const KEY_BYTES_MAX = 1_024;

const KINDS = new Map([
  [0, 'passwdByName'],
  [1, 'passwdByUid'],
  [2, 'groupByName'],
  [3, 'groupByGid'],
  [15, 'groupsOfUser'],
] as const);

type Kind = typeof KINDS extends ReadonlyMap<number, infer Value> ? Value : never;

/** @property key a name, or a decimal number */
export interface Question {
  readonly kind: Kind;
  readonly key: string;
}

/**
 * @param input all that has come on a connection so far
 * @returns undefined if the question is not complete; "refused" if it can never be answered
 */
export function readQuestion(input: Buffer): Question | 'refused' | undefined {
  if (input.length < HEADER_BYTES) {
    return undefined;
  }
  // A copy, since numbers must be aligned in memory.
  const header = Uint8Array.from(input.subarray(0, HEADER_BYTES));
  const [version, number = -1, length = 0] = new Int32Array(header.buffer);
  const kind = KINDS.get(number as never);
  // A client of another byte order, of another version, or one that asks for descriptors of shared caches, hosts and services.
  if (version !== VERSION || kind === undefined || length < 1 || length > KEY_BYTES_MAX) {
    return 'refused';
  }
  if (input.length < HEADER_BYTES + length) {
    return undefined;
  }
  const key = input.subarray(HEADER_BYTES, HEADER_BYTES + length);
  return key.indexOf(0) === length - 1 ? { kind, key: key.toString('latin1', 0, length - 1) } : 'refused';
}

/**
 * How an unknown user or group is answered. "absent": it does not exist, which musl believes, and glibc too, so that it does not look into
 * /etc/passwd any more. "unknown": it is not known here, so that glibc asks elsewhere, which musl takes for an error.
 */
export type UnknownAnswer = 'absent' | 'unknown';

const FOUND: Readonly<Record<UnknownAnswer | 'found', number>> = { found: 1, absent: 0, unknown: -1 };

/** A line of /etc/passwd, as far as its numbers and texts. */
export interface PasswdEntry {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly realName: string;
  readonly home: string;
  readonly shell: string;
}

export interface GroupEntry {
  readonly name: string;
  readonly password: string;
  readonly gid: number;
  readonly members: readonly string[];
}

export function writePasswd(entry: PasswdEntry | UnknownAnswer): Buffer {
  if (typeof entry === 'string') {
    return numbers(VERSION, FOUND[entry], 0, 0, 0, 0, 0, 0, 0);
  }
  const texts = [entry.name, entry.password, entry.realName, entry.home, entry.shell].map(terminated);
  const [name = 0, password = 0, ...others] = texts.map(text => text.length);
  return Buffer.concat([numbers(VERSION, FOUND.found, name, password, entry.uid, entry.gid, ...others), ...texts]);
}

export function writeGroup(entry: GroupEntry | UnknownAnswer): Buffer {
  if (typeof entry === 'string') {
    return numbers(VERSION, FOUND[entry], 0, 0, 0, 0);
  }
  const name = terminated(entry.name);
  const password = terminated(entry.password);
  const members = entry.members.map(terminated);
  const header = numbers(VERSION, FOUND.found, name.length, password.length, entry.gid, members.length);
  const lengths = numbers(...members.map(member => member.length));
  return Buffer.concat([header, lengths, name, password, ...members]);
}

/** @param groups the gids of all groups that a user is in */
export function writeGroups(groups: readonly number[] | UnknownAnswer): Buffer {
  return typeof groups === 'string'
    ? numbers(VERSION, FOUND[groups], 0)
    : numbers(VERSION, FOUND.found, groups.length, ...groups);
}

/** 32 bits each, whether with or without a sign. */
function numbers(...values: readonly number[]): Buffer {
  return Buffer.from(Int32Array.from(values).buffer);
}

function terminated(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
