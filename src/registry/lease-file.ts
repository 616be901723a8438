/**
 * The text of a lease file: one JSON object, versioned. It is written by this daemon alone, below a directory that only
 * root can enter, and is checked all the same when it is read: a torn or foreign file must not become a user.
 */
import { DIRECTORY_KINDS, HANDOVER_KINDS, type LeasedDirectory } from '../core/directory.ts';
import { asGid, asLeaseId, asPid, asUid } from '../core/ids.ts';
import { type Cleanup, type DynamicUser, type Lease, readTerms } from '../core/lease.ts';
import { fitsLifetime } from '../core/lifetime.ts';
import { HELD_DIRECTORIES_MAX, LEASES_PER_USER_MAX } from '../core/limits.ts';
import { parseUserName } from '../core/name.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';

const VERSION = 1;

export function encodeLease(user: DynamicUser): string {
  const { leases, ...rest } = user;
  const holders = leases.map(({ id, ...lease }) => ({ lease: id, ...lease }));
  return `${JSON.stringify({ version: VERSION, ...rest, holders })}\n`;
}

/** @returns the user, or undefined if the text is not a lease file of this version, whole and in bounds */
export function decodeLease(text: string): DynamicUser | undefined {
  const file = parseObject(text);
  if (file === undefined || file['version'] !== VERSION || typeof file['dynamic'] !== 'boolean') {
    return undefined;
  }
  const uid = asUid(Number(file['uid']));
  const gid = asGid(Number(file['gid']));
  const parsed = parseUserName(String(file['name']));
  const leases = decodeHolders(file['holders']);
  if (uid === undefined || gid === undefined || !('name' in parsed) || leases === undefined) {
    return undefined;
  }
  const lost = file['lost'];
  if (lost !== undefined && (typeof lost !== 'string' || lost === '')) {
    return undefined;
  }
  return { uid, gid, name: parsed.name, dynamic: file['dynamic'], leases, ...(lost === undefined ? {} : { lost }) };
}

function decodeHolders(value: unknown): readonly Lease[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > LEASES_PER_USER_MAX) {
    return undefined;
  }
  const leases = value.map(decodeHolder);
  return leases.every(lease => lease !== undefined) ? leases : undefined;
}

function decodeHolder(value: unknown): Lease | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const id = asLeaseId(String(value['lease']));
  const read = readTerms(value);
  const pid = value['pid'] === undefined ? undefined : asPid(Number(value['pid']));
  const owner = asUid(Number(value['owner']));
  const since = value['since'];
  const directories = decodeDirectories(value['directories']);
  const cleanup = decodeCleanup(value['cleanup']);
  const process = decodeProcess(value['process']);
  if (
    id === undefined ||
    'reason' in read ||
    (pid === undefined) !== (value['pid'] === undefined) ||
    owner === undefined ||
    typeof since !== 'number' ||
    directories === undefined ||
    cleanup === undefined ||
    !fitsLifetime(read.terms.lifetime, process !== undefined)
  ) {
    return undefined;
  }
  return { id, ...read.terms, pid, ...(process === undefined ? {} : { process }), owner, since, directories, cleanup };
}

function decodeProcess(value: unknown): ProcessIdentity | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const { boot, startTime, inode } = value;
  const pid = asPid(Number(value['pid']));
  if (
    typeof boot !== 'string' ||
    pid === undefined ||
    (startTime !== undefined && typeof startTime !== 'number') ||
    (inode !== undefined && typeof inode !== 'string') ||
    (startTime === undefined && inode === undefined)
  ) {
    return undefined;
  }
  return { boot, pid, startTime, inode };
}

function decodeDirectories(value: unknown): readonly LeasedDirectory[] | undefined {
  if (!Array.isArray(value) || value.length > HELD_DIRECTORIES_MAX) {
    return undefined;
  }
  const directories = value.map(decodeDirectory);
  return directories.every(directory => directory !== undefined) ? directories : undefined;
}

function decodeDirectory(value: unknown): LeasedDirectory | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const kind = DIRECTORY_KINDS.find(known => known === value['kind']);
  const handover = HANDOVER_KINDS.find(known => known === value['handover']);
  const { source, publicPath, preserved, aliases } = value;
  if (
    kind === undefined ||
    handover === undefined ||
    typeof source !== 'string' ||
    typeof publicPath !== 'string' ||
    typeof preserved !== 'boolean' ||
    !Array.isArray(aliases) ||
    !aliases.every(alias => typeof alias === 'string')
  ) {
    return undefined;
  }
  // Absent in files of a time that knew no exposed ones.
  return { kind, source, publicPath, handover, preserved, exposed: value['exposed'] === true, aliases };
}

function decodeCleanup(value: unknown): Cleanup | undefined {
  if (!isObject(value) || typeof value['processes'] !== 'boolean' || typeof value['ipc'] !== 'boolean') {
    return undefined;
  }
  const accountIpc = value['accountIpc'] === undefined ? undefined : asGid(Number(value['accountIpc']));
  if (accountIpc === undefined && value['accountIpc'] !== undefined) {
    return undefined;
  }
  return {
    processes: value['processes'],
    ipc: value['ipc'],
    ...(accountIpc === undefined ? {} : { accountIpc }),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON: the caller sets the file aside, which is all that can be done with it.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
