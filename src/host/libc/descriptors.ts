/**
 * How many descriptors this process may have, and what they are for. A lease takes two, its lock and the process that it
 * follows. What the limit does not hold is refused before anything fails halfway, and connections keep
 * their share whatever is leased.
 */
import { readdirSync } from 'node:fs';
import { DynuserError } from '../../core/errors.ts';
import { LEASES_MAX } from '../../core/limits.ts';
import { hasCode } from '../../files/pinned-directory.ts';
import { hostError } from '../host-error.ts';
import { raiseDescriptorLimit } from './libc.ts';

/** Beside leases and connections: log, helpers, directories that change hands, the runtime's own. */
const SPARE = 256;
const PER_LEASE = 2;
/** With fewer connections the daemon is of no use. */
const CONNECTIONS_MIN = 64;
/** Where there are fewer than wanted, connections have this part of what is left. */
const SHARE_OF_CONNECTIONS = 4;
const REMEDY = 'raise the hard limit (LimitNOFILE= of the unit, or ulimit -Hn)';

export interface DescriptorPlan {
  /** connections that there may be: what was asked for, or fewer */
  readonly connections: number;
  /** leases that there may be */
  readonly leases: number;
}

/** How many descriptors so many connections take; at most PER_CONNECTION_MAX for each. */
export type ConnectionCost = (connections: number) => number;
/** Two sockets, and on each a place beside that of the connection while it is new. */
const PER_CONNECTION_MAX = 4;

/**
 * @param limit descriptors that this process may have
 * @param leased leases that there are already
 * @param connections how many are wanted
 * @throws DynuserError LimitReached if what is leased, and a few connections, do not fit
 */
export function planDescriptors(
  limit: number,
  leased: number,
  connections: number,
  cost: ConnectionCost,
): DescriptorPlan {
  const costLeast = cost(CONNECTIONS_MIN);
  const least = SPARE + costLeast + PER_LEASE * (leased + 1);
  if (limit < least) {
    throw new DynuserError(
      'LimitReached',
      `descriptors: this process may have ${limit}, and with ${leased} leases needs ${least} at least; ${REMEDY}`,
    );
  }
  const left = limit - SPARE - PER_LEASE * (leased + 1);
  const wantsAll = left - cost(connections) >= PER_LEASE * Math.max(0, LEASES_MAX - leased);
  const share = Math.max(costLeast, Math.floor(left / SHARE_OF_CONNECTIONS));
  const given = wantsAll || cost(connections) <= share ? connections : Math.floor(share / PER_CONNECTION_MAX);
  return { connections: given, leases: Math.floor((limit - SPARE - cost(given)) / PER_LEASE) };
}

/**
 * Raises the limit as far as it is of use and allowed.
 * @param leases the directory of the lease files, which may be missing
 * @throws DynuserError LimitReached, as planDescriptors() has it; HostFailed
 */
export function reserveDescriptors(leases: string, connections: number, cost: ConnectionCost): DescriptorPlan {
  const leased = countEntries(leases);
  try {
    const wanted = SPARE + cost(connections) + PER_LEASE * (Math.max(leased, LEASES_MAX) + 1);
    return planDescriptors(raiseDescriptorLimit(wanted), leased, connections, cost);
  } catch (error) {
    throw error instanceof DynuserError ? error : hostError(error, 'descriptors: the limit cannot be read');
  }
}

/** What a request is told that would be the one too many. */
export function leasesPastLimit(leases: number): string {
  return `the descriptors of dynuserd are enough for ${leases} leases: release some; or ${REMEDY}, and restart dynuserd`;
}

function countEntries(directory: string): number {
  try {
    return readdirSync(directory).length;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return 0;
    }
    throw hostError(error, `cannot read ${directory}`);
  }
}
