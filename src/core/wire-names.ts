/** Generated from io.dynuser.Allocator.varlink by "npm run generate": change that file, not this one. Names that travel. */

/** The errors, each with its fields. */
export const ERRORS = {
  InvalidName: ['field', 'reason'],
  NameConflict: ['field', 'reason'],
  RangeExhausted: ['held', 'reason'],
  NotPermitted: ['field', 'reason'],
  NoSuchLease: ['field', 'reason'],
  ProbeFailed: ['field', 'reason'],
  LifetimeEnded: ['field', 'reason'],
  DirectoryFailed: ['field', 'reason'],
  LaunchFailed: ['field', 'reason'],
  InvalidConfiguration: ['field', 'reason'],
  LimitReached: ['field', 'reason'],
  FleetConflict: ['field', 'reason'],
  FleetUnavailable: ['field', 'reason'],
} as const;
export type WireErrorCode = keyof typeof ERRORS;

export const LIFETIMES = ['connection', 'process', 'unit', 'timed', 'explicit'] as const;
export type Lifetime = (typeof LIFETIMES)[number];
export const HANDOVERS = ['none', 'map', 'chown'] as const;
export type Handover = (typeof HANDOVERS)[number];
export const DIRECTORY_KINDS = ['runtime', 'state', 'cache', 'logs'] as const;
export type DirectoryKind = (typeof DIRECTORY_KINDS)[number];
export const FILE_SYSTEM_TYPES = ['proc', 'sysfs', 'mqueue', 'cgroup2', 'tmpfs'] as const;
export type FileSystemType = (typeof FILE_SYSTEM_TYPES)[number];
export const MOUNT_FLAGS = [
  'readOnly',
  'noSuid',
  'noDevices',
  'noExec',
  'noAtime',
  'strictAtime',
  'noDiratime',
] as const;
export type MountFlag = (typeof MOUNT_FLAGS)[number];
export const ACCESS_RIGHTS = ['read', 'write'] as const;
export type AccessRight = (typeof ACCESS_RIGHTS)[number];
export const LAUNCH_PHASES = ['startPost', 'reload', 'stop', 'stopPost'] as const;
export type LaunchPhase = (typeof LAUNCH_PHASES)[number];
