/**
 * How many descriptors this process may have, and what they are for. A lease takes two at most: the lock of its UID, if that is one
 * of systemd's, and the process that it follows. What the limit does not hold is refused before anything fails halfway, and connections keep
 * their share whatever is leased.
 */
import { DynuserError } from '../../core/errors.ts';
import { attempt } from '../host-error.ts';
import { ForeignFunction, SLOT } from './libc.ts';

/** Besides leases and connections: log, helpers, directories that are handed over, the runtime's own. */
const SPARE = 256;
export const DESCRIPTORS_PER_LEASE = 2;
/** With fewer connections the daemon is of no use. */
const CONNECTIONS_MIN = 64;
/** If there are fewer than wanted, connections get this part of what is left. */
const SHARE_OF_CONNECTIONS = 4;
/** RLIMIT_NOFILE of asm-generic/resource.h. */
const RLIMIT_NOFILE = 7;
const REMEDY = 'raise the hard limit (LimitNOFILE= of the unit, or ulimit -Hn)';

/** How many connections and leases there may be, as configured. */
export interface Wanted {
  readonly maxConnections: number;
  readonly maxLeases: number;
}

export interface DescriptorPlan {
  /** connections that there may be: what was asked for, or fewer */
  readonly connections: number;
  /** what is left for leases */
  readonly ofLeases: number;
}

/** How many descriptors so many connections take; at most PER_CONNECTION_MAX for each. */
export type ConnectionCost = (connections: number) => number;
/** Two sockets, and on each a place beside that of the connection while it is new. */
const PER_CONNECTION_MAX = 4;

/**
 * @param limit descriptors that this process may have
 * @param leased leases that there are already, and whose UIDs have locks
 * @throws DynuserError LimitReached if what is leased, and a few connections, do not fit
 */
export function planDescriptors(
  limit: number,
  leased: number,
  { maxConnections: connections, maxLeases }: Wanted,
  cost: ConnectionCost,
): DescriptorPlan {
  const costLeast = cost(CONNECTIONS_MIN);
  const least = SPARE + costLeast + DESCRIPTORS_PER_LEASE * (leased + 1);
  if (limit < least) {
    throw new DynuserError(
      'LimitReached',
      `descriptors: this process may have ${limit}, and with ${leased} leases needs ${least} at least; ${REMEDY}`,
    );
  }
  const left = limit - SPARE - DESCRIPTORS_PER_LEASE * (leased + 1);
  const wantsAll = left - cost(connections) >= DESCRIPTORS_PER_LEASE * Math.max(0, maxLeases - leased);
  const share = Math.max(costLeast, Math.floor(left / SHARE_OF_CONNECTIONS));
  const given = wantsAll || cost(connections) <= share ? connections : Math.floor(share / PER_CONNECTION_MAX);
  return { connections: given, ofLeases: limit - SPARE - cost(given) };
}

/**
 * Raises the limit as far as it is of use and allowed.
 * @param leased leases that there are already, and whose UIDs have locks: others may follow a process, but few do of very many
 * @throws DynuserError LimitReached, as planDescriptors() has it; HostFailed
 */
export function reserveDescriptors(leased: number, wants: Wanted, cost: ConnectionCost): DescriptorPlan {
  const wanted = SPARE + cost(wants.maxConnections) + DESCRIPTORS_PER_LEASE * (Math.max(leased, wants.maxLeases) + 1);
  const limit = attempt('descriptors: the limit cannot be read', () => raiseDescriptorLimit(wanted));
  return planDescriptors(limit, leased, wants, cost);
}

/** What a request is told if its lease would be one too many. */
export function leasesPastLimit(ofLeases: number): string {
  const leases = Math.floor(ofLeases / DESCRIPTORS_PER_LEASE);
  return `the descriptors of dynuserd are enough for ${leases} leases: release some; or ${REMEDY}, and restart dynuserd`;
}

/**
 * Raises how many files this process may have open (getrlimit(2)); a limit that is high enough is left as it is, and one that
 * this process may not raise is raised as far as it may.
 * @param wanted how many are of use
 * @returns how many there may be now
 * @throws Error the system's
 */
export function raiseDescriptorLimit(wanted: number): number {
  const limits = Buffer.alloc(2 * SLOT);
  const call = (name: string) => new ForeignFunction(name, ['int32', 'pointer']).call(RLIMIT_NOFILE, limits);
  const set = (soft: bigint, hard: bigint): void => {
    limits.writeBigUInt64LE(soft, 0);
    limits.writeBigUInt64LE(hard, SLOT);
    call('setrlimit');
  };
  call('getrlimit');
  const hard = limits.readBigUInt64LE(SLOT);
  const enough = BigInt(wanted);
  if (limits.readBigUInt64LE(0) < enough) {
    try {
      set(enough, hard < enough ? enough : hard);
    } catch {
      // EPERM: without CAP_SYS_RESOURCE, or past fs.nr_open. What is allowed is taken.
      set(hard, hard);
    }
    call('getrlimit');
  }
  return Number(limits.readBigUInt64LE(0));
}
