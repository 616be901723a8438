/** The classes of directories that a service can have (systemd.exec(5), RuntimeDirectory= and its siblings). Pure. */
import { DIRECTORY_KINDS, type DirectoryKind } from './directory.ts';
import { OVERFLOW_ID } from './ids.ts';

export interface DirectoryClass {
  /** the directory below which paths of the class are */
  readonly base: string;
  /** the environment variable that tells a service its directories */
  readonly variable: string;
  /** the parameter of a request that lists them */
  readonly field: `${DirectoryKind}Directory`;
}

export const DIRECTORY_CLASSES: Readonly<Record<DirectoryKind, DirectoryClass>> = {
  runtime: { base: '/run', variable: 'RUNTIME_DIRECTORY', field: 'runtimeDirectory' },
  state: { base: '/var/lib', variable: 'STATE_DIRECTORY', field: 'stateDirectory' },
  cache: { base: '/var/cache', variable: 'CACHE_DIRECTORY', field: 'cacheDirectory' },
  logs: { base: '/var/log', variable: 'LOGS_DIRECTORY', field: 'logsDirectory' },
};

export type BaseDirectories = Readonly<Record<DirectoryKind, string>>;

export const BASE_DIRECTORIES = Object.fromEntries(
  DIRECTORY_KINDS.map(kind => [kind, DIRECTORY_CLASSES[kind].base]),
) as BaseDirectories;

/** The directory below each base that the private directories are in: root:root, and no mode bit beyond 0700. */
export const PRIVATE = 'private';
export const PRIVATE_MODE = 0o700;
/** Directories between a base and a tree. */
export const PARENT_MODE = 0o755;
export const DEFAULT_MODE = 0o755;
/** A dynamic user's directory never has setuid and setgid, which systemd takes away too. */
export const DYNAMIC_MODE_MASK = 0o1777;
/** Nobody but its user may enter a directory of a dynamic user that is not a private one. */
export const EXPOSED_MODE_MASK = 0o700;
export const MODE_MAX = 0o7777;

/** The owner on disk of a tree that is shown by an id-mapped mount; systemd 257 uses the same. */
export const MAPPED_ID = OVERFLOW_ID;
