/** What a launch asks for, what it wants of the allocator, and what the allocator gave it. Types alone. */
import type { DirectoryKind, DirectoryRequest, DirectorySettings, HandoverKind } from '../../core/directory.ts';
import type { ExecSettings } from '../properties/exec-settings.ts';

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
  /** unknown properties are said in warnings, and no error */
  readonly ignoreUnknown: boolean;
  /** the program may be hostile: see untrusted.ts */
  readonly untrusted: boolean;
  readonly mayMount: boolean;
  readonly isolation: Isolation;
}

/** What a launch wants of the allocator, and all that the plan is made of afterwards. */
export interface ResolvedLaunch {
  /** absent where neither the request nor a unit file names one: the caller invents it */
  readonly unit?: string;
  /** User=. Absent: for a dynamic user the name comes from the unit; without DynamicUser= it is root */
  readonly userName?: string;
  /** Group=: a group of the host that the process has instead of the user's own */
  readonly group?: string;
  readonly dynamicUser: boolean;
  readonly untrusted: boolean;
  /** one entry a word, specifiers expanded, escapes kept: as StateDirectory= and its siblings have them */
  readonly directories: DirectoryRequest;
  /** only those that were asked for */
  readonly modes: DirectorySettings['modes'];
  readonly runtimePreserve: boolean;
  /** directories below /etc, which belong to root, by their absolute paths */
  readonly configurationDirectories: readonly string[];
  readonly removeIPC: boolean;
  /** there will be a mount namespace, and id-mapped mounts where the allocator maps directories */
  readonly makesMounts: boolean;
  /** best effort without mounts: directories have to be reachable at their public paths */
  readonly exposeDirectories: boolean;
  /** of each property that was given: its field in errors, which says where it is from */
  readonly fields: ReadonlyMap<string, string>;
  /** for standard error */
  readonly warnings: readonly string[];
  /** what of the isolation is left out, in words */
  readonly missing: readonly string[];
  readonly settings: ExecSettings;
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
  /** false where a static user of the host is used as it is */
  readonly dynamic: boolean;
  /** the number of Group=, where there is one */
  readonly processGid?: number;
  readonly directories: readonly AcquiredDirectory[];
  /** STATE_DIRECTORY and its siblings */
  readonly environment: Readonly<Record<string, string>>;
}
