/**
 * The identifiers, as branded types: a plain number or string becomes one of these at the edge, by the parsers here and in
 * name.ts, and inward nobody validates again.
 */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A UNIX user id, 0 … 2^32−2 (credentials(7)); 2^32−1 is "no id" and never a Uid. For a dynamic user also its gid. */
export type Uid = Branded<number, 'Uid'>;
/** A UNIX group id, with the bounds of Uid. */
export type Gid = Branded<number, 'Gid'>;
/** A process id, 1 … 2^22 (proc_sys_kernel(5), pid_max). */
export type Pid = Branded<number, 'Pid'>;
/** A user name that passed the strict grammar of name.ts. */
export type UserName = Branded<string, 'UserName'>;
/** A unit name that passed the grammar of name.ts; a type suffix is not required. */
export type UnitName = Branded<string, 'UnitName'>;
/** The id of one lease to a user: 32 lower-case hexadecimal digits. */
export type LeaseId = Branded<string, 'LeaseId'>;

/** nobody and nogroup: what the kernel shows for an ID that it cannot map (proc_sys_kernel(5), overflowuid). */
export const OVERFLOW_ID = 65_534;

const UID_LAST = 0xffff_fffe;
const PID_LAST = 0x40_0000;

/** @returns the number as a Uid, or undefined if it is not an integer in 0 … 2^32−2 */
export function asUid(value: number): Uid | undefined {
  return Number.isInteger(value) && value >= 0 && value <= UID_LAST ? (value as Uid) : undefined;
}

/** @returns the number as a Gid, or undefined if it is not an integer in 0 … 2^32−2 */
export function asGid(value: number): Gid | undefined {
  return Number.isInteger(value) && value >= 0 && value <= UID_LAST ? (value as Gid) : undefined;
}

/** @returns the number as a Pid, or undefined if it is not an integer in 1 … 2^22 */
export function asPid(value: number): Pid | undefined {
  return Number.isInteger(value) && value >= 1 && value <= PID_LAST ? (value as Pid) : undefined;
}

export const LEASE_ID_BYTES = 16;

/** @param bytes LEASE_ID_BYTES of them, unpredictable */
export function leaseIdOf(bytes: Buffer): LeaseId {
  return bytes.toString('hex') as LeaseId;
}

/** @returns the text as a LeaseId, or undefined if it is not 32 lower-case hexadecimal digits */
export function asLeaseId(text: string): LeaseId | undefined {
  return /^[0-9a-f]{32}$/.test(text) ? (text as LeaseId) : undefined;
}
