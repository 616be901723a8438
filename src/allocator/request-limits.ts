/** How many requests and leases there may be at a time, how many one peer may have, and how many are kept for root. */
import type { Requester } from '../core/access.ts';
import {
  LEASES_MAX,
  LEASES_OF_OTHERS_MAX,
  LEASES_PER_PEER_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_OF_OTHERS_MAX,
  REQUESTS_PER_PEER_MAX,
} from '../core/limits.ts';
import { limitReached } from './refusals.ts';
import type { UserTable } from './user-table.ts';

/** The requests that are under way, each of which may become a lease. */
export class RequestsUnderWay {
  readonly #others = new Map<number, number>();
  #count = 0;
  #ofOthers = 0;

  get count(): number {
    return this.#count;
  }

  get ofOthers(): number {
    return this.#ofOthers;
  }

  /** How many one UID has; of root of this host it is not counted. */
  of({ uid, isRoot }: Requester): number {
    return isRoot ? 0 : (this.#others.get(uid) ?? 0);
  }

  /** Counts a request while it is under way. */
  async during<Result>(requester: Requester, task: () => Promise<Result>): Promise<Result> {
    this.#change(requester, 1);
    try {
      return await task();
    } finally {
      this.#change(requester, -1);
    }
  }

  #change({ uid, isRoot }: Requester, by: 1 | -1): void {
    this.#count += by;
    if (isRoot) {
      return;
    }
    this.#ofOthers += by;
    const count = (this.#others.get(uid) ?? 0) + by;
    if (count === 0) {
      this.#others.delete(uid);
    } else {
      this.#others.set(uid, count);
    }
  }
}

/** How many leases the process has descriptors for. */
export interface LeaseCapacity {
  readonly leases: number;
  /** what a request past that is told */
  readonly refusal: string;
}

/** @throws DynuserError LimitReached */
export function checkLimits(
  users: UserTable,
  underWay: RequestsUnderWay,
  requester: Requester,
  capacity?: LeaseCapacity,
): void {
  if (capacity !== undefined && users.leaseCount + underWay.count >= capacity.leases) {
    throw limitReached(capacity.refusal);
  }
  if (underWay.count >= REQUESTS_IN_FLIGHT_MAX) {
    throw limitReached(`${REQUESTS_IN_FLIGHT_MAX} requests are under way; try again`);
  }
  if (users.leaseCount + underWay.count >= LEASES_MAX) {
    throw limitReached(`${LEASES_MAX} leases are held already; release some`);
  }
  if (!requester.isRoot) {
    checkOthers(users, underWay, requester);
  }
}

function checkOthers(users: UserTable, underWay: RequestsUnderWay, requester: Requester): void {
  const { uid } = requester;
  const own = underWay.of(requester);
  if (own >= REQUESTS_PER_PEER_MAX) {
    throw limitReached(
      `${REQUESTS_PER_PEER_MAX} requests of the user ${uid} are under way; wait for the answer to one`,
    );
  }
  if (underWay.ofOthers >= REQUESTS_OF_OTHERS_MAX) {
    throw limitReached(`${REQUESTS_OF_OTHERS_MAX} requests of users other than root are under way; try again`);
  }
  if (users.leasesOf(uid) + own >= LEASES_PER_PEER_MAX) {
    throw limitReached(`the user ${uid} holds ${LEASES_PER_PEER_MAX} leases already; release some`);
  }
  if (users.leaseCount - users.leasesOf(0 as typeof uid) + underWay.ofOthers >= LEASES_OF_OTHERS_MAX) {
    throw limitReached(
      `users other than root hold ${LEASES_OF_OTHERS_MAX} leases already, and the rest is root's; release some`,
    );
  }
}
