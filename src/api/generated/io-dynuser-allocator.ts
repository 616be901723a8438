/** Generated from io.dynuser.Allocator.varlink by "npm run generate": change that file, not this one. */

export const ALLOCATOR_INTERFACE = `# Dynamic UNIX users: a free UID for as long as a service needs it.
interface io.dynuser.Allocator

# How long a reference to a user lasts.
# connection: until the caller's connection closes
# process: until a process is gone
# unit: until systemd says that the unit is inactive
# explicit: until Release
type Lifetime (connection, process, unit, explicit)

# One reference to a live user.
type Lease (
  lease: string,
  uid: int,
  gid: int,
  userName: string,
  unit: string,
  # false where a static user of the host is used as it is
  dynamic: bool,
  lifetime: Lifetime,
  # the process that asked for it; absent where it is in a PID namespace that the daemon cannot see into
  pid: ?int,
  # when it was given, in microseconds since the epoch
  since: int,
  # the directories that the request named
  directories: []string
)

# What was found about one UID.
type Candidate (
  uid: int,
  # why it is in the list
  origin: (owner, preferred, sweep),
  free: bool,
  # in words: "free", or why not
  finding: string
)

# Allocates the user for a unit, or joins the user where it lives already.
# Root, and peers that the configuration allows.
method Acquire(
  unit: string,
  # the user's name; derived from the unit where it is absent
  userName: ?string,
  # one user for each instance of a template, instead of one for the template
  perInstance: ?bool,
  lifetime: ?Lifetime,
  pid: ?int,
  stateDirectory: ?[]string,
  cacheDirectory: ?[]string,
  logsDirectory: ?[]string,
  runtimeDirectory: ?[]string
) -> (
  uid: int,
  gid: int,
  userName: string,
  unit: string,
  dynamic: bool,
  lease: string
)

# Drops one reference; the last one ends the user. Root, and the UID that acquired it.
method Release(lease: string) -> ()

# The live references. With 'more', one reply for each; without, a single reply with all of them.
# [Supports 'more' flag]
method List() -> (lease: ?Lease, leases: ?[]Lease)

# Says what Acquire would do, and why, and changes nothing.
method Explain(
  unit: string,
  userName: ?string,
  perInstance: ?bool,
  stateDirectory: ?[]string,
  cacheDirectory: ?[]string,
  logsDirectory: ?[]string,
  runtimeDirectory: ?[]string
) -> (
  userName: string,
  # how the name came about, in words
  nameOrigin: string,
  outcome: (allocate, join, static, conflict, exhausted),
  # the outcome in words
  reason: string,
  # the UID that would be given, where there is one
  uid: ?int,
  gid: ?int,
  # the candidates in order, up to the first that is free
  candidates: []Candidate
)

# First one reply for each live reference and one 'ready', then a reply for each change.
# [Requires 'more' flag]
method Watch() -> (event: (existing, ready, allocated, released), lease: ?Lease)

# A unit or user name that is not one; field says which.
error InvalidName(field: string, reason: string)
# Something else has the name: a group without a user, or the reverse, or a user that systemd allocated.
error NameConflict(field: string, reason: string)
# No UID of the range is free; held says how many of them this daemon holds.
error RangeExhausted(held: int, reason: string)
error NotPermitted(field: string, reason: string)
error NoSuchLease(field: string, reason: string)
# The host could not be asked or did not do what it was asked: a name service that hangs, crashes or fails, a registry
# that cannot be written.
error ProbeFailed(field: string, reason: string)
error DirectoryFailed(field: string, reason: string)
# A bound of this daemon or of the host was reached: connections, references, memory of the registry.
error LimitReached(field: string, reason: string)
`;

/**
 * How long a reference to a user lasts.
 * connection: until the caller's connection closes
 * process: until a process is gone
 * unit: until systemd says that the unit is inactive
 * explicit: until Release
 */
export type Lifetime = 'connection' | 'process' | 'unit' | 'explicit';

/** One reference to a live user. */
export type Lease = {
  readonly lease: string;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly unit: string;
  /** false where a static user of the host is used as it is */
  readonly dynamic: boolean;
  readonly lifetime: Lifetime;
  /** the process that asked for it; absent where it is in a PID namespace that the daemon cannot see into */
  readonly pid?: number;
  /** when it was given, in microseconds since the epoch */
  readonly since: number;
  /** the directories that the request named */
  readonly directories: readonly string[];
};

/** What was found about one UID. */
export type Candidate = {
  readonly uid: number;
  /** why it is in the list */
  readonly origin: 'owner' | 'preferred' | 'sweep';
  readonly free: boolean;
  /** in words: "free", or why not */
  readonly finding: string;
};

/**
 * Allocates the user for a unit, or joins the user where it lives already.
 * Root, and peers that the configuration allows.
 */
export type AcquireParameters = {
  readonly unit: string;
  /** the user's name; derived from the unit where it is absent */
  readonly userName?: string;
  /** one user for each instance of a template, instead of one for the template */
  readonly perInstance?: boolean;
  readonly lifetime?: Lifetime;
  readonly pid?: number;
  readonly stateDirectory?: readonly string[];
  readonly cacheDirectory?: readonly string[];
  readonly logsDirectory?: readonly string[];
  readonly runtimeDirectory?: readonly string[];
};

export type AcquireReply = {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly unit: string;
  readonly dynamic: boolean;
  readonly lease: string;
};

/** Drops one reference; the last one ends the user. Root, and the UID that acquired it. */
export type ReleaseParameters = {
  readonly lease: string;
};

export type ReleaseReply = { readonly [key: string]: never };

/**
 * The live references. With 'more', one reply for each; without, a single reply with all of them.
 * [Supports 'more' flag]
 */
export type ListParameters = { readonly [key: string]: never };

export type ListReply = {
  readonly lease?: Lease;
  readonly leases?: readonly Lease[];
};

/** Says what Acquire would do, and why, and changes nothing. */
export type ExplainParameters = {
  readonly unit: string;
  readonly userName?: string;
  readonly perInstance?: boolean;
  readonly stateDirectory?: readonly string[];
  readonly cacheDirectory?: readonly string[];
  readonly logsDirectory?: readonly string[];
  readonly runtimeDirectory?: readonly string[];
};

export type ExplainReply = {
  readonly userName: string;
  /** how the name came about, in words */
  readonly nameOrigin: string;
  readonly outcome: 'allocate' | 'join' | 'static' | 'conflict' | 'exhausted';
  /** the outcome in words */
  readonly reason: string;
  /** the UID that would be given, where there is one */
  readonly uid?: number;
  readonly gid?: number;
  /** the candidates in order, up to the first that is free */
  readonly candidates: readonly Candidate[];
};

/**
 * First one reply for each live reference and one 'ready', then a reply for each change.
 * [Requires 'more' flag]
 */
export type WatchParameters = { readonly [key: string]: never };

export type WatchReply = {
  readonly event: 'existing' | 'ready' | 'allocated' | 'released';
  readonly lease?: Lease;
};

/** A unit or user name that is not one; field says which. */
export type InvalidNameParameters = {
  readonly field: string;
  readonly reason: string;
};

/** Something else has the name: a group without a user, or the reverse, or a user that systemd allocated. */
export type NameConflictParameters = {
  readonly field: string;
  readonly reason: string;
};

/** No UID of the range is free; held says how many of them this daemon holds. */
export type RangeExhaustedParameters = {
  readonly held: number;
  readonly reason: string;
};

export type NotPermittedParameters = {
  readonly field: string;
  readonly reason: string;
};

export type NoSuchLeaseParameters = {
  readonly field: string;
  readonly reason: string;
};

/**
 * The host could not be asked or did not do what it was asked: a name service that hangs, crashes or fails, a registry
 * that cannot be written.
 */
export type ProbeFailedParameters = {
  readonly field: string;
  readonly reason: string;
};

export type DirectoryFailedParameters = {
  readonly field: string;
  readonly reason: string;
};

/** A bound of this daemon or of the host was reached: connections, references, memory of the registry. */
export type LimitReachedParameters = {
  readonly field: string;
  readonly reason: string;
};
