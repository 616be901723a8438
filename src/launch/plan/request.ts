/** What a launch asks for, what that resolves to, and what the allocator gave it. Types alone. */
import type {
  Directory,
  LaunchParameters,
  LaunchPhase,
  MainProcess,
} from '../../api/generated/io-dynuser-allocator.ts';
import type { DirectoryKind, DirectoryRequest, DirectorySettings } from '../../core/directory.ts';
import type { RequestedRuntime } from '../../core/lease.ts';
import type { PacketRules } from '../../core/packet-rules.ts';
import type { PlannedImages } from '../images/planned.ts';
import type { DeviceFindings } from '../namespace/allowed-devices.ts';
import type { ConfigurationDirectory } from '../properties/directories.ts';
import type { ExecSettings, PropertyName } from '../properties/table.ts';
import type { Login } from '../syntax/account-files.ts';
import type { CommandLine } from '../syntax/command-line.ts';

/** Without what else a call of Launch has. */
export interface LaunchRequest extends Omit<LaunchParameters, 'answers' | 'explain'> {
  /**
   * nothing will run: what is not supported is told with all else that is wrong, and environment files and accounts that this
   * host lacks may be on another
   */
  readonly isJudged?: boolean;
  /** nothing will run, and nothing is written to */
  readonly isExplained?: boolean;
}

/**
 * What the environment of the service is made of, besides what the allocator gives. Home and shell are those of the
 * account's record, if a command line or the working directory needs them.
 */
export interface EnvironmentSources extends Partial<Login> {
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
}

/** What the mounts depend on, of the launcher's host. */
export interface HostFindings {
  /** sources of binds that are directories */
  readonly bindDirectories: readonly string[];
  /** with DeviceAllow=: the devices there are */
  readonly devices: DeviceFindings;
  /** with a /dev of the service: whether systemd's journal receives syslog(3) */
  readonly hasJournal: boolean;
  /** with a /dev of the service: whether the kernel shows its memory */
  readonly hasKernelMemory: boolean;
  /** the programs of RootDirectory= are of musl, which has no NSS modules */
  readonly rootHasMusl: boolean;
  /** the service is shown account files with its own lines; absent: it is not */
  readonly accountOverlay?: AccountOverlay;
}

export interface AccountOverlay {
  /** of /etc/passwd and /etc/group, those that have to be made, as a bind makes them */
  readonly missing: readonly string[];
  /** a missing file stays missing: the overlay was not asked for by name */
  readonly optional: boolean;
}

/** What the service may do with files at and below a path. */
export type Access = 'none' | 'read' | 'write';

export interface AccessMark {
  /** without symlinks, but for those of the service's directories */
  readonly path: string;
  readonly access: Access;
  readonly device?: string;
  readonly inode?: string;
}

export interface FileAccess {
  /** the properties that it carries out */
  readonly carriesOut: readonly PropertyName[];
  /** of "/", and of what is different; empty if nothing is protected */
  readonly marks: readonly AccessMark[];
  /** what is in each directory that has something in it which is protected further than others */
  readonly listings: ReadonlyMap<string, readonly string[]>;
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
  /** absent: the service is started */
  readonly phase?: LaunchPhase;
  /** what its commands are told about the service */
  readonly phaseVariables: readonly (readonly [name: string, value: string])[];
  /** one entry a word, specifiers expanded, escapes kept: as StateDirectory= and its siblings have them */
  readonly directories: DirectoryRequest;
  /** only those that were asked for */
  readonly modes: DirectorySettings['modes'];
  readonly quotas: NonNullable<DirectorySettings['quotas']>;
  readonly runtimePreserve: boolean;
  /** the kinds whose directories are private ones */
  readonly privateKinds: readonly DirectoryKind[];
  /** directories below /etc, which belong to root, by their absolute paths */
  readonly configurationDirectories: readonly ConfigurationDirectory[];
  readonly removeIPC: boolean;
  /** absent: it may run for ever */
  readonly runtime?: RequestedRuntime;
  /** there will be a mount namespace, and id-mapped mounts if the allocator maps directories */
  readonly makesMounts: boolean;
  /** the loopback interface of PrivateNetwork= stays down */
  readonly closesLoopback: boolean;
  /** what the packets of the dynamic user are held to; absent: to nothing */
  readonly packetRules?: PacketRules;
  /** best effort without mounts: directories have to be reachable at their public paths */
  readonly exposeDirectories: boolean;
  /** of each property that was given: its field in errors, which says where it is from */
  readonly fields: ReadonlyMap<string, string>;
  /** the conditions of [Unit], each with what it comes to, in words */
  readonly conditions: readonly string[];
  /** one of them does not hold: nothing is started, for this reason */
  readonly skipped?: string;
  /** properties that are left to what supervises the launcher, and to what makes control groups */
  readonly left: readonly string[];
  /** --ignore-unknown, or judged: the properties that a launch would be refused for, in words */
  readonly refused: readonly string[];
  /** for standard error */
  readonly warnings: readonly string[];
  /** best effort without mounts: the properties that are not carried out */
  readonly leftOut: readonly PropertyName[];
  /** the isolation that is lost by that, in words */
  readonly missing: readonly string[];
  /** best effort without mounts: what Landlock does in their place; absent: nothing */
  readonly access?: FileAccess;
  /** the properties that an assignment gave a value */
  readonly given: readonly PropertyName[];
  readonly settings: ExecSettings;
  /** absolute, "~" replaced */
  readonly workingDirectory?: string;
  readonly environment: EnvironmentSources;
  readonly host: HostFindings;
  readonly images: PlannedImages;
  /** absent if the command is the launcher's own */
  readonly commands?: readonly CommandLine[];
}

/** A directory as the allocator gave it. */
export interface AcquiredDirectory extends Omit<Directory, 'changed' | 'leftPaths' | 'mountPaths'> {
  /** further names below the base of its class: links of the host, in trees of the request, and those still to be made */
  readonly aliases: readonly string[];
  readonly otherNames?: { readonly inner: readonly string[]; readonly covered: readonly string[] };
  /** of the tree's top, as stat(2) has them, in decimal */
  readonly device: string;
  readonly inode: string;
}

/** What the kernel is that the daemon and the launcher run on. */
export interface Kernel {
  /** as Node names it */
  readonly processor: string;
  /** it can deny a process memory that is written and executed (PR_SET_MDWE) */
  readonly deniesWriteExecute: boolean;
}

export interface Acquired {
  readonly kernel: Kernel;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  /** false if it is a static user of the host, used as it is */
  readonly dynamic: boolean;
  /** the number of Group=, if it is given */
  readonly processGid?: number;
  /** the supplementary groups of the process, ascending */
  readonly groups: readonly number[];
  /** of all groups that the request names, those that are of dynamic users, besides the user's own */
  readonly dynamicGroups?: readonly { readonly name: string; readonly gid: number }[];
  /** a phase: the main process, in the launcher's numbering */
  readonly main?: Pick<MainProcess, 'pid' | 'inode'>;
  /** home and shell of the account, if usesAccount() */
  readonly login?: Login;
  readonly directories: readonly AcquiredDirectory[];
  /** STATE_DIRECTORY and its siblings */
  readonly environment: Readonly<Record<string, string>>;
}
