/** The settings while properties are being read: what was set by name, and what is still to be had of files. */
import type { DirectoryKind } from '../../core/directory.ts';
import { ALL_CAPABILITIES, NO_CAPABILITIES } from '../syntax/capabilities.ts';
import type {
  AccessPath,
  BindPath,
  CommandLine,
  ProcSubset,
  ProtectHome,
  ProtectProc,
  ProtectSystem,
  TemporaryFileSystem,
} from './exec-settings.ts';

export interface EnvironmentFile {
  readonly path: string;
  readonly optional: boolean;
  /** the field of an error about it */
  readonly field: string;
}

/** Where a value is undefined the property was not given, or reset by an empty value. */
export interface ParsedProperties {
  /** of each property that was given: the field of an error about its last assignment */
  readonly fields: Map<string, string>;
  dynamicUser: boolean | undefined;
  user: string | undefined;
  group: string | undefined;
  supplementaryGroups: string[];
  directories: Record<DirectoryKind, string[]>;
  modes: Partial<Record<DirectoryKind, number>>;
  configuration: string[];
  configurationMode: number | undefined;
  runtimePreserve: 'no' | 'restart' | 'yes' | undefined;
  protectSystem: ProtectSystem | undefined;
  protectHome: ProtectHome | undefined;
  privateTmp: boolean | undefined;
  privateDevices: boolean | undefined;
  privateUsers: boolean | undefined;
  privateNetwork: boolean | undefined;
  privateIPC: boolean | undefined;
  protectProc: ProtectProc | undefined;
  procSubset: ProcSubset | undefined;
  removeIPC: boolean | undefined;
  noNewPrivileges: boolean | undefined;
  restrictSuidSgid: boolean | undefined;
  readWrite: AccessPath[];
  readOnly: AccessPath[];
  inaccessible: AccessPath[];
  temporary: TemporaryFileSystem[];
  binds: BindPath[];
  rootDirectory: string | undefined;
  umask: number | undefined;
  /** "~" is the home of the user */
  workingDirectory: string | undefined;
  workingDirectoryOptional: boolean;
  boundingSet: bigint;
  ambientSet: bigint;
  loginEnvironment: boolean | undefined;
  environment: string[];
  environmentFiles: EnvironmentFile[];
  passEnvironment: string[];
  unsetEnvironment: string[];
  type: string | undefined;
  startBefore: CommandLine[];
  start: CommandLine[];
}

export function newParsedProperties(): ParsedProperties {
  return {
    fields: new Map(),
    dynamicUser: undefined,
    user: undefined,
    group: undefined,
    supplementaryGroups: [],
    directories: { runtime: [], state: [], cache: [], logs: [] },
    modes: {},
    configuration: [],
    configurationMode: undefined,
    runtimePreserve: undefined,
    protectSystem: undefined,
    protectHome: undefined,
    privateTmp: undefined,
    privateDevices: undefined,
    privateUsers: undefined,
    privateNetwork: undefined,
    privateIPC: undefined,
    protectProc: undefined,
    procSubset: undefined,
    removeIPC: undefined,
    noNewPrivileges: undefined,
    restrictSuidSgid: undefined,
    readWrite: [],
    readOnly: [],
    inaccessible: [],
    temporary: [],
    binds: [],
    rootDirectory: undefined,
    umask: undefined,
    workingDirectory: undefined,
    workingDirectoryOptional: false,
    boundingSet: ALL_CAPABILITIES,
    ambientSet: NO_CAPABILITIES,
    loginEnvironment: undefined,
    environment: [],
    environmentFiles: [],
    passEnvironment: [],
    unsetEnvironment: [],
    type: undefined,
    startBefore: [],
    start: [],
  };
}
