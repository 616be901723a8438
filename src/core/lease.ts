/**
 * A dynamic user and its leases. A user lives as long as it has at least one lease; all values are immutable,
 * a change makes a new one.
 */
import type { LeasedDirectory } from './directory.ts';
import type { Gid, LeaseId, Pid, Uid, UnitName, UserName } from './ids.ts';
import { parseUnitName } from './name.ts';
import type { PacketRules } from './packet-rules.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { LIFETIMES, type Lifetime } from './wire-names.ts';

export { LIFETIMES, type Lifetime };

/** What a lease of a lifetime keeps of a process: the one that it ends with, the one that may claim it from the next daemon, or none. */
type KeptProcess = 'bound' | 'mayClaim' | 'none';

const KEPT_PROCESS: Readonly<Record<Lifetime, KeptProcess>> = {
  connection: 'mayClaim',
  process: 'bound',
  unit: 'none',
  timed: 'none',
  running: 'none',
  explicit: 'none',
};

export function keptProcess(lifetime: Lifetime): KeptProcess {
  return KEPT_PROCESS[lifetime];
}

/** Whether a lease of that lifetime may be as it was read, with a process or without one. */
export function fitsLifetime(lifetime: Lifetime, hasProcess: boolean): boolean {
  const kept = keptProcess(lifetime);
  // A process that could not be seen is not kept, and cannot claim the lease.
  return hasProcess ? kept !== 'none' : kept !== 'bound';
}

/** What a request says and its lease keeps as it is: in its file, and in the replies of List and Watch. */
export interface LeaseTerms {
  readonly unit: UnitName;
  readonly lifetime: Lifetime;
  /** lifetime `timed`: how long the lease lasts */
  readonly seconds?: number;
  /** what the lease is for, in the words of its caller */
  readonly description?: string;
  /** the parts of the usual isolation that the process does not have, in words */
  readonly missing?: readonly string[];
}

/** The longest description of a lease, in bytes. */
export const DESCRIPTION_BYTES_MAX = 256;

/** The longest that a timed lease lasts. A timer of Node waits for less than 25 days. */
const LEASE_SECONDS_MAX = 14 * 24 * 60 * 60;

/** How long a lease that lasts as long as a process runs waits for the first one. */
export const RUNNING_START_SECONDS = 60;

type Read<Value> = { readonly value: Value } | { readonly reason: string };

/** How each term is read: from the interface, and from a lease's file. Absent ones are undefined. */
const TERMS: { readonly [Name in keyof LeaseTerms]-?: (value: unknown) => Read<LeaseTerms[Name] | undefined> } = {
  unit(value) {
    const parsed = parseUnitName(typeof value === 'string' ? value : '');
    return 'unit' in parsed ? { value: parsed.unit } : parsed;
  },
  lifetime(value) {
    const lifetime = LIFETIMES.find(known => known === value);
    return lifetime === undefined
      ? { reason: `the lifetime must be one of ${LIFETIMES.join(', ')}` }
      : { value: lifetime };
  },
  seconds(value) {
    if (value === undefined) {
      return { value };
    }
    const isInRange = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LEASE_SECONDS_MAX;
    return isInRange ? { value } : { reason: `a timed lease lasts 1 to ${LEASE_SECONDS_MAX} seconds` };
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
  if ((terms.lifetime === 'timed') !== (terms.seconds !== undefined)) {
    return { field: 'seconds', reason: 'a timed lease needs its seconds, and no other lease has any' };
  }
  // Each row has given the type of its field.
  return { terms: terms as unknown as LeaseTerms };
}

/** @returns the terms alone of what has more */
export function termsOf(lease: LeaseTerms): LeaseTerms {
  const terms: Partial<Record<keyof LeaseTerms, unknown>> = {};
  for (const name of TERM_NAMES) {
    if (lease[name] !== undefined) {
      terms[name] = lease[name];
    }
  }
  return terms as unknown as LeaseTerms;
}

/** A shared group that a lease holds for its process: the group of another dynamic user, or of nobody else. */
export interface LeasedGroup {
  readonly name: UserName;
  readonly gid: Gid;
}

/** Whose membership in a group a lease of that group is, and the lease that it ends with. */
export interface Membership {
  readonly user: UserName;
  readonly lease: LeaseId;
}

/** How long the process of a lease may run, and how it is ended after that. */
export interface RuntimeLimit {
  readonly milliseconds: number;
  /** the signal that it gets first */
  readonly signal: number;
  /** SIGHUP follows it */
  readonly hangup: boolean;
  /** how long the process may take to end by that, in milliseconds; absent: for ever */
  readonly graceMs?: number;
  /** the signal that it gets then; absent: none */
  readonly finalSignal?: number;
}

/** The limit that is asked for, and a time of which a random part is added to it. */
export interface RequestedRuntime extends RuntimeLimit {
  readonly extraMs: number;
}

/** The limit of a process that runs, with the end of its time: milliseconds of Clock.sinceBoot(). */
export interface LeasedRuntime extends RuntimeLimit {
  readonly until: number;
}

/** One holding of a user. */
export interface Lease extends LeaseTerms {
  readonly id: LeaseId;
  /** the shared groups that it holds, each by a lease of the group with `member` */
  readonly groups?: readonly LeasedGroup[];
  readonly member?: Membership;
  /** the process that asked, as the kernel named it; undefined for one in a PID namespace that we cannot see into */
  readonly pid: Pid | undefined;
  /** the process that the lease is bound to, or that may claim it: see KeptProcess */
  readonly process?: ProcessIdentity;
  /** the UID of the process that asked; it and root may release */
  readonly owner: Uid;
  /** milliseconds since the epoch */
  readonly since: number;
  readonly directories: readonly LeasedDirectory[];
  readonly cleanup: Cleanup;
  /** of a lease that is bound to a process which may not run for ever */
  readonly runtime?: LeasedRuntime;
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

/** The values that nearly all leases have, which share them. */
const NO_DIRECTORIES: readonly LeasedDirectory[] = [];
const CLEANUPS: readonly Cleanup[] = [true, false].flatMap(processes => [true, false].map(ipc => ({ processes, ipc })));

/**
 * @returns the same lease, to be kept in as little memory as it takes: there may be a million. V8 makes a hidden class for each object that
 *   begins with a spread and gets other fields after it, and that is larger than the lease.
 */
export function compactLease({ id, unit, lifetime, pid, owner, since, directories, cleanup, ...others }: Lease): Lease {
  const { processes, ipc, accountIpc } = cleanup;
  const shared = CLEANUPS.find(known => known.processes === processes && known.ipc === ipc);
  return {
    id,
    unit,
    lifetime,
    pid,
    owner,
    since,
    directories: directories.length === 0 ? NO_DIRECTORIES : directories,
    cleanup: accountIpc === undefined ? (shared ?? cleanup) : cleanup,
    ...others,
  };
}

/** A user with at least one lease. */
export interface DynamicUser {
  readonly uid: Uid;
  readonly gid: Gid;
  readonly name: UserName;
  /** false for a static user of the host that is used as it is: it is recorded, but never locked or published */
  readonly dynamic: boolean;
  readonly leases: readonly Lease[];
  /**
   * what the packets of its UID are held to, once a launch has run with it: until the user ends, since what that launch has left
   * running would be free otherwise
   */
  readonly packetRules?: PacketRules;
  /** why the UID is not this user's any more, in words: somebody else may have it. Once lost, it is never had again */
  readonly lost?: string;
}

/** @returns the process whose end is the end of the user, if its only lease is bound to one */
export function holderOf({ dynamic, lost, leases: [lease, ...others] }: DynamicUser): ProcessIdentity | undefined {
  const isHeld = dynamic && lost === undefined && others.length === 0 && lease?.lifetime === 'process';
  return isHeld ? lease.process : undefined;
}
