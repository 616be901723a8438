/**
 * The text of a lease file: one JSON object, versioned. It is written by this daemon alone, below a directory that only
 * root can enter, and is checked all the same when it is read: a torn or foreign file must not become a user.
 */
import { DIRECTORY_KINDS, HANDOVER_KINDS, type LeasedDirectory } from '../core/directory.ts';
import { asGid, asLeaseId, asPid, asUid } from '../core/ids.ts';
import {
  type Cleanup,
  compactLease,
  type DynamicUser,
  fitsLifetime,
  keptProcess,
  type Lease,
  type LeasedGroup,
  type LeasedRuntime,
  type Membership,
  readTerms,
} from '../core/lease.ts';
import {
  GROUPS_PER_LEASE_MAX,
  HELD_DIRECTORIES_MAX,
  LEASES_PER_USER_MAX,
  MEMBERSHIPS_PER_GROUP_MAX,
} from '../core/limits.ts';
import { parseUserName } from '../core/name.ts';
import { readPacketRules } from '../core/packet-rules.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';

const VERSION = 1;

type Fields = Readonly<Record<string, unknown>>;

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
  const uid = asUid(numberOf(file['uid']));
  const gid = asGid(numberOf(file['gid']));
  const parsed = parseUserName(textOf(file['name']));
  const leases = decodeList(file['holders'], LEASES_PER_USER_MAX + MEMBERSHIPS_PER_GROUP_MAX, decodeHolder);
  if (uid === undefined || gid === undefined || !('name' in parsed) || leases === undefined || !fitsBounds(leases)) {
    return undefined;
  }
  const lost = file['lost'];
  if (lost !== undefined && (typeof lost !== 'string' || lost === '')) {
    return undefined;
  }
  const packetRules = file['packetRules'] === undefined ? undefined : readPacketRules(file['packetRules']);
  if (packetRules === undefined && file['packetRules'] !== undefined) {
    return undefined;
  }
  return {
    ...{ uid, gid, name: parsed.name, dynamic: file['dynamic'], leases },
    ...(packetRules === undefined ? {} : { packetRules }),
    ...(lost === undefined ? {} : { lost }),
  };
}

function fitsBounds(leases: readonly Lease[]): boolean {
  const memberships = leases.filter(({ member }) => member !== undefined).length;
  const own = leases.length - memberships;
  return leases.length > 0 && own <= LEASES_PER_USER_MAX && memberships <= MEMBERSHIPS_PER_GROUP_MAX;
}

/** @returns undefined if it is not a list in bounds, or one of its entries is wrong */
function decodeList<Entry>(
  value: unknown,
  max: number,
  decode: (entry: Fields) => Entry | undefined,
): readonly Entry[] | undefined {
  const entries = Array.isArray(value) && value.length <= max ? value : [undefined];
  const decoded = entries.map((entry: unknown) => (isObject(entry) ? decode(entry) : undefined));
  return decoded.every(entry => entry !== undefined) ? decoded : undefined;
}

function decodeHolder(value: Fields): Lease | undefined {
  const id = asLeaseId(textOf(value['lease']));
  const read = readTerms(value);
  const pid = value['pid'] === undefined ? undefined : asPid(numberOf(value['pid']));
  const owner = asUid(numberOf(value['owner']));
  const since = value['since'];
  const directories = decodeList(value['directories'], HELD_DIRECTORIES_MAX, decodeDirectory);
  const cleanup = decodeCleanup(value['cleanup']);
  const process = decodeProcess(value['process']);
  const member = decodeMembership(value['member']);
  const runtime = decodeRuntime(value['runtime']);
  const groups =
    value['groups'] === undefined ? undefined : decodeList(value['groups'], GROUPS_PER_LEASE_MAX, decodeGroup);
  if (
    id === undefined ||
    (groups === undefined) !== (value['groups'] === undefined) ||
    (member === undefined) !== (value['member'] === undefined) ||
    (runtime === undefined) !== (value['runtime'] === undefined) ||
    'reason' in read ||
    (pid === undefined) !== (value['pid'] === undefined) ||
    owner === undefined ||
    typeof since !== 'number' ||
    directories === undefined ||
    cleanup === undefined ||
    !fitsLifetime(read.terms.lifetime, process !== undefined) ||
    (runtime !== undefined && keptProcess(read.terms.lifetime) !== 'bound')
  ) {
    return undefined;
  }
  return compactLease({
    ...{ id, ...read.terms, pid, ...(process === undefined ? {} : { process }), owner, since, directories, cleanup },
    ...(groups === undefined ? {} : { groups }),
    ...(member === undefined ? {} : { member }),
    ...(runtime === undefined ? {} : { runtime }),
  });
}

function decodeGroup(value: Fields): LeasedGroup | undefined {
  const gid = asGid(numberOf(value['gid']));
  const parsed = parseUserName(textOf(value['name']));
  return gid === undefined || !('name' in parsed) ? undefined : { name: parsed.name, gid };
}

function decodeMembership(value: unknown): Membership | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const lease = asLeaseId(textOf(value['lease']));
  const parsed = parseUserName(textOf(value['user']));
  return lease === undefined || !('name' in parsed) ? undefined : { user: parsed.name, lease };
}

/** The highest number of a signal (signal(7)). */
const SIGNAL_MAX = 64;

function decodeRuntime(value: unknown): LeasedRuntime | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const { milliseconds, until, signal, hangup, graceMs, finalSignal } = value;
  const isTime = (one: unknown): one is number => typeof one === 'number' && one >= 0;
  const isSignal = (one: unknown): one is number =>
    Number.isInteger(one) && Number(one) >= 1 && Number(one) <= SIGNAL_MAX;
  if (
    !isTime(milliseconds) ||
    !isTime(until) ||
    !isSignal(signal) ||
    typeof hangup !== 'boolean' ||
    (graceMs !== undefined && !isTime(graceMs)) ||
    (finalSignal !== undefined && !isSignal(finalSignal))
  ) {
    return undefined;
  }
  return {
    ...{ milliseconds, until, signal, hangup },
    ...(graceMs === undefined ? {} : { graceMs }),
    ...(finalSignal === undefined ? {} : { finalSignal }),
  };
}

function decodeProcess(value: unknown): ProcessIdentity | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const { boot, startTime, inode } = value;
  const pid = asPid(numberOf(value['pid']));
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

function decodeDirectory(value: Fields): LeasedDirectory | undefined {
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
  const accountIpc = value['accountIpc'] === undefined ? undefined : asGid(numberOf(value['accountIpc']));
  if (accountIpc === undefined && value['accountIpc'] !== undefined) {
    return undefined;
  }
  return { processes: value['processes'], ipc: value['ipc'], ...(accountIpc === undefined ? {} : { accountIpc }) };
}

function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON: the caller sets the file aside, which is all that can be done with it.
    return undefined;
  }
}

/** @returns what no id is, for what is not a number: a null or a text must not become one */
function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
