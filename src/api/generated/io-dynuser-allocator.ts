/** Generated from io.dynuser.Allocator.varlink by "npm run generate": change that file, not this one. */

export const ALLOCATOR_INTERFACE = `# Dynamic UNIX users: a free UID for as long as a service needs it.
interface io.dynuser.Allocator

# How long a lease lasts.
# connection: until the caller's connection closes
# process: until a process ends
# unit: until systemd says that the unit is inactive
# explicit: until Release
type Lifetime (connection, process, unit, explicit)

# One holding of a user.
type Lease (
  lease: string,
  uid: int,
  gid: int,
  userName: string,
  unit: string,
  # the description that Acquire gave
  description: ?string,
  # false if it is a static user of the host
  dynamic: bool,
  lifetime: Lifetime,
  # the process that acquired it; absent if its PID namespace is one that the daemon cannot see into
  pid: ?int,
  # when it was acquired, in microseconds since the epoch
  since: int,
  # the public paths of its directories
  directories: []string,
  # the last lease has ended: the name no longer resolves, and the UID stays reserved until nothing is left of the user
  ending: ?bool,
  # what keeps the UID of an ending user reserved, if it could not be removed at once
  remains: ?string,
  # the parts of the usual isolation that its process does not have
  missing: ?[]string,
  # why the UID is no longer the user's: somebody else has its lock. The name does not resolve, and nothing of that UID is
  # touched, even when the lease is released
  lost: ?string
)

# How a directory was handed over to the user.
# none: it was the user's already
# map: on disk it belongs to diskUid and diskGid; the caller makes an id-mapped mount that shows it as the user's
# chown: its owner was changed
type Handover (none, map, chown)

type DirectoryKind (runtime, state, cache, logs)

# A directory of a user, ready for use.
type Directory (
  kind: DirectoryKind,
  # the path that the unit uses, and the path of the directory itself
  publicPath: string,
  realPath: string,
  # the mount shows it read-only
  readOnly: bool,
  handover: Handover,
  # the public path of the directory of the same request that contains it
  within: ?string,
  # the owner on disk
  diskUid: int,
  diskGid: int,
  # how many inodes got another owner
  changed: int,
  # paths below it that keep their owner: inodes of others with another name elsewhere, and mounts
  leftPaths: []string,
  mountPaths: []string
)

# The progress of the handover of a large directory.
type Progress (
  publicPath: string,
  inodes: int,
  changed: int
)

# How a directory would be handed over.
type ExpectedHandover (
  kind: DirectoryKind,
  publicPath: string,
  handover: Handover,
  # absent if the directory does not exist yet
  owner: ?int,
  inodes: int,
  changes: int,
  # whether there was time to count all inodes of a large directory
  counted: (all, some)
)

# What was found about one UID.
type Candidate (
  uid: int,
  # why it is a candidate
  origin: (owner, preferred, sweep),
  free: bool,
  # in words: "free", or why not
  finding: string
)

# What a launcher has to look at in its own world before there can be a plan.
# file: its text. directory: the names in it that end in .conf. glob: the paths that match it, sorted
type LaunchQuestion (
  kind: (file, directory, glob),
  path: string
)

# found is false where there is nothing of that kind at the path.
type LaunchAnswer (
  kind: (file, directory, glob),
  path: string,
  found: bool,
  text: ?string,
  names: ?[]string
)

# File systems of the kernel that show a namespace of whoever mounts them.
type FileSystemType (proc, sysfs, mqueue)

type MountFlag (readOnly, noSuid, noDevices, noExec)

# An id-mapped mount: what belongs to diskUid and diskGid is shown as uid's and gid's, and root's as root's.
type IdMap (diskUid: int, diskGid: int, uid: int, gid: int)

# One operation that sets up the mount namespace of a service. Paths are absolute. Those of mkdir, clone and mount are the host's;
# those of all others are the service's, and lead nowhere above its root.
# mkdir: creates a directory, with its parents (0755), if it is missing; 'mode' is set only if it was created
# clone: clones the mounts at and below the path into 'slot'
# mount: creates a file system of 'type', with the options of proc(5), in 'slot' for 'path', with clones of what is mounted below the
# path, as far as the new file system has a place for them
# tmpfs: mounts an empty tmpfs over the path, with the options of tmpfs(5)
# remount: changes the flags of all mounts at and below the path, or only of the one at the path ('nonRecursive')
# attach: attaches the clone in 'slot' at the path
# symlink: creates a symlink at the path to 'target', unless it exists already
# mask: mounts an empty file or directory, which nobody may use, over the file or directory at the path
type MountOp (
  kind: (mkdir, clone, mount, tmpfs, remount, attach, symlink, mask),
  path: string,
  slot: ?int,
  # if the path does not exist, the op and every op with its slot is skipped
  optional: ?bool,
  # clone: no component of the path is a symlink, and the object is this one (decimal numbers of stat(2))
  noSymlinks: ?bool,
  device: ?string,
  inode: ?string,
  # clone: what is mounted at the path is detached from it, to be attached again
  detach: ?bool,
  # clone: without what is mounted below the path
  nonRecursive: ?bool,
  idMap: ?IdMap,
  # clone, mount, tmpfs, remount: flags to set, and to clear
  set: ?[]MountFlag,
  clear: ?[]MountFlag,
  # mkdir, tmpfs: permission bits; tmpfs, mount: further options of tmpfs(5) and proc(5), "size=10%"
  mode: ?int,
  options: ?[]string,
  # tmpfs: the name of a directory in the scratch tmpfs, which all ops with such names share, with the same options
  scratch: ?string,
  # mount
  type: ?FileSystemType,
  # attach, tmpfs: what is created at the path, with parents, if nothing is there; a tmpfs creates directories
  create: ?(directory, file),
  target: ?string
)

# user: as the service's user in its namespaces. root: in its namespaces, with all privileges. outside: with all privileges, in the
# launcher's own namespaces
type LaunchCommand (
  # the program: a path, or a name that is looked for in the service's PATH
  path: string,
  # argv, from argv[0] on
  arguments: []string,
  as: (user, root, outside),
  ignoreFailure: bool
)

# All that a launcher does after the allocation, in this order: commands but the last run, each in the namespaces and as
# the user, and are waited for; the last becomes the process.
type LaunchPlan (
  uid: int,
  gid: int,
  # the supplementary groups, all of them, ascending
  groups: []int,
  # the directory that becomes / of the service
  root: ?string,
  # whether there is a mount namespace, which all ops but mkdir need
  mountNamespace: bool,
  mountOps: []MountOp,
  # a user namespace in which root, the user and its group are themselves, and all others are nobody
  privateUsers: bool,
  # a network namespace with a loopback interface that is up, and nothing else
  privateNetwork: bool,
  # an IPC namespace
  privateIPC: bool,
  noNewPrivileges: bool,
  # a seccomp filter keeps files from becoming setuid or setgid
  restrictSuidSgid: bool,
  # capability sets as masks of 16 hexadecimal digits
  boundingSet: string,
  ambientSet: string,
  umask: int,
  workingDirectory: ?string,
  # a working directory that is missing is none of the launcher's business
  workingDirectoryOptional: bool,
  # the launcher's own environment is where the service's begins; else it begins empty
  inheritEnvironment: bool,
  # where it begins empty: names of variables of the launcher's own that it begins with; "LC_*" is all that begin so
  passEnvironment: []string,
  # NAME=VALUE, later ones win
  environment: []string,
  unsetEnvironment: []string,
  # absent: the command of the launcher's own command line, as 'user'
  commands: ?[]LaunchCommand
)

# Allocates the user of a unit, or joins the user if it lives already. For root, and for peers that the configuration allows.
# With 'more', replies with nothing but progress may come before the last one, which has all fields but progress.
# [Supports 'more' flag]
method Acquire(
  unit: string,
  # the user's name; if absent, it is derived from the unit
  userName: ?string,
  # one user for each instance of a template, instead of one for all of them
  perInstance: ?bool,
  lifetime: ?Lifetime,
  pid: ?int,
  # what the lease is for, for people: one line of at most 256 bytes
  description: ?string,
  stateDirectory: ?[]string,
  cacheDirectory: ?[]string,
  logsDirectory: ?[]string,
  runtimeDirectory: ?[]string,
  # permission bits of the directories; the default is 0755
  stateDirectoryMode: ?int,
  cacheDirectoryMode: ?int,
  logsDirectoryMode: ?int,
  runtimeDirectoryMode: ?int,
  # runtime directories outlive the user
  runtimeDirectoryPreserve: ?bool,
  # for a caller that makes no mounts: while the user lives, its directories are at their public paths, with mode 0700;
  # afterwards they are private again
  exposeDirectories: ?bool,
  # the caller makes the id-mapped mounts that mapped directories need; without this they are never mapped
  makesMounts: ?bool,
  # checks the owners of all files even if the directory itself has the right one, and repairs them
  verify: ?bool,
  # whether processes and IPC objects are removed when the user ends; the default is true. Processes of a static user are
  # never ended, and its objects are removed only if removeIPC is true
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

# Acquires a user for the process that asks, bound to it, and says how that process becomes the service. Where the answer
# has questions alone, nothing was acquired: the launcher asks again, with all answers so far. Root.
# With 'more', replies with progress alone may come before the last one.
# [Supports 'more' flag]
method Launch(
  # absent: a name that nobody else has
  unit: ?string,
  # NAME=VALUE as systemd has them in [Service], in order
  properties: ?[]string,
  # further assignments of the environment, NAME=VALUE, in order
  setEnvironment: ?[]string,
  # the launcher's own environment is where the service's begins; true unless there is a unit file
  inheritEnvironment: ?bool,
  # the absolute path of a unit file
  unitFile: ?string,
  instance: ?string,
  # properties that are not known are said in warnings, and no error
  ignoreUnknown: ?bool,
  # the program may be hostile: all that a launch can take from it, unless the properties say otherwise
  untrusted: ?bool,
  # whether the launcher may make mounts, and what to do where it may not
  mayMount: bool,
  isolation: ?(full, bestEffort),
  # nothing is acquired: the answer has the explanation
  explain: ?bool,
  answers: ?[]LaunchAnswer
) -> (
  questions: ?[]LaunchQuestion,
  plan: ?LaunchPlan,
  lease: ?string,
  # for standard error: what was ignored, and what of the isolation is missing
  warnings: ?[]string,
  # the plan in words, one line each
  explanation: ?[]string,
  progress: ?Progress
)

# Takes back a lease of lifetime 'connection' after a restart of the daemon. Only the process that acquired it can do that,
# within the grace time. From then on the lease lasts as long as this connection.
method Claim(lease: string) -> (
  uid: int,
  gid: int,
  userName: string,
  unit: string,
  dynamic: bool,
  lease: string
)

# Ends a lease; the last one ends the user, with its processes, IPC objects and runtime directories. For root, and for the
# UID that acquired it. The reply comes when that is done, or says what keeps the UID reserved; the daemon tries it again.
method Release(lease: string) -> (remains: ?string)

# The leases. With 'more', one reply for each; without it, a single reply with all of them.
# [Supports 'more' flag]
method List() -> (lease: ?Lease, leases: ?[]Lease)

# Says what Acquire would do for the caller, or why it would refuse, and changes nothing. Everybody may ask; only those who may
# request directories may ask about them.
method Explain(
  unit: string,
  userName: ?string,
  perInstance: ?bool,
  stateDirectory: ?[]string,
  cacheDirectory: ?[]string,
  logsDirectory: ?[]string,
  runtimeDirectory: ?[]string,
  stateDirectoryMode: ?int,
  cacheDirectoryMode: ?int,
  logsDirectoryMode: ?int,
  runtimeDirectoryMode: ?int,
  runtimeDirectoryPreserve: ?bool,
  exposeDirectories: ?bool,
  makesMounts: ?bool,
  verify: ?bool
) -> (
  userName: string,
  # where the name comes from, in words
  nameOrigin: string,
  # conflict, exhausted, refused: Acquire would fail
  outcome: (allocate, join, static, conflict, exhausted, refused),
  # the outcome in words
  reason: string,
  # the name of the error that Acquire would fail with, without the interface's name
  error: ?string,
  # the parameter that the error is about
  field: ?string,
  # the UID that would be given, if there is one; if Acquire would be refused, the UID that was chosen before that
  uid: ?int,
  gid: ?int,
  # the candidates in order, up to the first that is free
  candidates: []Candidate,
  # how the directories would be handed over, if there is a UID
  handovers: []ExpectedHandover
)

# First one reply for each lease and one 'ready', then a reply for each change.
# [Requires 'more' flag]
method Watch() -> (event: (existing, ready, allocated, released, lost), lease: ?Lease)

# An invalid name of a unit or user; field says which.
error InvalidName(field: string, reason: string)
# The name is in use: by a group without a user, a user without a group, or a user that systemd allocated.
error NameConflict(field: string, reason: string)
# No UID of the range is free; held says how many of them this daemon holds.
error RangeExhausted(held: int, reason: string)
error NotPermitted(field: string, reason: string)
error NoSuchLease(field: string, reason: string)
# The host cannot be asked or does not do what it should: a name service hangs, crashes or fails, or the registry cannot be
# written.
error ProbeFailed(field: string, reason: string)
# The lifetime of the lease is over already: the process has ended, or the unit is not active.
error LifetimeEnded(field: string, reason: string)
# A directory cannot be made, moved or handed over. Its files are where they were, or the next request continues.
error DirectoryFailed(field: string, reason: string)
# A property, a unit file or an option of a launch cannot be carried out; field names it, and where it comes from.
error LaunchFailed(field: string, reason: string)
# A limit of this daemon or of the host was reached: connections, leases, memory of the registry.
error LimitReached(field: string, reason: string)
`;

/**
 * How long a lease lasts.
 * connection: until the caller's connection closes
 * process: until a process ends
 * unit: until systemd says that the unit is inactive
 * explicit: until Release
 */
export type Lifetime = 'connection' | 'process' | 'unit' | 'explicit';

/** One holding of a user. */
export type Lease = {
  readonly lease: string;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly unit: string;
  /** the description that Acquire gave */
  readonly description?: string;
  /** false if it is a static user of the host */
  readonly dynamic: boolean;
  readonly lifetime: Lifetime;
  /** the process that acquired it; absent if its PID namespace is one that the daemon cannot see into */
  readonly pid?: number;
  /** when it was acquired, in microseconds since the epoch */
  readonly since: number;
  /** the public paths of its directories */
  readonly directories: readonly string[];
  /** the last lease has ended: the name no longer resolves, and the UID stays reserved until nothing is left of the user */
  readonly ending?: boolean;
  /** what keeps the UID of an ending user reserved, if it could not be removed at once */
  readonly remains?: string;
  /** the parts of the usual isolation that its process does not have */
  readonly missing?: readonly string[];
  /**
   * why the UID is no longer the user's: somebody else has its lock. The name does not resolve, and nothing of that UID is
   * touched, even when the lease is released
   */
  readonly lost?: string;
};

/**
 * How a directory was handed over to the user.
 * none: it was the user's already
 * map: on disk it belongs to diskUid and diskGid; the caller makes an id-mapped mount that shows it as the user's
 * chown: its owner was changed
 */
export type Handover = 'none' | 'map' | 'chown';

export type DirectoryKind = 'runtime' | 'state' | 'cache' | 'logs';

/** A directory of a user, ready for use. */
export type Directory = {
  readonly kind: DirectoryKind;
  /** the path that the unit uses, and the path of the directory itself */
  readonly publicPath: string;
  readonly realPath: string;
  /** the mount shows it read-only */
  readonly readOnly: boolean;
  readonly handover: Handover;
  /** the public path of the directory of the same request that contains it */
  readonly within?: string;
  /** the owner on disk */
  readonly diskUid: number;
  readonly diskGid: number;
  /** how many inodes got another owner */
  readonly changed: number;
  /** paths below it that keep their owner: inodes of others with another name elsewhere, and mounts */
  readonly leftPaths: readonly string[];
  readonly mountPaths: readonly string[];
};

/** The progress of the handover of a large directory. */
export type Progress = {
  readonly publicPath: string;
  readonly inodes: number;
  readonly changed: number;
};

/** How a directory would be handed over. */
export type ExpectedHandover = {
  readonly kind: DirectoryKind;
  readonly publicPath: string;
  readonly handover: Handover;
  /** absent if the directory does not exist yet */
  readonly owner?: number;
  readonly inodes: number;
  readonly changes: number;
  /** whether there was time to count all inodes of a large directory */
  readonly counted: 'all' | 'some';
};

/** What was found about one UID. */
export type Candidate = {
  readonly uid: number;
  /** why it is a candidate */
  readonly origin: 'owner' | 'preferred' | 'sweep';
  readonly free: boolean;
  /** in words: "free", or why not */
  readonly finding: string;
};

/**
 * What a launcher has to look at in its own world before there can be a plan.
 * file: its text. directory: the names in it that end in .conf. glob: the paths that match it, sorted
 */
export type LaunchQuestion = {
  readonly kind: 'file' | 'directory' | 'glob';
  readonly path: string;
};

/** found is false where there is nothing of that kind at the path. */
export type LaunchAnswer = {
  readonly kind: 'file' | 'directory' | 'glob';
  readonly path: string;
  readonly found: boolean;
  readonly text?: string;
  readonly names?: readonly string[];
};

/** File systems of the kernel that show a namespace of whoever mounts them. */
export type FileSystemType = 'proc' | 'sysfs' | 'mqueue';

export type MountFlag = 'readOnly' | 'noSuid' | 'noDevices' | 'noExec';

/** An id-mapped mount: what belongs to diskUid and diskGid is shown as uid's and gid's, and root's as root's. */
export type IdMap = {
  readonly diskUid: number;
  readonly diskGid: number;
  readonly uid: number;
  readonly gid: number;
};

/**
 * One operation that sets up the mount namespace of a service. Paths are absolute. Those of mkdir, clone and mount are the host's;
 * those of all others are the service's, and lead nowhere above its root.
 * mkdir: creates a directory, with its parents (0755), if it is missing; 'mode' is set only if it was created
 * clone: clones the mounts at and below the path into 'slot'
 * mount: creates a file system of 'type', with the options of proc(5), in 'slot' for 'path', with clones of what is mounted below the
 * path, as far as the new file system has a place for them
 * tmpfs: mounts an empty tmpfs over the path, with the options of tmpfs(5)
 * remount: changes the flags of all mounts at and below the path, or only of the one at the path ('nonRecursive')
 * attach: attaches the clone in 'slot' at the path
 * symlink: creates a symlink at the path to 'target', unless it exists already
 * mask: mounts an empty file or directory, which nobody may use, over the file or directory at the path
 */
export type MountOp = {
  readonly kind: 'mkdir' | 'clone' | 'mount' | 'tmpfs' | 'remount' | 'attach' | 'symlink' | 'mask';
  readonly path: string;
  readonly slot?: number;
  /** if the path does not exist, the op and every op with its slot is skipped */
  readonly optional?: boolean;
  /** clone: no component of the path is a symlink, and the object is this one (decimal numbers of stat(2)) */
  readonly noSymlinks?: boolean;
  readonly device?: string;
  readonly inode?: string;
  /** clone: what is mounted at the path is detached from it, to be attached again */
  readonly detach?: boolean;
  /** clone: without what is mounted below the path */
  readonly nonRecursive?: boolean;
  readonly idMap?: IdMap;
  /** clone, mount, tmpfs, remount: flags to set, and to clear */
  readonly set?: readonly MountFlag[];
  readonly clear?: readonly MountFlag[];
  /** mkdir, tmpfs: permission bits; tmpfs, mount: further options of tmpfs(5) and proc(5), "size=10%" */
  readonly mode?: number;
  readonly options?: readonly string[];
  /** tmpfs: the name of a directory in the scratch tmpfs, which all ops with such names share, with the same options */
  readonly scratch?: string;
  /** mount */
  readonly type?: FileSystemType;
  /** attach, tmpfs: what is created at the path, with parents, if nothing is there; a tmpfs creates directories */
  readonly create?: 'directory' | 'file';
  readonly target?: string;
};

/**
 * user: as the service's user in its namespaces. root: in its namespaces, with all privileges. outside: with all privileges, in the
 * launcher's own namespaces
 */
export type LaunchCommand = {
  /** the program: a path, or a name that is looked for in the service's PATH */
  readonly path: string;
  /** argv, from argv[0] on */
  readonly arguments: readonly string[];
  readonly as: 'user' | 'root' | 'outside';
  readonly ignoreFailure: boolean;
};

/**
 * All that a launcher does after the allocation, in this order: commands but the last run, each in the namespaces and as
 * the user, and are waited for; the last becomes the process.
 */
export type LaunchPlan = {
  readonly uid: number;
  readonly gid: number;
  /** the supplementary groups, all of them, ascending */
  readonly groups: readonly number[];
  /** the directory that becomes / of the service */
  readonly root?: string;
  /** whether there is a mount namespace, which all ops but mkdir need */
  readonly mountNamespace: boolean;
  readonly mountOps: readonly MountOp[];
  /** a user namespace in which root, the user and its group are themselves, and all others are nobody */
  readonly privateUsers: boolean;
  /** a network namespace with a loopback interface that is up, and nothing else */
  readonly privateNetwork: boolean;
  /** an IPC namespace */
  readonly privateIPC: boolean;
  readonly noNewPrivileges: boolean;
  /** a seccomp filter keeps files from becoming setuid or setgid */
  readonly restrictSuidSgid: boolean;
  /** capability sets as masks of 16 hexadecimal digits */
  readonly boundingSet: string;
  readonly ambientSet: string;
  readonly umask: number;
  readonly workingDirectory?: string;
  /** a working directory that is missing is none of the launcher's business */
  readonly workingDirectoryOptional: boolean;
  /** the launcher's own environment is where the service's begins; else it begins empty */
  readonly inheritEnvironment: boolean;
  /** where it begins empty: names of variables of the launcher's own that it begins with; "LC_*" is all that begin so */
  readonly passEnvironment: readonly string[];
  /** NAME=VALUE, later ones win */
  readonly environment: readonly string[];
  readonly unsetEnvironment: readonly string[];
  /** absent: the command of the launcher's own command line, as 'user' */
  readonly commands?: readonly LaunchCommand[];
};

/**
 * Allocates the user of a unit, or joins the user if it lives already. For root, and for peers that the configuration allows.
 * With 'more', replies with nothing but progress may come before the last one, which has all fields but progress.
 * [Supports 'more' flag]
 */
export type AcquireParameters = {
  readonly unit: string;
  /** the user's name; if absent, it is derived from the unit */
  readonly userName?: string;
  /** one user for each instance of a template, instead of one for all of them */
  readonly perInstance?: boolean;
  readonly lifetime?: Lifetime;
  readonly pid?: number;
  /** what the lease is for, for people: one line of at most 256 bytes */
  readonly description?: string;
  readonly stateDirectory?: readonly string[];
  readonly cacheDirectory?: readonly string[];
  readonly logsDirectory?: readonly string[];
  readonly runtimeDirectory?: readonly string[];
  /** permission bits of the directories; the default is 0755 */
  readonly stateDirectoryMode?: number;
  readonly cacheDirectoryMode?: number;
  readonly logsDirectoryMode?: number;
  readonly runtimeDirectoryMode?: number;
  /** runtime directories outlive the user */
  readonly runtimeDirectoryPreserve?: boolean;
  /**
   * for a caller that makes no mounts: while the user lives, its directories are at their public paths, with mode 0700;
   * afterwards they are private again
   */
  readonly exposeDirectories?: boolean;
  /** the caller makes the id-mapped mounts that mapped directories need; without this they are never mapped */
  readonly makesMounts?: boolean;
  /** checks the owners of all files even if the directory itself has the right one, and repairs them */
  readonly verify?: boolean;
  /**
   * whether processes and IPC objects are removed when the user ends; the default is true. Processes of a static user are
   * never ended, and its objects are removed only if removeIPC is true
   */
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
 * Acquires a user for the process that asks, bound to it, and says how that process becomes the service. Where the answer
 * has questions alone, nothing was acquired: the launcher asks again, with all answers so far. Root.
 * With 'more', replies with progress alone may come before the last one.
 * [Supports 'more' flag]
 */
export type LaunchParameters = {
  /** absent: a name that nobody else has */
  readonly unit?: string;
  /** NAME=VALUE as systemd has them in [Service], in order */
  readonly properties?: readonly string[];
  /** further assignments of the environment, NAME=VALUE, in order */
  readonly setEnvironment?: readonly string[];
  /** the launcher's own environment is where the service's begins; true unless there is a unit file */
  readonly inheritEnvironment?: boolean;
  /** the absolute path of a unit file */
  readonly unitFile?: string;
  readonly instance?: string;
  /** properties that are not known are said in warnings, and no error */
  readonly ignoreUnknown?: boolean;
  /** the program may be hostile: all that a launch can take from it, unless the properties say otherwise */
  readonly untrusted?: boolean;
  /** whether the launcher may make mounts, and what to do where it may not */
  readonly mayMount: boolean;
  readonly isolation?: 'full' | 'bestEffort';
  /** nothing is acquired: the answer has the explanation */
  readonly explain?: boolean;
  readonly answers?: readonly LaunchAnswer[];
};

export type LaunchReply = {
  readonly questions?: readonly LaunchQuestion[];
  readonly plan?: LaunchPlan;
  readonly lease?: string;
  /** for standard error: what was ignored, and what of the isolation is missing */
  readonly warnings?: readonly string[];
  /** the plan in words, one line each */
  readonly explanation?: readonly string[];
  readonly progress?: Progress;
};

/**
 * Takes back a lease of lifetime 'connection' after a restart of the daemon. Only the process that acquired it can do that,
 * within the grace time. From then on the lease lasts as long as this connection.
 */
export type ClaimParameters = {
  readonly lease: string;
};

export type ClaimReply = {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly unit: string;
  readonly dynamic: boolean;
  readonly lease: string;
};

/**
 * Ends a lease; the last one ends the user, with its processes, IPC objects and runtime directories. For root, and for the
 * UID that acquired it. The reply comes when that is done, or says what keeps the UID reserved; the daemon tries it again.
 */
export type ReleaseParameters = {
  readonly lease: string;
};

export type ReleaseReply = {
  readonly remains?: string;
};

/**
 * The leases. With 'more', one reply for each; without it, a single reply with all of them.
 * [Supports 'more' flag]
 */
export type ListParameters = { readonly [key: string]: never };

export type ListReply = {
  readonly lease?: Lease;
  readonly leases?: readonly Lease[];
};

/**
 * Says what Acquire would do for the caller, or why it would refuse, and changes nothing. Everybody may ask; only those who may
 * request directories may ask about them.
 */
export type ExplainParameters = {
  readonly unit: string;
  readonly userName?: string;
  readonly perInstance?: boolean;
  readonly stateDirectory?: readonly string[];
  readonly cacheDirectory?: readonly string[];
  readonly logsDirectory?: readonly string[];
  readonly runtimeDirectory?: readonly string[];
  readonly stateDirectoryMode?: number;
  readonly cacheDirectoryMode?: number;
  readonly logsDirectoryMode?: number;
  readonly runtimeDirectoryMode?: number;
  readonly runtimeDirectoryPreserve?: boolean;
  readonly exposeDirectories?: boolean;
  readonly makesMounts?: boolean;
  readonly verify?: boolean;
};

export type ExplainReply = {
  readonly userName: string;
  /** where the name comes from, in words */
  readonly nameOrigin: string;
  /** conflict, exhausted, refused: Acquire would fail */
  readonly outcome: 'allocate' | 'join' | 'static' | 'conflict' | 'exhausted' | 'refused';
  /** the outcome in words */
  readonly reason: string;
  /** the name of the error that Acquire would fail with, without the interface's name */
  readonly error?: string;
  /** the parameter that the error is about */
  readonly field?: string;
  /** the UID that would be given, if there is one; if Acquire would be refused, the UID that was chosen before that */
  readonly uid?: number;
  readonly gid?: number;
  /** the candidates in order, up to the first that is free */
  readonly candidates: readonly Candidate[];
  /** how the directories would be handed over, if there is a UID */
  readonly handovers: readonly ExpectedHandover[];
};

/**
 * First one reply for each lease and one 'ready', then a reply for each change.
 * [Requires 'more' flag]
 */
export type WatchParameters = { readonly [key: string]: never };

export type WatchReply = {
  readonly event: 'existing' | 'ready' | 'allocated' | 'released' | 'lost';
  readonly lease?: Lease;
};

/** An invalid name of a unit or user; field says which. */
export type InvalidNameParameters = {
  readonly field: string;
  readonly reason: string;
};

/** The name is in use: by a group without a user, a user without a group, or a user that systemd allocated. */
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
 * The host cannot be asked or does not do what it should: a name service hangs, crashes or fails, or the registry cannot be
 * written.
 */
export type ProbeFailedParameters = {
  readonly field: string;
  readonly reason: string;
};

/** The lifetime of the lease is over already: the process has ended, or the unit is not active. */
export type LifetimeEndedParameters = {
  readonly field: string;
  readonly reason: string;
};

/** A directory cannot be made, moved or handed over. Its files are where they were, or the next request continues. */
export type DirectoryFailedParameters = {
  readonly field: string;
  readonly reason: string;
};

/** A property, a unit file or an option of a launch cannot be carried out; field names it, and where it comes from. */
export type LaunchFailedParameters = {
  readonly field: string;
  readonly reason: string;
};

/** A limit of this daemon or of the host was reached: connections, leases, memory of the registry. */
export type LimitReachedParameters = {
  readonly field: string;
  readonly reason: string;
};
