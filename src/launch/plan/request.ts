/** What a launch asks for, what that resolves to, and what the allocator gave it. Types alone. */
import type { DirectoryKind, DirectoryRequest, DirectorySettings, HandoverKind } from '../../core/directory.ts';
import type { ExecSettings, PropertyName } from '../properties/table.ts';
import type { Login } from '../syntax/account-files.ts';
import type { CommandLine } from '../syntax/command-line.ts';

export type Isolation = 'full' | 'bestEffort';

export interface LaunchRequest {
  /** absent: derived from the unit file; else the caller invents a name */
  readonly unit?: string;
  /** NAME=VALUE as systemd has them in [Service], in order */
  readonly properties: readonly string[];
  /** NAME=VALUE, in order */
  readonly setEnvironment: readonly string[];
  /** true unless there is a unit file */
  readonly inheritEnvironment?: boolean;
  /** an absolute path */
  readonly unitFile?: string;
  readonly instance?: string;
  /** unknown properties are warnings, not errors */
  readonly ignoreUnknown: boolean;
  /** the program may be hostile: see untrusted.ts */
  readonly untrusted: boolean;
  readonly mayMount: boolean;
  readonly isolation: Isolation;
}

/** What the environment of the service is made of, besides what the allocator gives. */
export interface EnvironmentSources {
  /** it begins with the launcher's own */
  readonly inherit: boolean;
  /** otherwise: names of variables of the launcher's own that it begins with; "LC_*" is all that begin so */
  readonly pass: readonly string[];
  /** LOGNAME is set, and HOME and SHELL if the account has them */
  readonly login: boolean;
  /** NAME=VALUE in order: of Environment=, then of the files, then of the command line */
  readonly assignments: readonly string[];
  /** NAME, or NAME=VALUE for a variable that goes only if it has this value */
  readonly unset: readonly string[];
  /** of the account's record, if a command line or the working directory needs them */
  readonly home?: string;
  readonly shell?: string;
}

/** What of the launcher's host the mounts depend on. */
export interface HostFindings {
  /** sources of binds that are directories */
  readonly bindDirectories: readonly string[];
  /** with PrivateDevices=: whether systemd's journal receives syslog(3) */
  readonly hasJournal: boolean;
  /** with PrivateDevices=: whether the kernel shows its memory */
  readonly hasKernelMemory: boolean;
}

/** A request with all its properties read: what it needs of the allocator, and all that the plan is made of afterwards. */
export interface ResolvedLaunch {
  /** absent if neither the request nor a unit file names one: the caller invents it */
  readonly unit?: string;
  /** User=. Absent: for a dynamic user the name comes from the unit; without DynamicUser= it is root */
  readonly userName?: string;
  /** Group=, if it is not User=: the process has it instead of the user's own */
  readonly group?: string;
  readonly dynamicUser: boolean;
  readonly untrusted: boolean;
  /** one entry a word, specifiers expanded, escapes kept: as StateDirectory= and its siblings have them */
  readonly directories: DirectoryRequest;
  /** only those that were asked for */
  readonly modes: DirectorySettings['modes'];
  readonly runtimePreserve: boolean;
  /** the kinds whose directories are private ones */
  readonly privateKinds: readonly DirectoryKind[];
  /** directories below /etc, which belong to root, by their absolute paths */
  readonly configurationDirectories: readonly string[];
  readonly removeIPC: boolean;
  /** there will be a mount namespace, and id-mapped mounts if the allocator maps directories */
  readonly makesMounts: boolean;
  /** best effort without mounts: directories have to be reachable at their public paths */
  readonly exposeDirectories: boolean;
  /** of each property that was given: its field in errors, which says where it is from */
  readonly fields: ReadonlyMap<string, string>;
  /** for standard error */
  readonly warnings: readonly string[];
  /** best effort without mounts: the properties that are not carried out */
  readonly leftOut: readonly PropertyName[];
  /** what of the isolation is lost by that, in words */
  readonly missing: readonly string[];
  /** the properties that an assignment gave a value */
  readonly given: readonly PropertyName[];
  readonly settings: ExecSettings;
  /** absolute, "~" replaced */
  readonly workingDirectory?: string;
  readonly environment: EnvironmentSources;
  readonly host: HostFindings;
  /** absent if the command is the launcher's own */
  readonly commands?: readonly CommandLine[];
}

/** A directory as the allocator gave it. */
export interface AcquiredDirectory {
  readonly kind: DirectoryKind;
  readonly publicPath: string;
  readonly realPath: string;
  readonly readOnly: boolean;
  readonly handover: HandoverKind;
  /** the public path of the directory of the same request that it is a part of */
  readonly within?: string;
  readonly diskUid: number;
  readonly diskGid: number;
  /** further names below the base of its class */
  readonly aliases: readonly string[];
  /** of the tree's top, as stat(2) has them, in decimal */
  readonly device: string;
  readonly inode: string;
}

export interface Acquired {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  /** false if it is a static user of the host, used as it is */
  readonly dynamic: boolean;
  /** the number of Group=, if it is given */
  readonly processGid?: number;
  /** the supplementary groups of the process, ascending */
  readonly groups: readonly number[];
  /** home and shell of the account, if usesAccount() */
  readonly login?: Login;
  readonly directories: readonly AcquiredDirectory[];
  /** STATE_DIRECTORY and its siblings */
  readonly environment: Readonly<Record<string, string>>;
}
