/** The parameters of Acquire and Explain, from the types of the wire into those of the allocator. */

import type { Directories } from '../allocator/directory-ports.ts';
import type { AcquireRequest, UserRequest } from '../allocator/request.ts';
import {
  DIRECTORY_KINDS,
  type DirectoryKind,
  type DirectoryRequest,
  type DirectorySettings,
  type RequestedDirectory,
} from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import { asPid, type Pid, type UnitName, type UserName } from '../core/ids.ts';
import { readTerms } from '../core/lease.ts';
import { keptProcess } from '../core/lifetime.ts';
import { DIRECTORIES_MAX, DIRECTORY_BYTES_MAX } from '../core/limits.ts';
import { parseUnitName, parseUserName } from '../core/name.ts';
import { invalidParameter } from '../varlink/errors.ts';
import type { Json, JsonObject } from '../varlink/json.ts';

export type DirectoryReader = Pick<Directories, 'requested'>;

/** @throws DynuserError InvalidName, DirectoryFailed, LimitReached; VarlinkError InvalidParameter */
export function readAcquire(parameters: JsonObject, reader: DirectoryReader): AcquireRequest {
  const read = readTerms({ ...parameters, lifetime: parameters['lifetime'] ?? 'connection' });
  if ('reason' in read) {
    throw new DynuserError('InvalidName', read.reason, { field: read.field });
  }
  const pid = readPid(parameters['pid'], keptProcess(read.terms.lifetime) === 'bound');
  return {
    ...read.terms,
    ...readUser(parameters, reader),
    ...(pid === undefined ? {} : { pid }),
    cleanup: { processes: parameters['killProcesses'] !== false, ipc: parameters['removeIPC'] !== false },
    // Objects of an account are the host's: only who says so has them removed.
    removesAccountIpc: parameters['removeIPC'] === true,
  };
}

/** @throws DynuserError InvalidName, DirectoryFailed, LimitReached */
export function readUser(parameters: JsonObject, reader: DirectoryReader): UserRequest {
  const userName = parameters['userName'] ?? undefined;
  return {
    unit: unitNameOf(String(parameters['unit'])),
    ...(userName === undefined ? {} : { userName: userNameOf(String(userName)) }),
    perInstance: parameters['perInstance'] === true,
    directories: readDirectories(parameters, reader),
    makesMounts: parameters['makesMounts'] === true,
    verify: parameters['verify'] === true,
  };
}

/** @throws DynuserError InvalidName */
export function unitNameOf(text: string): UnitName {
  const parsed = parseUnitName(text);
  if (!('unit' in parsed)) {
    throw new DynuserError('InvalidName', parsed.reason, { field: 'unit' });
  }
  return parsed.unit;
}

/** @throws DynuserError InvalidName */
export function userNameOf(text: string): UserName {
  const parsed = parseUserName(text);
  if (!('name' in parsed)) {
    throw new DynuserError('InvalidName', parsed.reason, { field: 'userName' });
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
function readPid(value: Json | undefined, isUsed: boolean): Pid | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  const pid = asPid(Number(value));
  if (pid === undefined || !isUsed) {
    throw invalidParameter('pid');
  }
  return pid;
}

function readDirectories(parameters: JsonObject, reader: DirectoryReader): readonly RequestedDirectory[] {
  const modes: Partial<Record<DirectoryKind, number>> = {};
  const values: Record<DirectoryKind, readonly string[]> = { runtime: [], state: [], cache: [], logs: [] };
  for (const kind of DIRECTORY_KINDS) {
    const value = parameters[`${kind}Directory`];
    values[kind] = Array.isArray(value) ? value.map(String) : [];
    const mode = parameters[`${kind}DirectoryMode`] ?? undefined;
    if (mode !== undefined) {
      modes[kind] = Number(mode);
    }
  }
  const settings = {
    modes,
    preserveRuntime: parameters['runtimeDirectoryPreserve'] === true,
    expose: parameters['exposeDirectories'] === true,
  };
  return directoriesOf(values, settings, parameters['makesMounts'] === true, reader);
}
