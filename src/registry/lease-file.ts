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
  try {
    return userOf(JSON.parse(text));
  } catch (error) {
    // The caller sets the file aside, which is all that can be done with it.
    if (error instanceof NotALease || error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** Something in a file is not as this daemon writes it. All functions below throw this; decodeLease() catches it. */
class NotALease extends Error {}

function userOf(value: unknown): DynamicUser {
  const file = fieldsOf(value);
  const leases = listOf(file['holders'], LEASES_PER_USER_MAX + MEMBERSHIPS_PER_GROUP_MAX, leaseOf);
  const memberships = leases.filter(({ member }) => member !== undefined).length;
  const own = leases.length - memberships;
  const isInBounds = leases.length > 0 && own <= LEASES_PER_USER_MAX && memberships <= MEMBERSHIPS_PER_GROUP_MAX;
  if (file['version'] !== VERSION || !isInBounds) {
    refuse();
  }
  const [uid, gid, name, dynamic] = [
    uidOf(file['uid']),
    gidOf(file['gid']),
    nameOf(file['name']),
    booleanOf(file['dynamic']),
  ];
  const packetRules = optional(file['packetRules'], rules => readPacketRules(rules) ?? refuse());
  const lost = optional(file['lost'], text => textOf(text) || refuse());
  return {
    ...{ uid, gid, name, dynamic, leases },
    ...(packetRules === undefined ? {} : { packetRules }),
    ...(lost === undefined ? {} : { lost }),
  };
}

function leaseOf(holder: unknown): Lease {
  const fields = fieldsOf(holder);
  const read = readTerms(fields);
  const terms = 'terms' in read ? read.terms : refuse();
  const process = optional(fields['process'], processOf);
  const groups = optional(fields['groups'], value => listOf(value, GROUPS_PER_LEASE_MAX, groupOf));
  const member = optional(fields['member'], membershipOf);
  const runtime = optional(fields['runtime'], runtimeOf);
  const isKept = fitsLifetime(terms.lifetime, process !== undefined);
  if (!isKept || (runtime !== undefined && keptProcess(terms.lifetime) !== 'bound')) {
    refuse();
  }
  return compactLease({
    // First: an object that begins with a spread takes several times as long, see compactLease().
    id: leaseIdOf(fields['lease']),
    ...terms,
    pid: optional(fields['pid'], pidOf),
    owner: uidOf(fields['owner']),
    since: numberOf(fields['since']),
    directories: listOf(fields['directories'], HELD_DIRECTORIES_MAX, directoryOf),
    cleanup: cleanupOf(fields['cleanup']),
    ...(process === undefined ? {} : { process }),
    ...(groups === undefined ? {} : { groups }),
    ...(member === undefined ? {} : { member }),
    ...(runtime === undefined ? {} : { runtime }),
  });
}

function groupOf(value: unknown): LeasedGroup {
  const { name, gid } = fieldsOf(value);
  return { name: nameOf(name), gid: gidOf(gid) };
}

function membershipOf(value: unknown): Membership {
  const { user, lease } = fieldsOf(value);
  return { user: nameOf(user), lease: leaseIdOf(lease) };
}

function runtimeOf(value: unknown): LeasedRuntime {
  const { milliseconds, until, signal, hangup, graceMs, finalSignal } = fieldsOf(value);
  return {
    ...{
      milliseconds: timeOf(milliseconds),
      until: timeOf(until),
      signal: signalOf(signal),
      hangup: booleanOf(hangup),
    },
    ...(graceMs === undefined ? {} : { graceMs: timeOf(graceMs) }),
    ...(finalSignal === undefined ? {} : { finalSignal: signalOf(finalSignal) }),
  };
}

function processOf(value: unknown): ProcessIdentity {
  const { boot, pid, startTime, inode } = fieldsOf(value);
  if (startTime === undefined && inode === undefined) {
    refuse();
  }
  return {
    boot: textOf(boot),
    pid: pidOf(pid),
    startTime: optional(startTime, numberOf),
    inode: optional(inode, textOf),
  };
}

function directoryOf(value: unknown): LeasedDirectory {
  const fields = fieldsOf(value);
  return {
    kind: DIRECTORY_KINDS.find(known => known === fields['kind']) ?? refuse(),
    source: textOf(fields['source']),
    publicPath: textOf(fields['publicPath']),
    handover: HANDOVER_KINDS.find(known => known === fields['handover']) ?? refuse(),
    preserved: booleanOf(fields['preserved']),
    // Files from before there were exposed directories do not have it.
    exposed: fields['exposed'] === true,
    aliases: listOf(fields['aliases'], Number.POSITIVE_INFINITY, textOf),
  };
}

function cleanupOf(value: unknown): Cleanup {
  const { processes, ipc, accountIpc } = fieldsOf(value);
  return {
    ...{ processes: booleanOf(processes), ipc: booleanOf(ipc) },
    ...(accountIpc === undefined ? {} : { accountIpc: gidOf(accountIpc) }),
  };
}

/** The highest number of a signal (signal(7)). */
const SIGNAL_MAX = 64;

const nameOf = (value: unknown) => {
  const parsed = parseUserName(textOf(value));
  return 'name' in parsed ? parsed.name : refuse();
};
const leaseIdOf = (value: unknown) => asLeaseId(textOf(value)) ?? refuse();
const uidOf = (value: unknown) => asUid(numberOf(value)) ?? refuse();
const gidOf = (value: unknown) => asGid(numberOf(value)) ?? refuse();
const pidOf = (value: unknown) => asPid(numberOf(value)) ?? refuse();
const timeOf = (value: unknown) => (numberOf(value) >= 0 ? numberOf(value) : refuse());
const signalOf = (value: unknown) => {
  const signal = numberOf(value);
  return Number.isInteger(signal) && signal >= 1 && signal <= SIGNAL_MAX ? signal : refuse();
};

function optional<Value>(value: unknown, read: (value: unknown) => Value): Value | undefined {
  return value === undefined ? undefined : read(value);
}

function listOf<Entry>(value: unknown, max: number, read: (entry: unknown) => Entry): readonly Entry[] {
  return Array.isArray(value) && value.length <= max ? value.map(read) : refuse();
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : refuse();
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : refuse();
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : refuse();
}

function booleanOf(value: unknown): boolean {
  return typeof value === 'boolean' ? value : refuse();
}

function refuse(): never {
  throw new NotALease();
}
