/** The parameters that Acquire and Explain share, from the wire's types into the house's own. */
import { DynuserError } from '../core/errors.ts';
import type { UnitName, UserName } from '../core/ids.ts';
import { DIRECTORIES_MAX, DIRECTORY_BYTES_MAX } from '../core/limits.ts';
import { parseUnitName, parseUserName } from '../core/name.ts';
import { parseDirectoryValue } from '../directories/value.ts';
import type { DirectoryRequest } from '../service/ports.ts';
import { invalidParameter } from '../varlink/errors.ts';
import type { Json, JsonObject } from '../varlink/json.ts';

export interface NamedRequest {
  readonly unit: UnitName;
  readonly userName?: UserName;
  readonly perInstance: boolean;
  readonly directories: DirectoryRequest;
}

/** @throws DynuserError InvalidName, DirectoryFailed, LimitReached */
export function readRequest(parameters: JsonObject): NamedRequest {
  const unit = parseUnitName(String(parameters['unit']));
  if (!('unit' in unit)) {
    throw new DynuserError('InvalidName', unit.reason, { field: 'unit' });
  }
  const userName = readUserName(parameters['userName']);
  return {
    unit: unit.unit,
    ...(userName === undefined ? {} : { userName }),
    perInstance: parameters['perInstance'] === true,
    directories: {
      runtime: readDirectories(parameters, 'runtimeDirectory'),
      state: readDirectories(parameters, 'stateDirectory'),
      cache: readDirectories(parameters, 'cacheDirectory'),
      logs: readDirectories(parameters, 'logsDirectory'),
    },
  };
}

/** The lifetimes that this daemon can watch over. @throws VarlinkError InvalidParameter for the others */
export function readLifetime(parameters: JsonObject): 'connection' | 'explicit' {
  const lifetime = parameters['lifetime'] ?? 'connection';
  if (lifetime !== 'connection' && lifetime !== 'explicit') {
    throw invalidParameter('lifetime');
  }
  if ((parameters['pid'] ?? undefined) !== undefined) {
    // It names the process of a `process` lifetime, and has no meaning with these.
    throw invalidParameter('pid');
  }
  return lifetime;
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

function readDirectories(parameters: JsonObject, field: string): readonly string[] {
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
    const parsed = parseDirectoryValue(text);
    if (typeof parsed === 'string') {
      throw new DynuserError('DirectoryFailed', parsed, { field });
    }
    return text;
  });
}
