/** How many requests and references there may be at a time, and how many one peer may have. */
import type { Uid } from '../core/ids.ts';
import { HOLDERS_MAX, HOLDERS_PER_PEER_MAX, REQUESTS_IN_FLIGHT_MAX } from '../core/limits.ts';
import { limitReached } from './refusals.ts';
import type { UserTable } from './user-table.ts';

/**
 * @param inFlight requests that are under way, each of which may become a reference
 * @throws DynuserError LimitReached
 */
export function checkLimits(users: UserTable, inFlight: number, owner: Uid): void {
  if (inFlight >= REQUESTS_IN_FLIGHT_MAX) {
    throw limitReached(`${REQUESTS_IN_FLIGHT_MAX} requests are under way: try again`);
  }
  if (users.holderCount + inFlight >= HOLDERS_MAX) {
    throw limitReached(`${HOLDERS_MAX} leases are held already: release some`);
  }
  if (owner !== 0 && users.holdersOf(owner) + inFlight >= HOLDERS_PER_PEER_MAX) {
    throw limitReached(`the user ${owner} holds ${HOLDERS_PER_PEER_MAX} leases already: release some`);
  }
}
