/** The parameters that Acquire and Explain share, from the wire's types into the house's own. */

import type { Directories, HandoverOptions } from '../allocator/directory-ports.ts';
import type { DirectoryKind, RequestedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import { asPid, type UnitName, type UserName } from '../core/ids.ts';
import { type Cleanup, LIFETIMES, type Lifetime } from '../core/lease.ts';
import { DIRECTORIES_MAX, DIRECTORY_BYTES_MAX } from '../core/limits.ts';
import { parseUnitName, parseUserName } from '../core/name.ts';
import { invalidParameter } from '../varlink/errors.ts';
import type { Json, JsonObject } from '../varlink/json.ts';

export interface NamedRequest extends HandoverOptions {
  readonly unit: UnitName;
  readonly userName?: UserName;
  readonly perInstance: boolean;
  readonly directories: readonly RequestedDirectory[];
}

/** @throws DynuserError InvalidName, DirectoryFailed, LimitReached */
export function readRequest(parameters: JsonObject, room: Pick<Directories, 'requested'>): NamedRequest {
  const unit = parseUnitName(String(parameters['unit']));
  if (!('unit' in unit)) {
    throw new DynuserError('InvalidName', unit.reason, { field: 'unit' });
  }
  const userName = readUserName(parameters['userName']);
  return {
    unit: unit.unit,
    ...(userName === undefined ? {} : { userName }),
    perInstance: parameters['perInstance'] === true,
    directories: readDirectories(parameters, room),
    makesMounts: parameters['makesMounts'] === true,
    verify: parameters['verify'] === true,
  };
}

/** @throws VarlinkError InvalidParameter for a `pid` that is none, or that the lifetime has no use for */
export function readLifetime(parameters: JsonObject): Lifetime {
  const given = parameters['lifetime'] ?? 'connection';
  const lifetime = LIFETIMES.find(known => known === given);
  if (lifetime === undefined) {
    throw invalidParameter('lifetime');
  }
  const pid = parameters['pid'] ?? undefined;
  if (pid !== undefined && (lifetime !== 'process' || asPid(Number(pid)) === undefined)) {
    throw invalidParameter('pid');
  }
  return lifetime;
}

export function readCleanup(parameters: JsonObject): Cleanup {
  return { processes: parameters['killProcesses'] !== false, ipc: parameters['removeIPC'] !== false };
}

function readUserName(value: Json | undefined): UserName | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  const parsed = parseUserName(String(value));
  if (!('name' in parsed)) {
    throw new DynuserError('InvalidName', parsed.reason, { field: 'userName' });
  }
  return parsed.name;
}

function readDirectories(parameters: JsonObject, room: Pick<Directories, 'requested'>): readonly RequestedDirectory[] {
  const modes: Partial<Record<DirectoryKind, number>> = {};
  const values: Record<DirectoryKind, readonly string[]> = { runtime: [], state: [], cache: [], logs: [] };
  for (const kind of ['runtime', 'state', 'cache', 'logs'] as const) {
    values[kind] = readValues(parameters, `${kind}Directory`);
    const mode = parameters[`${kind}DirectoryMode`] ?? undefined;
    if (mode !== undefined) {
      modes[kind] = Number(mode);
    }
  }
  const expose = parameters['exposeDirectories'] === true;
  if (expose && parameters['makesMounts'] === true) {
    const reason = 'a caller that makes mounts needs no exposed directories: ask for one of the two';
    throw new DynuserError('DirectoryFailed', reason, { field: 'exposeDirectories' });
  }
  return room.requested(values, {
    modes,
    preserveRuntime: parameters['runtimeDirectoryPreserve'] === true,
    expose,
  });
}

function readValues(parameters: JsonObject, field: string): readonly string[] {
  const value = parameters[field];
  if (!Array.isArray(value)) {
    return [];
  }
  if (value.length > DIRECTORIES_MAX) {
    throw new DynuserError('LimitReached', `more than ${DIRECTORIES_MAX} directories in one request`, { field });
  }
  return value.map(entry => {
    const text = String(entry);
    if (Buffer.byteLength(text) > DIRECTORY_BYTES_MAX) {
      throw new DynuserError('DirectoryFailed', `a path of more than ${DIRECTORY_BYTES_MAX} bytes`, { field });
    }
    return text;
  });
}
