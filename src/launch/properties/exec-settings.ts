/** The settings of a launch, as properties gave them and as systemd's defaults have them. Types and defaults. */
import type { DirectoryKind } from '../../core/directory.ts';

export type ProtectSystem = 'no' | 'yes' | 'full' | 'strict';
export type ProtectProc = 'default' | 'noaccess' | 'invisible' | 'ptraceable';
export type ProcSubset = 'all' | 'pid';
export type ProtectHome = 'no' | 'yes' | 'read-only' | 'tmpfs';

/** A path of ReadWritePaths= and its siblings (systemd.exec(5)). */
export interface AccessPath {
  readonly path: string;
  /** "-": it may be missing */
  readonly optional: boolean;
  /** "+": below RootDirectory=, not below the host's root */
  readonly inRoot: boolean;
}

export interface BindPath {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly optional: boolean;
  /** with what is mounted below */
  readonly recursive: boolean;
}

export interface TemporaryFileSystem {
  readonly path: string;
  readonly options: readonly string[];
}

/** A command line of ExecStart= or ExecStartPre=, its variables not yet replaced. */
export interface CommandLine {
  readonly path: string;
  /** from argv[0] on */
  readonly words: readonly string[];
  readonly ownName: boolean;
  readonly expands: boolean;
  readonly ignoreFailure: boolean;
  readonly as: 'user' | 'root' | 'outside';
}

/** What the environment of the service is made of, beside what the allocator gives. */
export interface EnvironmentSettings {
  /** it begins with the launcher's own */
  readonly inherit: boolean;
  /** where it does not: names of variables of the launcher's own that it begins with; with "*" at its end, a beginning of names */
  readonly pass: readonly string[];
  /** LOGNAME is set, and HOME and SHELL where the account has them */
  readonly login: boolean;
  /** NAME=VALUE in order: of Environment=, then of the files, then of the command line */
  readonly assignments: readonly string[];
  /** NAME, or NAME=VALUE for a variable that goes where it has this value alone */
  readonly unset: readonly string[];
  /** of the account's record, where a command line or the working directory needs them */
  readonly home?: string;
  readonly shell?: string;
}

/** All settings of a launch, with systemd's defaults and what DynamicUser= implies (systemd.exec(5)). */
export interface ExecSettings {
  readonly dynamicUser: boolean;
  /** the properties that were set by name, of those that DynamicUser= implies */
  readonly byName: readonly string[];
  readonly supplementaryGroups: readonly string[];
  readonly configuration: readonly string[];
  readonly configurationMode: number;
  readonly protectSystem: ProtectSystem;
  readonly protectHome: ProtectHome;
  readonly privateTmp: boolean;
  readonly privateDevices: boolean;
  readonly privateUsers: boolean;
  readonly privateNetwork: boolean;
  readonly privateIPC: boolean;
  readonly protectProc: ProtectProc;
  readonly procSubset: ProcSubset;
  readonly removeIPC: boolean;
  readonly noNewPrivileges: boolean;
  readonly restrictSuidSgid: boolean;
  readonly readWrite: readonly AccessPath[];
  readonly readOnly: readonly AccessPath[];
  readonly inaccessible: readonly AccessPath[];
  readonly temporary: readonly TemporaryFileSystem[];
  readonly binds: readonly BindPath[];
  /** sources of binds that are directories, as the launcher sees them */
  readonly bindDirectories: readonly string[];
  /** with PrivateDevices=: whether the journal of systemd takes what is said to syslog(3) */
  readonly hasJournal: boolean;
  /** with PrivateDevices=: whether the kernel shows its memory */
  readonly hasKernelMemory: boolean;
  /** the classes whose trees are behind the boundary */
  readonly privateClasses: readonly DirectoryKind[];
  readonly rootDirectory?: string;
  readonly umask: number;
  readonly workingDirectory?: string;
  readonly workingDirectoryOptional: boolean;
  readonly boundingSet: bigint;
  readonly ambientSet: bigint;
  readonly environment: EnvironmentSettings;
  /** absent where the command is the launcher's own */
  readonly commands?: readonly CommandLine[];
}
