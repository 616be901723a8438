/** The settings of a launch, as properties gave them and as systemd's defaults have them. Types and defaults. */
import type { DirectoryKind } from '../core/directory.ts';

export type ProtectSystem = 'no' | 'yes' | 'full' | 'strict';
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

export interface Settings {
  readonly dynamicUser: boolean;
  readonly user?: string;
  readonly group?: string;
  readonly supplementaryGroups: readonly string[];
  readonly directories: Readonly<Record<DirectoryKind, readonly string[]>>;
  readonly modes: Readonly<Partial<Record<DirectoryKind, number>>>;
  readonly configuration: readonly string[];
  readonly configurationMode: number;
  readonly runtimePreserve: 'no' | 'restart' | 'yes';
  readonly protectSystem: ProtectSystem;
  readonly protectHome: ProtectHome;
  readonly privateTmp: boolean;
  readonly privateDevices: boolean;
  readonly privateUsers: boolean;
  readonly removeIPC: boolean;
  readonly noNewPrivileges: boolean;
  readonly restrictSuidSgid: boolean;
  readonly readWrite: readonly AccessPath[];
  readonly readOnly: readonly AccessPath[];
  readonly inaccessible: readonly AccessPath[];
  readonly temporary: readonly TemporaryFileSystem[];
  readonly binds: readonly BindPath[];
  readonly rootDirectory?: string;
  readonly umask: number;
  readonly workingDirectory?: string;
  readonly workingDirectoryOptional: boolean;
  readonly boundingSet: bigint;
  readonly ambientSet: bigint;
}
