/** Requests to the allocator, in its types: made from the parameters of Acquire and Explain, and from a launch. */

import type { Directories } from '../allocator/directory-ports.ts';
import type { AcquireRequest, SharedGroupRequest, UserRequest } from '../allocator/request.ts';
import {
  DIRECTORY_KINDS,
  type DirectoryKind,
  type DirectoryRequest,
  type DirectorySettings,
  type RequestedDirectory,
} from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import { asPid, type Pid, type UnitName, type UserName } from '../core/ids.ts';
import { keptProcess, readTerms } from '../core/lease.ts';
import { DIRECTORIES_MAX, DIRECTORY_BYTES_MAX, GROUPS_PER_LEASE_MAX } from '../core/limits.ts';
import { parseUnitName, parseUserName } from '../core/name.ts';
import { NO_PACKET_RULES } from '../core/packet-rules.ts';
import { coveredPaths } from '../launch/launch.ts';
import { phaseDescription } from '../launch/plan/phases.ts';
import type { ResolvedLaunch } from '../launch/plan/request.ts';
import { invalidParameter } from '../varlink/errors.ts';
import type { AcquireParameters, ExplainParameters } from './generated/io-dynuser-allocator.ts';

export type DirectoryReader = Pick<Directories, 'requested'>;

/** @throws DynuserError InvalidName, DirectoryFailed, LimitReached; VarlinkError InvalidParameter */
export function readAcquire(parameters: AcquireParameters, reader: DirectoryReader): AcquireRequest {
  const { lifetime = 'connection', killProcesses = true, removeIPC } = parameters;
  const read = readTerms({ ...parameters, lifetime });
  if ('reason' in read) {
    throw new DynuserError('InvalidName', read.reason, { field: read.field });
  }
  const { description } = read.terms;
  const pid = readPid(parameters.pid, keptProcess(read.terms.lifetime) === 'bound');
  return {
    ...read.terms,
    ...readUser(parameters, reader),
    ...(description === undefined ? {} : { description: copyOf(description) }),
    ...(pid === undefined ? {} : { pid }),
    cleanup: { processes: killProcesses, ipc: removeIPC ?? true },
    // Objects of an account are the host's: only who says so has them removed.
    removesAccountIpc: removeIPC ?? false,
  };
}

/** @throws DynuserError InvalidName, DirectoryFailed, LimitReached */
export function readUser(parameters: ExplainParameters, reader: DirectoryReader): UserRequest {
  const { unit, userName, perInstance = false, makesMounts = false, verify = false } = parameters;
  const sharedGroups = readGroups(parameters);
  return {
    ...(sharedGroups.length === 0 ? {} : { sharedGroups }),
    unit: unitNameOf(unit),
    ...(userName === undefined ? {} : { userName: userNameOf(userName) }),
    ...('fleet' in parameters && typeof parameters.fleet === 'boolean' ? { fleet: parameters.fleet } : {}),
    perInstance,
    directories: readDirectories(parameters, reader),
    makesMounts,
    verify,
  };
}

/** @throws DynuserError InvalidName, LimitReached */
function readGroups({ group, supplementaryGroups = [] }: ExplainParameters): readonly SharedGroupRequest[] {
  if (supplementaryGroups.length >= GROUPS_PER_LEASE_MAX) {
    const reason = `a lease has at most ${GROUPS_PER_LEASE_MAX} groups`;
    throw new DynuserError('LimitReached', reason, { field: 'supplementaryGroups' });
  }
  return [
    ...(group === undefined ? [] : [{ name: userNameOf(group, 'group'), isPrimary: true, mustExist: false }]),
    ...supplementaryGroups.map(name => {
      return { name: userNameOf(name, 'supplementaryGroups'), isPrimary: false, mustExist: true };
    }),
  ];
}

/**
 * What a launch asks for.
 * @param unit the name that the launch wants, or one that was made up for it
 * @throws DynuserError InvalidName, DirectoryFailed, LimitReached; the field is the parameter of Acquire
 */
export function acquireRequestOf(resolved: ResolvedLaunch, unit: string, reader: DirectoryReader): AcquireRequest {
  const { dynamicUser, makesMounts, modes, quotas, removeIPC, missing } = resolved;
  const userName = resolved.userName ?? (dynamicUser ? undefined : 'root');
  const settings = {
    ...{ modes, quotas, preserveRuntime: resolved.runtimePreserve, expose: resolved.exposeDirectories },
    covered: makesMounts ? coveredPaths(resolved.settings) : [],
  };
  return {
    ...(resolved.phase === undefined ? {} : { description: phaseDescription(resolved.phase) }),
    ...{ unit: unitNameOf(unit), perInstance: false, lifetime: 'process', staticOnly: !dynamicUser, verify: false },
    packetRules: resolved.packetRules ?? NO_PACKET_RULES,
    // Commands of a service that runs are held to what it is held to.
    takesPacketRules: resolved.phase !== undefined,
    ...(userName === undefined ? {} : { userName: userNameOf(userName) }),
    ...(missing.length === 0 ? {} : { missing }),
    ...(resolved.runtime === undefined ? {} : { runtime: resolved.runtime }),
    directories: directoriesOf(resolved.directories, settings, makesMounts, reader),
    makesMounts,
    cleanup: { processes: true, ipc: removeIPC },
    removesAccountIpc: removeIPC,
  };
}

/** A part that V8 cuts out of a text keeps all of the text in memory: a lease, which may last for years, would keep the message that asked for it. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

/** @throws DynuserError InvalidName */
function unitNameOf(text: string): UnitName {
  const parsed = parseUnitName(copyOf(text));
  if (!('unit' in parsed)) {
    throw new DynuserError('InvalidName', parsed.reason, { field: 'unit' });
  }
  return parsed.unit;
}

/** @throws DynuserError InvalidName */
function userNameOf(text: string, field: 'userName' | 'group' | 'supplementaryGroups' = 'userName'): UserName {
  const parsed = parseUserName(copyOf(text));
  if (!('name' in parsed)) {
    const kind = field === 'userName' ? 'user name' : 'group name';
    throw new DynuserError('InvalidName', parsed.reason.replaceAll('user name', kind), { field });
  }
  return parsed.name;
}

/** @throws DynuserError DirectoryFailed, LimitReached; the field is that of the class */
export function directoriesOf(
  values: DirectoryRequest,
  settings: DirectorySettings,
  makesMounts: boolean,
  reader: DirectoryReader,
): readonly RequestedDirectory[] {
  for (const kind of DIRECTORY_KINDS) {
    checkBounds(values[kind], `${kind}Directory`);
  }
  if (settings.expose === true && makesMounts) {
    const reason = 'a caller that makes mounts needs no exposed directories: ask for one of the two';
    throw new DynuserError('DirectoryFailed', reason, { field: 'exposeDirectories' });
  }
  return reader.requested(values, settings);
}

function checkBounds(values: readonly string[], field: string): void {
  if (values.length > DIRECTORIES_MAX) {
    throw new DynuserError('LimitReached', `more than ${DIRECTORIES_MAX} directories in one request`, { field });
  }
  if (values.some(value => Buffer.byteLength(value) > DIRECTORY_BYTES_MAX)) {
    throw new DynuserError('DirectoryFailed', `a path of more than ${DIRECTORY_BYTES_MAX} bytes`, { field });
  }
}

/** @throws VarlinkError InvalidParameter for a number that is not a process's, or that the lifetime has no use for */
function readPid(number: number | undefined, isUsed: boolean): Pid | undefined {
  const pid = number === undefined ? undefined : asPid(number);
  if (number !== undefined && (pid === undefined || !isUsed)) {
    throw invalidParameter('pid');
  }
  return pid;
}

function readDirectories(parameters: ExplainParameters, reader: DirectoryReader): readonly RequestedDirectory[] {
  const { runtimeDirectoryPreserve = false, exposeDirectories = false, makesMounts = false } = parameters;
  const modes: Partial<Record<DirectoryKind, number>> = {};
  const values: Record<DirectoryKind, readonly string[]> = { runtime: [], state: [], cache: [], logs: [] };
  for (const kind of DIRECTORY_KINDS) {
    values[kind] = parameters[`${kind}Directory`] ?? [];
    const mode = parameters[`${kind}DirectoryMode`];
    if (mode !== undefined) {
      modes[kind] = mode;
    }
  }
  const settings = { modes, preserveRuntime: runtimeDirectoryPreserve, expose: exposeDirectories };
  return directoriesOf(values, settings, makesMounts, reader);
}
