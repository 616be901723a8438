/**
 * The plan of a launch: what the launcher does, in order, and blindly. The same shapes as in io.dynuser.Allocator, where
 * what each field means is said; types alone.
 */

export type QuestionKind = 'file' | 'directory' | 'glob';

/** What a launcher has to look at in its own world before there can be a plan. */
export interface LaunchQuestion {
  readonly kind: QuestionKind;
  readonly path: string;
}

export interface LaunchAnswer extends LaunchQuestion {
  /** whether there is something of that kind at the path */
  readonly found: boolean;
  readonly text?: string;
  readonly names?: readonly string[];
}

export type MountFlag = 'readOnly' | 'noSuid' | 'noDevices' | 'noExec';

/** File systems that show a namespace, or the kernel, to who mounts them. */
export type FileSystemType = 'proc' | 'sysfs' | 'mqueue';

export interface IdMap {
  readonly diskUid: number;
  readonly diskGid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface LaunchStep {
  readonly do: 'make' | 'pin' | 'mount' | 'cover' | 'attributes' | 'place' | 'link' | 'hide';
  readonly path: string;
  readonly slot?: number;
  readonly optional?: boolean;
  readonly straight?: boolean;
  readonly device?: string;
  readonly inode?: string;
  readonly takeAway?: boolean;
  readonly single?: boolean;
  readonly idMap?: IdMap;
  readonly set?: readonly MountFlag[];
  readonly clear?: readonly MountFlag[];
  readonly mode?: number;
  readonly options?: readonly string[];
  readonly part?: string;
  readonly type?: FileSystemType;
  readonly create?: 'directory' | 'file';
  readonly target?: string;
}

export interface LaunchCommand {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly as: 'user' | 'root' | 'outside';
  readonly ignoreFailure: boolean;
}

export interface LaunchPlan {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly dynamic: boolean;
  readonly groups: readonly string[];
  readonly root?: string;
  readonly mountNamespace: boolean;
  readonly steps: readonly LaunchStep[];
  readonly privateUsers: boolean;
  readonly privateNetwork: boolean;
  readonly privateIPC: boolean;
  readonly noNewPrivileges: boolean;
  readonly restrictSuidSgid: boolean;
  readonly boundingSet: string;
  readonly ambientSet: string;
  readonly umask: number;
  readonly workingDirectory?: string;
  readonly workingDirectoryOptional: boolean;
  readonly inheritEnvironment: boolean;
  readonly passEnvironment: readonly string[];
  readonly environment: readonly string[];
  readonly unsetEnvironment: readonly string[];
  readonly accountEnvironment: boolean;
  readonly commands?: readonly LaunchCommand[];
}
