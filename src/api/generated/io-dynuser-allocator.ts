/** Generated from io.dynuser.Allocator.varlink by "npm run generate": change that file, not this one. */

export const ALLOCATOR_INTERFACE = `# Dynamic UNIX users: a free UID for as long as a service needs it.
interface io.dynuser.Allocator

# How long a lease lasts.
# connection: until the caller's connection closes
# process: until a process ends
# unit: until systemd says that the unit is inactive
# timed: for a number of seconds
# explicit: until Release
type Lifetime (connection, process, unit, timed, explicit)

# A group besides the user's own.
type Group (
  name: string,
  gid: int,
  # false if it is a group of the host, which no lease holds
  dynamic: bool
)

# A group that the user would be in.
type ExpectedGroup (
  name: string,
  # absent if it cannot be had
  gid: ?int,
  outcome: (allocate, join, static, refused),
  # the outcome in words
  reason: string
)

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
  # the user has the UID that its name has on all hosts of the fleet; false if the fleet has the name, but did not answer when the user was
  # made, which has a UID of this host alone; absent if the fleet does not have the name
  fleet: ?bool,
  lifetime: Lifetime,
  # how long it lasts, if it is timed
  seconds: ?int,
  # the process that acquired it; absent if its PID namespace is one that the daemon cannot see into
  pid: ?int,
  # the process that it lasts as long as, or whose connection it lasts as long as, if there is one that the daemon can see
  holder: ?int,
  # when it was acquired, in microseconds since the epoch
  since: int,
  # how long the process may run that it lasts as long as, in milliseconds in which the host does not sleep; then the daemon ends it
  runtime: ?int,
  # the public paths of its directories
  directories: []string,
  # the last lease has ended: the name no longer resolves, and the UID stays reserved until nothing is left of the user
  ending: ?bool,
  # what keeps the UID of an ending user reserved, if it could not be removed at once
  remains: ?string,
  # the parts of the usual isolation that its process does not have
  missing: ?[]string,
  # the shared groups that it holds, by name: dynamic groups that its user is in besides its own
  groups: ?[]string,
  # the lease is a membership: it holds the group of this user for a member of that name, and ends with the lease of that. It cannot
  # be released by itself
  member: ?string,
  memberLease: ?string,
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

# What the fleet says of a name, as far as this host knows.
# held: this host holds the name, and makes its user with and without the store. bound: it has the UID on every host, and the first use on
# this host asks the store. free: it has none; the first use on any host chooses one. conflict: what this host has recorded and what the
# store has contradict each other. unavailable: this host is no member, and does not hold the name
type FleetFinding (
  outcome: (held, bound, free, conflict, unavailable),
  # the UID of the name on every host, if it is known
  uid: ?int,
  # the outcome in words
  reason: string
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
# file: its text. directory: the names in it that end in .conf. glob: the paths that match it, sorted. path: which of these is so:
# link, exists, directory, file, mountPoint, readOnly, notEmpty, executable. devices: the devices and symlinks below it, each as
# "c MAJOR:MINOR PATH", "b MAJOR:MINOR PATH", or "l PATH", a tab and what it leads to. program: the interpreter that a program of ELF
# names, which is empty if it is static; a name without a slash is looked for in the launcher's PATH. real: the path that it leads to.
# image: what is in a disk image, as native/helper/image/probe.h says
type LaunchQuestion (
  kind: (file, directory, glob, path, devices, program, real, image),
  path: string,
  # program: the directory that is / for the path; absent: the launcher's own
  root: ?string,
  # image: it is opened for writing, if that can be done
  writable: ?bool,
  # image: what is in it has to be said; otherwise its stamp will do, if it has one
  look: ?bool,
  # the path begins at the root of the one part of this image, and leads nowhere else
  inside: ?Image
)

# found is false where there is nothing of that kind at the path.
type LaunchAnswer (
  kind: (file, directory, glob, path, devices, program, real, image),
  path: string,
  root: ?string,
  # the path of the image that it is in, a colon, and the offset of the part
  inside: ?string,
  found: bool,
  # image: what is in it is the same for as long as this text is
  stamp: ?string,
  text: ?string,
  names: ?[]string
)

# File systems of the kernel that show a namespace of whoever mounts them, and an empty one.
type FileSystemType (proc, sysfs, mqueue, cgroup2, tmpfs)

# Access times are kept as the kernel does by default (relatime of mount(8)), or by one of noAtime and strictAtime.
type MountFlag (readOnly, noSuid, noDevices, noExec, noAtime, strictAtime, noDiratime)

# An id-mapped mount: what belongs to diskUid and diskGid is shown as uid's and gid's, and root's as root's.
type IdMap (diskUid: int, diskGid: int, uid: int, gid: int)

# A file system in a disk image: its place in bytes, in decimal, its type, and the options that the type takes.
type ImagePart (
  offset: string,
  size: string,
  type: string,
  options: []string,
  # where it is mounted below the root of the image, if there is such a directory; the first part is the root itself
  directory: string,
  # it is mounted readOnly, noSuid and noDevices, and loses the flags of 'clear'
  set: ?[]MountFlag,
  clear: ?[]MountFlag
)

# A disk image, by its path on the launcher's host.
type Image (
  path: string,
  # it is opened for writing, if that can be done; then nobody else can use it
  writable: ?bool,
  parts: []ImagePart
)

# Directories of the host that are shown as one, the first on top, at a directory of the host.
type Overlay (
  path: string,
  layers: []string,
  # what is written is kept in memory, and lost in the end
  writable: ?bool,
  set: ?[]MountFlag
)

# One operation that sets up the mount namespace of a service. Paths are absolute. Those of mkdir, clone and mount are the host's;
# those of all others are the service's, and lead nowhere above its root.
# mkdir: creates a directory, with its parents (0755), if it is missing; 'mode' is set only if it was created
# clone: clones the mounts at and below the path into 'slot'
# mount: creates a file system of 'type', with the options of proc(5), in 'slot' for 'path', with clones of what is mounted below the
# path, as far as the new file system has a place for them; tmpfs has none
# tmpfs: mounts an empty tmpfs over the path, with the options of tmpfs(5)
# remount: changes the flags of all mounts at and below the path, or only of the one at the path ('nonRecursive')
# attach: attaches the clone in 'slot' at the path
# symlink: creates a symlink at the path to 'target', unless it exists already
# credentials: mounts a file system that holds the plan's credentials, which the user alone may read, at a directory that it creates
# mask: mounts an empty file, directory or device, which nobody may use, over the file or directory at the path
# append: mounts a copy of the file at the path, with the lines of 'text' after its own, over it
type MountOp (
  kind: (mkdir, clone, mount, tmpfs, remount, attach, symlink, mask, credentials, append),
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
  # clone: the path is a device, and the empty file system in this slot gets another one, of the same number and mode: 'slot' is then
  # skipped. If the launcher may make none, or devices have security labels, it is cloned
  node: ?int,
  # clone: without what is mounted below the path
  nonRecursive: ?bool,
  idMap: ?IdMap,
  # clone, mount, tmpfs, remount, append: flags to set, and to clear
  set: ?[]MountFlag,
  clear: ?[]MountFlag,
  # mkdir, tmpfs: permission bits; tmpfs, mount: further options of tmpfs(5) and proc(5), "size=10%"
  mode: ?int,
  options: ?[]string,
  # tmpfs: the name of a directory in the scratch tmpfs, which all ops with such names share, with the same options
  scratch: ?string,
  # mount; what is mounted below the path has its read-only flag, but at and below these paths of the host
  type: ?FileSystemType,
  exempt: ?[]string,
  # attach, tmpfs, append: skipped if something is mounted at the path
  unlessMounted: ?bool,
  # attach, tmpfs, append: what is created at the path, with parents, if nothing is there; a tmpfs creates directories
  create: ?(directory, file),
  target: ?string,
  text: ?string
)

# read: to read, list and execute. write: to write, create, remove and rename
type AccessRight (read, write)

# What the service may do at and below a path, by Landlock, which has mounts' part if the launcher may make none. What several rules
# allow adds up, and nothing else is allowed. A path that is missing, or has a symlink in it, allows nothing
type AccessRule (
  path: string,
  rights: []AccessRight,
  # the path may have symlinks, and leads to this object (decimal numbers of stat(2))
  device: ?string,
  inode: ?string
)

# user: as the service's user in its namespaces. root: in its namespaces, with all privileges. outside: with all privileges, in the
# launcher's own namespaces but for network and IPC, which all commands share
type LaunchCommand (
  # the program: a path, or a name that is looked for in the service's PATH
  path: string,
  # argv, from argv[0] on
  arguments: []string,
  as: (user, root, outside),
  ignoreFailure: bool,
  # an exit status from 1 to 254 skips the service: the launcher ends with 0
  condition: ?bool
)

# A bound of setrlimit(2): both in decimal, 18446744073709551615 for infinity.
type ResourceLimit (
  resource: (
    cpu, fsize, data, stack, core, rss, nofile, as, nproc, memlock, locks, sigpending, msgqueue, nice, rtprio, rttime
  ),
  soft: string,
  hard: string
)

# Where a standard stream leads: 0, 1 or 2. Paths are the launcher's, and are opened with all its privileges for every command.
# null: /dev/null. file: the file at 'path', created if it is not opened for reading alone; if there is a socket, a connection to it.
# data: a file in memory that holds 'data'. terminal: the one at 'path'. socket: the only socket that was passed to the launcher.
# named: the descriptor of that name that was passed. journal: a connection to systemd's journal; on a host without it, as the launcher has it.
# copy: that of another stream (from)
type Stream (
  number: int,
  kind: (null, file, data, terminal, socket, named, journal, copy),
  path: ?string,
  # file
  access: ?(read, write, both),
  append: ?bool,
  truncate: ?bool,
  # in base64
  data: ?string,
  # terminal: it becomes the controlling one; what to do if it is that of another session
  control: ?(wait, force, fail),
  name: ?string,
  # journal: instead of the program's name; the priority of lines without one; whether lines may begin with one
  identifier: ?string,
  priority: ?int,
  levelPrefix: ?bool,
  # journal: it passes lines on to the kernel's log, and to the console
  toKernel: ?bool,
  toConsole: ?bool,
  from: ?int
)

# A file that the service is passed open, by the protocol of sd_listen_fds(3), after the sockets that the launcher was passed.
type OpenFile (
  path: string,
  name: string,
  access: (read, both),
  append: bool,
  truncate: bool,
  # if it cannot be opened, that is a warning
  optional: bool
)

# Something that is secret to others: a file that the service finds in its directory of credentials. Of two with one name the first holds.
# load: the file or socket at 'path', or of a directory all files below it, whose names have 'name' and "_" in front
# stored: the file 'name' of the first of the directories 'stores' that has it, under the name 'as' unless that is absent
# import: all files of 'stores' that are 'name', or begin so ('prefix'); 'as' replaces that
# set: 'data', in base64
type Credential (
  kind: (load, stored, import, set),
  name: string,
  path: ?string,
  # absolute paths; "$CREDENTIALS_DIRECTORY" stands for that of the launcher
  stores: ?[]string,
  prefix: ?bool,
  as: ?string,
  data: ?string,
  # systemd-creds(1) decrypts it
  encrypted: ?bool,
  # load: if nothing is at the path, there is no such credential
  optional: ?bool
)

# What is done to a terminal before each command.
type Terminal (
  path: string,
  # whoever has it open loses it
  hangup: bool,
  # usual settings
  reset: bool,
  # of a virtual terminal: its memory is freed, so that its screen is empty
  clear: bool,
  rows: ?int,
  columns: ?int
)

# Commands of a unit file that are run by name, besides those that start its service.
type LaunchPhase (startPost, reload, stop, stopPost)

# The process of a service that runs, and what becomes of it besides the commands.
type MainProcess (
  # its number in the launcher's PID namespace
  pid: int,
  # of its pidfds, in decimal; absent before Linux 6.9
  inode: ?string,
  # before the commands
  reloadSignal: ?int,
  # after the commands, unless it has ended by then
  stopSignal: ?int,
  # SIGHUP follows the stop signal
  hangup: ?bool,
  # if it runs so many seconds after the stop signal; this is also how long each command may take. Absent: for ever
  seconds: ?int,
  finalSignal: ?int
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
  # before the mount ops, in the namespace: image N is mounted at /run/dynuser/images/N, and goes from there in the end. A path of an
  # op that begins so leads nowhere out of the image
  images: ?[]Image,
  # after the images, in this order
  overlays: ?[]Overlay,
  mountOps: []MountOp,
  # absent: the service may do with files what their modes allow
  accessRules: ?[]AccessRule,
  # devices that the service must not be able to read, and to write to, by their modes alone: else it is not started
  unreadable: ?[]string,
  unwritable: ?[]string,
  # what becomes of the mounts of the namespace in mount namespaces that the service makes, and of the host's in it; absent: shared
  propagation: ?(shared, slave, private),
  # a user namespace in which these are themselves, and all others nobody. self: root, the user and its group. identity: the first
  # 65536 users and groups. full: all, and processes may change their groups
  privateUsers: ?(self, identity, full),
  # a network namespace with a loopback interface that is up, and nothing else
  privateNetwork: bool,
  # that interface stays down
  loopbackDown: ?bool,
  # the path of a network namespace that the service enters, and not one of privateNetwork
  networkNamespace: ?string,
  # an IPC namespace
  privateIPC: bool,
  ipcNamespace: ?string,
  # a UTS namespace, which has the host's name and its own from then on
  privateHostName: bool,
  # the name that the service gets in it
  hostName: ?string,
  # a control group namespace, in which the service is at the root
  privateControlGroups: bool,
  noNewPrivileges: bool,
  # the session keyring: that of the launcher, or a new one with a link to the user's keyring; absent: a new one
  keyring: ?(inherit, shared),
  # of capabilities(7), in addition to none
  secureBits: ?int,
  # what the program is labelled with by a security module, if the kernel has it; with "-" in front a failure is ignored
  selinuxContext: ?string,
  apparmorProfile: ?string,
  smackLabel: ?string,
  # a seccomp filter for the ABIs of this processor: instructions of classic BPF as the kernel has them, in base64
  filter: ?string,
  # the filter keeps the service from typing into the terminal of its starter, and does nothing else: without a terminal it may be
  # missing. Without a filter: this processor has no filters
  filterIsForTerminal: bool,
  # memory that is written never becomes executable, by the kernel itself (PR_SET_MDWE of prctl(2))
  memoryDenyWriteExecute: bool,
  # SIGPIPE is ignored; else it has its default action, as all other signals
  ignoreSigpipe: bool,
  # absent: as the launcher has it, like everything else up to memoryMerge
  limits: ?[]ResourceLimit,
  # 20 less the nice value, 1 to 40
  priority: ?int,
  # in decimal, -1000 to 1000
  oomScoreAdjust: ?string,
  cpuPolicy: ?(other, batch, idle, fifo, rr),
  # brought into the policy's range
  cpuPriority: ?int,
  # with a policy: what the service forks has no share in it
  cpuResetOnFork: ?bool,
  cpuAffinity: ?[]int,
  # either of them alone means the class "best-effort", or the level 4
  ioClass: ?(realtime, bestEffort, idle),
  ioLevel: ?int,
  numaPolicy: ?(default, preferred, bind, interleave, local),
  numaNodes: ?[]int,
  # nanoseconds, in decimal
  timerSlack: ?string,
  # a mask of /proc/PID/coredump_filter, in 16 hexadecimal digits
  coredumpFilter: ?string,
  # of personality(2): the machine that uname(2) tells of, or its 32-bit relative
  personality: ?(x86, x86_64, arm, arm64),
  # whether the kernel merges equal pages of its memory
  memoryMerge: ?(off, on),
  # capability sets as masks of 16 hexadecimal digits
  boundingSet: string,
  ambientSet: string,
  umask: int,
  # in the order of their numbers; the others are as the launcher has them
  streams: ?[]Stream,
  terminal: ?Terminal,
  credentials: ?[]Credential,
  openFiles: ?[]OpenFile,
  # the name of the unit, which sockets that have credentials are told
  unit: ?string,
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
  commands: ?[]LaunchCommand,
  # the last command does not become the process: it is waited for too, and its failure is ignored
  waitsForLast: ?bool,
  # none of the commands becomes the process: all are waited for, and the launcher exits with the status of the first that fails
  phase: ?LaunchPhase,
  # all commands are in its network and its IPC namespace
  main: ?MainProcess
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
  # lifetime 'timed': how long the lease lasts, 1 to 1209600 (14 days). Time that the host sleeps does not count
  seconds: ?int,
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
  # the group of the process and of its directories, and further groups, by name. A dynamic group is the group of the dynamic user of
  # its name; it lasts as long as a user or a member has a lease of it. 'group' is made unless it is there. Groups of the host are for
  # root alone
  group: ?string,
  supplementaryGroups: ?[]string,
  # whether processes and IPC objects are removed when the user ends; the default is true. Processes of a static user are
  # never ended, and its objects are removed only if removeIPC is true
  killProcesses: ?bool,
  removeIPC: ?bool,
  # whether the user has the UID that its name has on all hosts of the fleet; absent: if the configuration says so of its name. True on a host
  # that is in no fleet is refused with FleetUnavailable, unless the name is a static user's or its user lives already
  fleet: ?bool
) -> (
  uid: ?int,
  gid: ?int,
  userName: ?string,
  unit: ?string,
  dynamic: ?bool,
  # the UID is the name's on all hosts of the fleet; absent if the fleet does not have the name
  fleet: ?bool,
  lease: ?string,
  directories: ?[]Directory,
  # STATE_DIRECTORY and its siblings, as systemd sets them for a unit
  environment: ?[string]string,
  # 'group' and 'supplementaryGroups', in this order; absent if none was asked for
  groups: ?[]Group,
  progress: ?Progress
)

# Acquires a user for the process that asks, bound to it, and says how that process becomes the service. Where the answer
# has questions alone, nothing was acquired: the launcher asks again, with all answers so far. Root.
# With 'more', replies with progress or an image alone may come before the last one.
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
  # absent: the service is started
  phase: ?LaunchPhase,
  # the number of the main process, if several processes are running under the unit's name
  mainPid: ?int,
  # phase 'stopPost': how the service ended: its exit status, or the name of a signal
  ended: ?string,
  # properties that are not known are said in warnings, and no error
  ignoreUnknown: ?bool,
  # the program may be hostile: all that a launch can take from it, unless the properties say otherwise
  untrusted: ?bool,
  # the program of the launcher's command line: an absolute path, or a name
  program: ?string,
  # whether the service sees an /etc/passwd and an /etc/group with its user; absent: if its program asks no NSS module
  passwdOverlay: ?bool,
  # whether the launcher may make mounts, and what to do where it may not
  mayMount: bool,
  isolation: ?(full, bestEffort),
  # the version of Landlock's interface that the launcher's kernel has; absent: it has none
  landlock: ?int,
  # nothing is acquired: the answer has the explanation
  explain: ?bool,
  answers: ?[]LaunchAnswer
) -> (
  questions: ?[]LaunchQuestion,
  # why nothing is done, and nothing was acquired: a condition of the unit does not hold, or a phase has no commands or no process
  skipped: ?string,
  plan: ?LaunchPlan,
  lease: ?string,
  # for standard error: what was ignored, and what of the isolation is missing
  warnings: ?[]string,
  # the plan in words, one line each
  explanation: ?[]string,
  progress: ?Progress,
  # what will be mounted as the root, unless the launch is refused: the launcher can do that while it waits
  image: ?Image
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
  verify: ?bool,
  group: ?string,
  supplementaryGroups: ?[]string,
  fleet: ?bool
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
  handovers: []ExpectedHandover,
  # the groups that were asked for; absent if none was
  groups: ?[]ExpectedGroup,
  # what the fleet says of the name; absent if the fleet does not have it
  fleet: ?FleetFinding
)

# First one reply for each lease and one 'ready', then a reply for each change.
# [Requires 'more' flag]
method Watch() -> (event: (existing, ready, allocated, released, lost), lease: ?Lease)

# Reads the configuration again, as SIGHUP does, and says which keys of it have changed: those that are in force now, and those that
# are with the next start alone. Root.
method Reload() -> (applied: []string, deferred: []string)

# A name that this host holds in its fleet: it may run processes as that user whether the store answers or not.
type FleetHold (
  name: string,
  uid: int,
  # the user lives on this host now
  live: bool,
  # why nothing more is started as it here: the store has its UID for another name, or its name with another UID; and what to do
  conflict: ?string
)

# What this host knows of its fleet, whether the companion and the store answer or not. Root.
method FleetStatus() -> (
  # Fleet= of the configuration
  mode: (off, preferred, required),
  # waiting: the store has not been asked yet since the daemon started, or does not answer. fenced: an operator has given this host up.
  # cloned: another machine with the same machine-id is the member. refused: the fleet is another one than this host expects. restoring: the
  # store was restored from a backup, and has not all bindings yet
  state: (off, waiting, member, fenced, cloned, refused, restoring),
  # why it is no member, and what to do
  reason: ?string,
  # the name of the fleet, and this host's in it
  fleet: ?string,
  host: ?string,
  hostName: ?string,
  # the UIDs that the fleet gives out, as this host is configured
  ranges: ?string,
  # how many names of the fleet this host can look up
  known: ?int,
  holds: []FleetHold
)

# This host holds the name no more: its next use here asks the store. Refused while the user lives here. Root.
method FleetForget(name: string) -> ()

# This host holds none of its names any more, and is no member. Refused while a user of the fleet lives here. Root.
method FleetLeave() -> ()

# An invalid name of a unit or user; field says which.
error InvalidName(field: string, reason: string)
# The name is in use: by a group without a user, a user without a group, or a user that systemd allocated. Or a group is not there.
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
# The configuration is wrong; the former one stays in force.
error InvalidConfiguration(field: string, reason: string)
# A limit of this daemon or of the host was reached: connections, leases, memory of the registry.
error LimitReached(field: string, reason: string)
# The fleet has bound the name to a UID that is somebody else's on this host; field names what speaks against it.
error FleetConflict(field: string, reason: string)
# The name is the fleet's, and this host cannot hold it now: the store or the companion does not answer, or this host is no member.
error FleetUnavailable(field: string, reason: string)
`;

/**
 * How long a lease lasts.
 * connection: until the caller's connection closes
 * process: until a process ends
 * unit: until systemd says that the unit is inactive
 * timed: for a number of seconds
 * explicit: until Release
 */
export type Lifetime = 'connection' | 'process' | 'unit' | 'timed' | 'explicit';

/** A group besides the user's own. */
export type Group = {
  readonly name: string;
  readonly gid: number;
  /** false if it is a group of the host, which no lease holds */
  readonly dynamic: boolean;
};

/** A group that the user would be in. */
export type ExpectedGroup = {
  readonly name: string;
  /** absent if it cannot be had */
  readonly gid?: number;
  readonly outcome: 'allocate' | 'join' | 'static' | 'refused';
  /** the outcome in words */
  readonly reason: string;
};

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
  /**
   * the user has the UID that its name has on all hosts of the fleet; false if the fleet has the name, but did not answer when the user was
   * made, which has a UID of this host alone; absent if the fleet does not have the name
   */
  readonly fleet?: boolean;
  readonly lifetime: Lifetime;
  /** how long it lasts, if it is timed */
  readonly seconds?: number;
  /** the process that acquired it; absent if its PID namespace is one that the daemon cannot see into */
  readonly pid?: number;
  /** the process that it lasts as long as, or whose connection it lasts as long as, if there is one that the daemon can see */
  readonly holder?: number;
  /** when it was acquired, in microseconds since the epoch */
  readonly since: number;
  /** how long the process may run that it lasts as long as, in milliseconds in which the host does not sleep; then the daemon ends it */
  readonly runtime?: number;
  /** the public paths of its directories */
  readonly directories: readonly string[];
  /** the last lease has ended: the name no longer resolves, and the UID stays reserved until nothing is left of the user */
  readonly ending?: boolean;
  /** what keeps the UID of an ending user reserved, if it could not be removed at once */
  readonly remains?: string;
  /** the parts of the usual isolation that its process does not have */
  readonly missing?: readonly string[];
  /** the shared groups that it holds, by name: dynamic groups that its user is in besides its own */
  readonly groups?: readonly string[];
  /**
   * the lease is a membership: it holds the group of this user for a member of that name, and ends with the lease of that. It cannot
   * be released by itself
   */
  readonly member?: string;
  readonly memberLease?: string;
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

/**
 * What the fleet says of a name, as far as this host knows.
 * held: this host holds the name, and makes its user with and without the store. bound: it has the UID on every host, and the first use on
 * this host asks the store. free: it has none; the first use on any host chooses one. conflict: what this host has recorded and what the
 * store has contradict each other. unavailable: this host is no member, and does not hold the name
 */
export type FleetFinding = {
  readonly outcome: 'held' | 'bound' | 'free' | 'conflict' | 'unavailable';
  /** the UID of the name on every host, if it is known */
  readonly uid?: number;
  /** the outcome in words */
  readonly reason: string;
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
 * file: its text. directory: the names in it that end in .conf. glob: the paths that match it, sorted. path: which of these is so:
 * link, exists, directory, file, mountPoint, readOnly, notEmpty, executable. devices: the devices and symlinks below it, each as
 * "c MAJOR:MINOR PATH", "b MAJOR:MINOR PATH", or "l PATH", a tab and what it leads to. program: the interpreter that a program of ELF
 * names, which is empty if it is static; a name without a slash is looked for in the launcher's PATH. real: the path that it leads to.
 * image: what is in a disk image, as native/helper/image/probe.h says
 */
export type LaunchQuestion = {
  readonly kind: 'file' | 'directory' | 'glob' | 'path' | 'devices' | 'program' | 'real' | 'image';
  readonly path: string;
  /** program: the directory that is / for the path; absent: the launcher's own */
  readonly root?: string;
  /** image: it is opened for writing, if that can be done */
  readonly writable?: boolean;
  /** image: what is in it has to be said; otherwise its stamp will do, if it has one */
  readonly look?: boolean;
  /** the path begins at the root of the one part of this image, and leads nowhere else */
  readonly inside?: Image;
};

/** found is false where there is nothing of that kind at the path. */
export type LaunchAnswer = {
  readonly kind: 'file' | 'directory' | 'glob' | 'path' | 'devices' | 'program' | 'real' | 'image';
  readonly path: string;
  readonly root?: string;
  /** the path of the image that it is in, a colon, and the offset of the part */
  readonly inside?: string;
  readonly found: boolean;
  /** image: what is in it is the same for as long as this text is */
  readonly stamp?: string;
  readonly text?: string;
  readonly names?: readonly string[];
};

/** File systems of the kernel that show a namespace of whoever mounts them, and an empty one. */
export type FileSystemType = 'proc' | 'sysfs' | 'mqueue' | 'cgroup2' | 'tmpfs';

/** Access times are kept as the kernel does by default (relatime of mount(8)), or by one of noAtime and strictAtime. */
export type MountFlag = 'readOnly' | 'noSuid' | 'noDevices' | 'noExec' | 'noAtime' | 'strictAtime' | 'noDiratime';

/** An id-mapped mount: what belongs to diskUid and diskGid is shown as uid's and gid's, and root's as root's. */
export type IdMap = {
  readonly diskUid: number;
  readonly diskGid: number;
  readonly uid: number;
  readonly gid: number;
};

/** A file system in a disk image: its place in bytes, in decimal, its type, and the options that the type takes. */
export type ImagePart = {
  readonly offset: string;
  readonly size: string;
  readonly type: string;
  readonly options: readonly string[];
  /** where it is mounted below the root of the image, if there is such a directory; the first part is the root itself */
  readonly directory: string;
  /** it is mounted readOnly, noSuid and noDevices, and loses the flags of 'clear' */
  readonly set?: readonly MountFlag[];
  readonly clear?: readonly MountFlag[];
};

/** A disk image, by its path on the launcher's host. */
export type Image = {
  readonly path: string;
  /** it is opened for writing, if that can be done; then nobody else can use it */
  readonly writable?: boolean;
  readonly parts: readonly ImagePart[];
};

/** Directories of the host that are shown as one, the first on top, at a directory of the host. */
export type Overlay = {
  readonly path: string;
  readonly layers: readonly string[];
  /** what is written is kept in memory, and lost in the end */
  readonly writable?: boolean;
  readonly set?: readonly MountFlag[];
};

/**
 * One operation that sets up the mount namespace of a service. Paths are absolute. Those of mkdir, clone and mount are the host's;
 * those of all others are the service's, and lead nowhere above its root.
 * mkdir: creates a directory, with its parents (0755), if it is missing; 'mode' is set only if it was created
 * clone: clones the mounts at and below the path into 'slot'
 * mount: creates a file system of 'type', with the options of proc(5), in 'slot' for 'path', with clones of what is mounted below the
 * path, as far as the new file system has a place for them; tmpfs has none
 * tmpfs: mounts an empty tmpfs over the path, with the options of tmpfs(5)
 * remount: changes the flags of all mounts at and below the path, or only of the one at the path ('nonRecursive')
 * attach: attaches the clone in 'slot' at the path
 * symlink: creates a symlink at the path to 'target', unless it exists already
 * credentials: mounts a file system that holds the plan's credentials, which the user alone may read, at a directory that it creates
 * mask: mounts an empty file, directory or device, which nobody may use, over the file or directory at the path
 * append: mounts a copy of the file at the path, with the lines of 'text' after its own, over it
 */
export type MountOp = {
  readonly kind: 'mkdir' | 'clone' | 'mount' | 'tmpfs' | 'remount' | 'attach' | 'symlink' | 'mask' | 'credentials' | 'append';
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
  /**
   * clone: the path is a device, and the empty file system in this slot gets another one, of the same number and mode: 'slot' is then
   * skipped. If the launcher may make none, or devices have security labels, it is cloned
   */
  readonly node?: number;
  /** clone: without what is mounted below the path */
  readonly nonRecursive?: boolean;
  readonly idMap?: IdMap;
  /** clone, mount, tmpfs, remount, append: flags to set, and to clear */
  readonly set?: readonly MountFlag[];
  readonly clear?: readonly MountFlag[];
  /** mkdir, tmpfs: permission bits; tmpfs, mount: further options of tmpfs(5) and proc(5), "size=10%" */
  readonly mode?: number;
  readonly options?: readonly string[];
  /** tmpfs: the name of a directory in the scratch tmpfs, which all ops with such names share, with the same options */
  readonly scratch?: string;
  /** mount; what is mounted below the path has its read-only flag, but at and below these paths of the host */
  readonly type?: FileSystemType;
  readonly exempt?: readonly string[];
  /** attach, tmpfs, append: skipped if something is mounted at the path */
  readonly unlessMounted?: boolean;
  /** attach, tmpfs, append: what is created at the path, with parents, if nothing is there; a tmpfs creates directories */
  readonly create?: 'directory' | 'file';
  readonly target?: string;
  readonly text?: string;
};

/** read: to read, list and execute. write: to write, create, remove and rename */
export type AccessRight = 'read' | 'write';

/**
 * What the service may do at and below a path, by Landlock, which has mounts' part if the launcher may make none. What several rules
 * allow adds up, and nothing else is allowed. A path that is missing, or has a symlink in it, allows nothing
 */
export type AccessRule = {
  readonly path: string;
  readonly rights: readonly AccessRight[];
  /** the path may have symlinks, and leads to this object (decimal numbers of stat(2)) */
  readonly device?: string;
  readonly inode?: string;
};

/**
 * user: as the service's user in its namespaces. root: in its namespaces, with all privileges. outside: with all privileges, in the
 * launcher's own namespaces but for network and IPC, which all commands share
 */
export type LaunchCommand = {
  /** the program: a path, or a name that is looked for in the service's PATH */
  readonly path: string;
  /** argv, from argv[0] on */
  readonly arguments: readonly string[];
  readonly as: 'user' | 'root' | 'outside';
  readonly ignoreFailure: boolean;
  /** an exit status from 1 to 254 skips the service: the launcher ends with 0 */
  readonly condition?: boolean;
};

/** A bound of setrlimit(2): both in decimal, 18446744073709551615 for infinity. */
export type ResourceLimit = {
  readonly resource: 'cpu' | 'fsize' | 'data' | 'stack' | 'core' | 'rss' | 'nofile' | 'as' | 'nproc' | 'memlock' | 'locks' | 'sigpending' | 'msgqueue' | 'nice' | 'rtprio' | 'rttime';
  readonly soft: string;
  readonly hard: string;
};

/**
 * Where a standard stream leads: 0, 1 or 2. Paths are the launcher's, and are opened with all its privileges for every command.
 * null: /dev/null. file: the file at 'path', created if it is not opened for reading alone; if there is a socket, a connection to it.
 * data: a file in memory that holds 'data'. terminal: the one at 'path'. socket: the only socket that was passed to the launcher.
 * named: the descriptor of that name that was passed. journal: a connection to systemd's journal; on a host without it, as the launcher has it.
 * copy: that of another stream (from)
 */
export type Stream = {
  readonly number: number;
  readonly kind: 'null' | 'file' | 'data' | 'terminal' | 'socket' | 'named' | 'journal' | 'copy';
  readonly path?: string;
  /** file */
  readonly access?: 'read' | 'write' | 'both';
  readonly append?: boolean;
  readonly truncate?: boolean;
  /** in base64 */
  readonly data?: string;
  /** terminal: it becomes the controlling one; what to do if it is that of another session */
  readonly control?: 'wait' | 'force' | 'fail';
  readonly name?: string;
  /** journal: instead of the program's name; the priority of lines without one; whether lines may begin with one */
  readonly identifier?: string;
  readonly priority?: number;
  readonly levelPrefix?: boolean;
  /** journal: it passes lines on to the kernel's log, and to the console */
  readonly toKernel?: boolean;
  readonly toConsole?: boolean;
  readonly from?: number;
};

/** A file that the service is passed open, by the protocol of sd_listen_fds(3), after the sockets that the launcher was passed. */
export type OpenFile = {
  readonly path: string;
  readonly name: string;
  readonly access: 'read' | 'both';
  readonly append: boolean;
  readonly truncate: boolean;
  /** if it cannot be opened, that is a warning */
  readonly optional: boolean;
};

/**
 * Something that is secret to others: a file that the service finds in its directory of credentials. Of two with one name the first holds.
 * load: the file or socket at 'path', or of a directory all files below it, whose names have 'name' and "_" in front
 * stored: the file 'name' of the first of the directories 'stores' that has it, under the name 'as' unless that is absent
 * import: all files of 'stores' that are 'name', or begin so ('prefix'); 'as' replaces that
 * set: 'data', in base64
 */
export type Credential = {
  readonly kind: 'load' | 'stored' | 'import' | 'set';
  readonly name: string;
  readonly path?: string;
  /** absolute paths; "$CREDENTIALS_DIRECTORY" stands for that of the launcher */
  readonly stores?: readonly string[];
  readonly prefix?: boolean;
  readonly as?: string;
  readonly data?: string;
  /** systemd-creds(1) decrypts it */
  readonly encrypted?: boolean;
  /** load: if nothing is at the path, there is no such credential */
  readonly optional?: boolean;
};

/** What is done to a terminal before each command. */
export type Terminal = {
  readonly path: string;
  /** whoever has it open loses it */
  readonly hangup: boolean;
  /** usual settings */
  readonly reset: boolean;
  /** of a virtual terminal: its memory is freed, so that its screen is empty */
  readonly clear: boolean;
  readonly rows?: number;
  readonly columns?: number;
};

/** Commands of a unit file that are run by name, besides those that start its service. */
export type LaunchPhase = 'startPost' | 'reload' | 'stop' | 'stopPost';

/** The process of a service that runs, and what becomes of it besides the commands. */
export type MainProcess = {
  /** its number in the launcher's PID namespace */
  readonly pid: number;
  /** of its pidfds, in decimal; absent before Linux 6.9 */
  readonly inode?: string;
  /** before the commands */
  readonly reloadSignal?: number;
  /** after the commands, unless it has ended by then */
  readonly stopSignal?: number;
  /** SIGHUP follows the stop signal */
  readonly hangup?: boolean;
  /** if it runs so many seconds after the stop signal; this is also how long each command may take. Absent: for ever */
  readonly seconds?: number;
  readonly finalSignal?: number;
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
  /**
   * before the mount ops, in the namespace: image N is mounted at /run/dynuser/images/N, and goes from there in the end. A path of an
   * op that begins so leads nowhere out of the image
   */
  readonly images?: readonly Image[];
  /** after the images, in this order */
  readonly overlays?: readonly Overlay[];
  readonly mountOps: readonly MountOp[];
  /** absent: the service may do with files what their modes allow */
  readonly accessRules?: readonly AccessRule[];
  /** devices that the service must not be able to read, and to write to, by their modes alone: else it is not started */
  readonly unreadable?: readonly string[];
  readonly unwritable?: readonly string[];
  /** what becomes of the mounts of the namespace in mount namespaces that the service makes, and of the host's in it; absent: shared */
  readonly propagation?: 'shared' | 'slave' | 'private';
  /**
   * a user namespace in which these are themselves, and all others nobody. self: root, the user and its group. identity: the first
   * 65536 users and groups. full: all, and processes may change their groups
   */
  readonly privateUsers?: 'self' | 'identity' | 'full';
  /** a network namespace with a loopback interface that is up, and nothing else */
  readonly privateNetwork: boolean;
  /** that interface stays down */
  readonly loopbackDown?: boolean;
  /** the path of a network namespace that the service enters, and not one of privateNetwork */
  readonly networkNamespace?: string;
  /** an IPC namespace */
  readonly privateIPC: boolean;
  readonly ipcNamespace?: string;
  /** a UTS namespace, which has the host's name and its own from then on */
  readonly privateHostName: boolean;
  /** the name that the service gets in it */
  readonly hostName?: string;
  /** a control group namespace, in which the service is at the root */
  readonly privateControlGroups: boolean;
  readonly noNewPrivileges: boolean;
  /** the session keyring: that of the launcher, or a new one with a link to the user's keyring; absent: a new one */
  readonly keyring?: 'inherit' | 'shared';
  /** of capabilities(7), in addition to none */
  readonly secureBits?: number;
  /** what the program is labelled with by a security module, if the kernel has it; with "-" in front a failure is ignored */
  readonly selinuxContext?: string;
  readonly apparmorProfile?: string;
  readonly smackLabel?: string;
  /** a seccomp filter for the ABIs of this processor: instructions of classic BPF as the kernel has them, in base64 */
  readonly filter?: string;
  /**
   * the filter keeps the service from typing into the terminal of its starter, and does nothing else: without a terminal it may be
   * missing. Without a filter: this processor has no filters
   */
  readonly filterIsForTerminal: boolean;
  /** memory that is written never becomes executable, by the kernel itself (PR_SET_MDWE of prctl(2)) */
  readonly memoryDenyWriteExecute: boolean;
  /** SIGPIPE is ignored; else it has its default action, as all other signals */
  readonly ignoreSigpipe: boolean;
  /** absent: as the launcher has it, like everything else up to memoryMerge */
  readonly limits?: readonly ResourceLimit[];
  /** 20 less the nice value, 1 to 40 */
  readonly priority?: number;
  /** in decimal, -1000 to 1000 */
  readonly oomScoreAdjust?: string;
  readonly cpuPolicy?: 'other' | 'batch' | 'idle' | 'fifo' | 'rr';
  /** brought into the policy's range */
  readonly cpuPriority?: number;
  /** with a policy: what the service forks has no share in it */
  readonly cpuResetOnFork?: boolean;
  readonly cpuAffinity?: readonly number[];
  /** either of them alone means the class "best-effort", or the level 4 */
  readonly ioClass?: 'realtime' | 'bestEffort' | 'idle';
  readonly ioLevel?: number;
  readonly numaPolicy?: 'default' | 'preferred' | 'bind' | 'interleave' | 'local';
  readonly numaNodes?: readonly number[];
  /** nanoseconds, in decimal */
  readonly timerSlack?: string;
  /** a mask of /proc/PID/coredump_filter, in 16 hexadecimal digits */
  readonly coredumpFilter?: string;
  /** of personality(2): the machine that uname(2) tells of, or its 32-bit relative */
  readonly personality?: 'x86' | 'x86_64' | 'arm' | 'arm64';
  /** whether the kernel merges equal pages of its memory */
  readonly memoryMerge?: 'off' | 'on';
  /** capability sets as masks of 16 hexadecimal digits */
  readonly boundingSet: string;
  readonly ambientSet: string;
  readonly umask: number;
  /** in the order of their numbers; the others are as the launcher has them */
  readonly streams?: readonly Stream[];
  readonly terminal?: Terminal;
  readonly credentials?: readonly Credential[];
  readonly openFiles?: readonly OpenFile[];
  /** the name of the unit, which sockets that have credentials are told */
  readonly unit?: string;
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
  /** the last command does not become the process: it is waited for too, and its failure is ignored */
  readonly waitsForLast?: boolean;
  /** none of the commands becomes the process: all are waited for, and the launcher exits with the status of the first that fails */
  readonly phase?: LaunchPhase;
  /** all commands are in its network and its IPC namespace */
  readonly main?: MainProcess;
};

/** A name that this host holds in its fleet: it may run processes as that user whether the store answers or not. */
export type FleetHold = {
  readonly name: string;
  readonly uid: number;
  /** the user lives on this host now */
  readonly live: boolean;
  /** why nothing more is started as it here: the store has its UID for another name, or its name with another UID; and what to do */
  readonly conflict?: string;
};

export type AcquireParameters = {
  readonly unit: string;
  /** the user's name; if absent, it is derived from the unit */
  readonly userName?: string;
  /** one user for each instance of a template, instead of one for all of them */
  readonly perInstance?: boolean;
  readonly lifetime?: Lifetime;
  readonly pid?: number;
  /** lifetime 'timed': how long the lease lasts, 1 to 1209600 (14 days). Time that the host sleeps does not count */
  readonly seconds?: number;
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
   * the group of the process and of its directories, and further groups, by name. A dynamic group is the group of the dynamic user of
   * its name; it lasts as long as a user or a member has a lease of it. 'group' is made unless it is there. Groups of the host are for
   * root alone
   */
  readonly group?: string;
  readonly supplementaryGroups?: readonly string[];
  /**
   * whether processes and IPC objects are removed when the user ends; the default is true. Processes of a static user are
   * never ended, and its objects are removed only if removeIPC is true
   */
  readonly killProcesses?: boolean;
  readonly removeIPC?: boolean;
  /**
   * whether the user has the UID that its name has on all hosts of the fleet; absent: if the configuration says so of its name. True on a host
   * that is in no fleet is refused with FleetUnavailable, unless the name is a static user's or its user lives already
   */
  readonly fleet?: boolean;
};

export type AcquireReply = {
  readonly uid?: number;
  readonly gid?: number;
  readonly userName?: string;
  readonly unit?: string;
  readonly dynamic?: boolean;
  /** the UID is the name's on all hosts of the fleet; absent if the fleet does not have the name */
  readonly fleet?: boolean;
  readonly lease?: string;
  readonly directories?: readonly Directory[];
  /** STATE_DIRECTORY and its siblings, as systemd sets them for a unit */
  readonly environment?: { readonly [key: string]: string };
  /** 'group' and 'supplementaryGroups', in this order; absent if none was asked for */
  readonly groups?: readonly Group[];
  readonly progress?: Progress;
};

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
  /** absent: the service is started */
  readonly phase?: LaunchPhase;
  /** the number of the main process, if several processes are running under the unit's name */
  readonly mainPid?: number;
  /** phase 'stopPost': how the service ended: its exit status, or the name of a signal */
  readonly ended?: string;
  /** properties that are not known are said in warnings, and no error */
  readonly ignoreUnknown?: boolean;
  /** the program may be hostile: all that a launch can take from it, unless the properties say otherwise */
  readonly untrusted?: boolean;
  /** the program of the launcher's command line: an absolute path, or a name */
  readonly program?: string;
  /** whether the service sees an /etc/passwd and an /etc/group with its user; absent: if its program asks no NSS module */
  readonly passwdOverlay?: boolean;
  /** whether the launcher may make mounts, and what to do where it may not */
  readonly mayMount: boolean;
  readonly isolation?: 'full' | 'bestEffort';
  /** the version of Landlock's interface that the launcher's kernel has; absent: it has none */
  readonly landlock?: number;
  /** nothing is acquired: the answer has the explanation */
  readonly explain?: boolean;
  readonly answers?: readonly LaunchAnswer[];
};

export type LaunchReply = {
  readonly questions?: readonly LaunchQuestion[];
  /** why nothing is done, and nothing was acquired: a condition of the unit does not hold, or a phase has no commands or no process */
  readonly skipped?: string;
  readonly plan?: LaunchPlan;
  readonly lease?: string;
  /** for standard error: what was ignored, and what of the isolation is missing */
  readonly warnings?: readonly string[];
  /** the plan in words, one line each */
  readonly explanation?: readonly string[];
  readonly progress?: Progress;
  /** what will be mounted as the root, unless the launch is refused: the launcher can do that while it waits */
  readonly image?: Image;
};

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

export type ReleaseParameters = {
  readonly lease: string;
};

export type ReleaseReply = {
  readonly remains?: string;
};

export type ListReply = {
  readonly lease?: Lease;
  readonly leases?: readonly Lease[];
};

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
  readonly group?: string;
  readonly supplementaryGroups?: readonly string[];
  readonly fleet?: boolean;
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
  /** the groups that were asked for; absent if none was */
  readonly groups?: readonly ExpectedGroup[];
  /** what the fleet says of the name; absent if the fleet does not have it */
  readonly fleet?: FleetFinding;
};

export type WatchReply = {
  readonly event: 'existing' | 'ready' | 'allocated' | 'released' | 'lost';
  readonly lease?: Lease;
};

export type ReloadReply = {
  readonly applied: readonly string[];
  readonly deferred: readonly string[];
};

export type FleetStatusReply = {
  /** Fleet= of the configuration */
  readonly mode: 'off' | 'preferred' | 'required';
  /**
   * waiting: the store has not been asked yet since the daemon started, or does not answer. fenced: an operator has given this host up.
   * cloned: another machine with the same machine-id is the member. refused: the fleet is another one than this host expects. restoring: the
   * store was restored from a backup, and has not all bindings yet
   */
  readonly state: 'off' | 'waiting' | 'member' | 'fenced' | 'cloned' | 'refused' | 'restoring';
  /** why it is no member, and what to do */
  readonly reason?: string;
  /** the name of the fleet, and this host's in it */
  readonly fleet?: string;
  readonly host?: string;
  readonly hostName?: string;
  /** the UIDs that the fleet gives out, as this host is configured */
  readonly ranges?: string;
  /** how many names of the fleet this host can look up */
  readonly known?: number;
  readonly holds: readonly FleetHold[];
};

export type FleetForgetParameters = {
  readonly name: string;
};
