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
  # the paths by which the unit knows its directories
  directories: []string,
  # the last reference is dropped: nothing resolves any more, and the UID stays reserved until nothing of it is left
  ending: ?bool,
  # what keeps the UID of an ending user reserved, where a first attempt could not remove it
  remains: ?string
)

# How a directory became the user's.
# none: it was already
# map: on disk it belongs to diskUid and diskGid; the caller makes an id-mapped mount that shows it as the user's
# chown: its owner was changed
type Handover (none, map, chown)

type DirectoryKind (runtime, state, cache, logs)

# A directory of a user, ready for use.
type Directory (
  kind: DirectoryKind,
  # the path by which the unit knows it, and the one of the tree itself
  publicPath: string,
  realPath: string,
  # it is to be shown read-only
  readOnly: bool,
  handover: Handover,
  # the public path of the directory of the same request that it is a part of
  within: ?string,
  # the owner on disk
  diskUid: int,
  diskGid: int,
  # how many inodes got another owner
  changed: int,
  # paths below it that were left alone: inodes of others that have a name in it, and what is mounted there
  leftPaths: []string,
  mountPaths: []string
)

# How far the handover of a large directory is.
type Progress (
  publicPath: string,
  inodes: int,
  changed: int
)

# What would become of a directory.
type ExpectedHandover (
  kind: DirectoryKind,
  publicPath: string,
  handover: Handover,
  # absent where there is no directory yet
  owner: ?int,
  inodes: int,
  changes: int,
  # whether there was time to count all of a large one
  counted: (all, some)
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
# Root, and peers that the configuration allows. With 'more', replies with progress alone may come before the last one,
# which has all the others but progress.
# [Supports 'more' flag]
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
  runtimeDirectory: ?[]string,
  # permission bits of the directories, 0755 unless given
  stateDirectoryMode: ?int,
  cacheDirectoryMode: ?int,
  logsDirectoryMode: ?int,
  runtimeDirectoryMode: ?int,
  # runtime directories outlive the user
  runtimeDirectoryPreserve: ?bool,
  # the caller makes the id-mapped mounts that mapped directories need; without it they are never mapped
  makesMounts: ?bool,
  # looks through directories whose top is right already, and repairs wrong owners below
  verify: ?bool,
  # when the user ends: whether its processes are ended, and its IPC objects removed; true unless given
  killProcesses: ?bool,
  removeIPC: ?bool
) -> (
  uid: ?int,
  gid: ?int,
  userName: ?string,
  unit: ?string,
  dynamic: ?bool,
  lease: ?string,
  directories: ?[]Directory,
  # STATE_DIRECTORY and its siblings, as systemd sets them for a unit
  environment: ?[string]string,
  progress: ?Progress
)

# Drops one reference; the last one ends the user: its processes, IPC objects and runtime directories go with it. Root,
# and the UID that acquired it. The reply comes when that is done, or says what keeps the UID reserved and is tried again.
method Release(lease: string) -> (remains: ?string)

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
  runtimeDirectory: ?[]string,
  makesMounts: ?bool,
  verify: ?bool
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
  candidates: []Candidate,
  # what would become of the directories, where there is a UID
  handovers: []ExpectedHandover
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
# A directory cannot be made, moved or handed over; what it holds is where it was, or goes on at the next request.
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
  /** the paths by which the unit knows its directories */
  readonly directories: readonly string[];
  /** the last reference is dropped: nothing resolves any more, and the UID stays reserved until nothing of it is left */
  readonly ending?: boolean;
  /** what keeps the UID of an ending user reserved, where a first attempt could not remove it */
  readonly remains?: string;
};

/**
 * How a directory became the user's.
 * none: it was already
 * map: on disk it belongs to diskUid and diskGid; the caller makes an id-mapped mount that shows it as the user's
 * chown: its owner was changed
 */
export type Handover = 'none' | 'map' | 'chown';

export type DirectoryKind = 'runtime' | 'state' | 'cache' | 'logs';

/** A directory of a user, ready for use. */
export type Directory = {
  readonly kind: DirectoryKind;
  /** the path by which the unit knows it, and the one of the tree itself */
  readonly publicPath: string;
  readonly realPath: string;
  /** it is to be shown read-only */
  readonly readOnly: boolean;
  readonly handover: Handover;
  /** the public path of the directory of the same request that it is a part of */
  readonly within?: string;
  /** the owner on disk */
  readonly diskUid: number;
  readonly diskGid: number;
  /** how many inodes got another owner */
  readonly changed: number;
  /** paths below it that were left alone: inodes of others that have a name in it, and what is mounted there */
  readonly leftPaths: readonly string[];
  readonly mountPaths: readonly string[];
};

/** How far the handover of a large directory is. */
export type Progress = {
  readonly publicPath: string;
  readonly inodes: number;
  readonly changed: number;
};

/** What would become of a directory. */
export type ExpectedHandover = {
  readonly kind: DirectoryKind;
  readonly publicPath: string;
  readonly handover: Handover;
  /** absent where there is no directory yet */
  readonly owner?: number;
  readonly inodes: number;
  readonly changes: number;
  /** whether there was time to count all of a large one */
  readonly counted: 'all' | 'some';
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
 * Root, and peers that the configuration allows. With 'more', replies with progress alone may come before the last one,
 * which has all the others but progress.
 * [Supports 'more' flag]
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
  /** permission bits of the directories, 0755 unless given */
  readonly stateDirectoryMode?: number;
  readonly cacheDirectoryMode?: number;
  readonly logsDirectoryMode?: number;
  readonly runtimeDirectoryMode?: number;
  /** runtime directories outlive the user */
  readonly runtimeDirectoryPreserve?: boolean;
  /** the caller makes the id-mapped mounts that mapped directories need; without it they are never mapped */
  readonly makesMounts?: boolean;
  /** looks through directories whose top is right already, and repairs wrong owners below */
  readonly verify?: boolean;
  /** when the user ends: whether its processes are ended, and its IPC objects removed; true unless given */
  readonly killProcesses?: boolean;
  readonly removeIPC?: boolean;
};

export type AcquireReply = {
  readonly uid?: number;
  readonly gid?: number;
  readonly userName?: string;
  readonly unit?: string;
  readonly dynamic?: boolean;
  readonly lease?: string;
  readonly directories?: readonly Directory[];
  /** STATE_DIRECTORY and its siblings, as systemd sets them for a unit */
  readonly environment?: { readonly [key: string]: string };
  readonly progress?: Progress;
};

/**
 * Drops one reference; the last one ends the user: its processes, IPC objects and runtime directories go with it. Root,
 * and the UID that acquired it. The reply comes when that is done, or says what keeps the UID reserved and is tried again.
 */
export type ReleaseParameters = {
  readonly lease: string;
};

export type ReleaseReply = {
  readonly remains?: string;
};

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
  readonly makesMounts?: boolean;
  readonly verify?: boolean;
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
  /** what would become of the directories, where there is a UID */
  readonly handovers: readonly ExpectedHandover[];
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

/** A directory cannot be made, moved or handed over; what it holds is where it was, or goes on at the next request. */
export type DirectoryFailedParameters = {
  readonly field: string;
  readonly reason: string;
};

/** A bound of this daemon or of the host was reached: connections, references, memory of the registry. */
export type LimitReachedParameters = {
  readonly field: string;
  readonly reason: string;
};
