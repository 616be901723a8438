/**
 * A dynamic user and its leases. A user lives as long as it has at least one lease; all values are immutable,
 * a change makes a new one.
 */
import type { LeasedDirectory } from './directory.ts';
import type { Gid, LeaseId, Pid, Uid, UnitName, UserName } from './ids.ts';
import { LIFETIMES, type Lifetime } from './lifetime.ts';
import { parseUnitName } from './name.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** What a request says and its lease keeps as it is: in its file, and in the replies of List and Watch. */
export interface LeaseTerms {
  readonly unit: UnitName;
  readonly lifetime: Lifetime;
  /** what the lease is for, in the words of its caller */
  readonly description?: string;
  /** what of the usual isolation the process goes without, in words */
  readonly missing?: readonly string[];
}

/** The longest description of a lease, in bytes. */
export const DESCRIPTION_BYTES_MAX = 256;

type Read<Value> = { readonly value: Value } | { readonly reason: string };

/** How each term is read: from the interface, and from a lease's file. Absent ones are undefined. */
const TERMS: { readonly [Name in keyof LeaseTerms]-?: (value: unknown) => Read<LeaseTerms[Name] | undefined> } = {
  unit(value) {
    const parsed = parseUnitName(String(value));
    return 'unit' in parsed ? { value: parsed.unit } : parsed;
  },
  lifetime(value) {
    const lifetime = LIFETIMES.find(known => known === value);
    return lifetime === undefined
      ? { reason: `the lifetime must be one of ${LIFETIMES.join(', ')}` }
      : { value: lifetime };
  },
  description(value) {
    if (value === undefined) {
      return { value };
    }
    const isLine = typeof value === 'string' && value !== '' && !/\p{Cc}/u.test(value);
    return isLine && Buffer.byteLength(value) <= DESCRIPTION_BYTES_MAX
      ? { value }
      : { reason: `a description must be one line of 1 to ${DESCRIPTION_BYTES_MAX} bytes without control characters` };
  },
  missing(value) {
    const isList = value === undefined || (Array.isArray(value) && value.every(entry => typeof entry === 'string'));
    return isList ? { value } : { reason: 'what is missing must be a list of texts' };
  },
};

const TERM_NAMES = Object.keys(TERMS) as readonly (keyof LeaseTerms)[];

/** @returns the terms among the fields of an object; or the first field that is wrong, and why */
export function readTerms(
  fields: Readonly<Record<string, unknown>>,
): { readonly terms: LeaseTerms } | { readonly field: keyof LeaseTerms; readonly reason: string } {
  const terms: Partial<Record<keyof LeaseTerms, unknown>> = {};
  for (const name of TERM_NAMES) {
    const read = TERMS[name](fields[name] ?? undefined);
    if ('reason' in read) {
      return { field: name, reason: read.reason };
    }
    if (read.value !== undefined) {
      terms[name] = read.value;
    }
  }
  // Each row has given the type of its field.
  return { terms: terms as unknown as LeaseTerms };
}

/** @returns the terms alone of what has more */
export function termsOf(lease: LeaseTerms): LeaseTerms {
  const given = TERM_NAMES.filter(name => lease[name] !== undefined).map(name => [name, lease[name]]);
  return Object.fromEntries(given);
}

/** One holding of a user. */
export interface Lease extends LeaseTerms {
  readonly id: LeaseId;
  /** the process that asked, as the kernel named it; undefined for one in a PID namespace that we cannot see into */
  readonly pid: Pid | undefined;
  /** the process that the lease is bound to, or that may claim it: see lifetime.ts */
  readonly process?: ProcessIdentity;
  /** the UID of the process that asked; it and root may release */
  readonly owner: Uid;
  /** milliseconds since the epoch */
  readonly since: number;
  readonly directories: readonly LeasedDirectory[];
  readonly cleanup: Cleanup;
}

/** What is removed of a user when it ends; a caller that does it itself switches it off. */
export interface Cleanup {
  /** ends every process that runs with the UID */
  readonly processes: boolean;
  /** removes IPC objects of the UID and GID */
  readonly ipc: boolean;
  /** of a static user: its IPC objects are removed, and those of this group, which its process had; absent: they stay */
  readonly accountIpc?: Gid;
}

/** A user with at least one lease. */
export interface DynamicUser {
  readonly uid: Uid;
  readonly gid: Gid;
  readonly name: UserName;
  /** false for a static user of the host that is used as it is: it is recorded, but never locked or published */
  readonly dynamic: boolean;
  readonly leases: readonly Lease[];
  /** why the UID is not this user's any more, in words: somebody else may have it. Once lost, it is never had again */
  readonly lost?: string;
}
