/** How many requests and leases there may be at a time, how many one peer may have, and how many are kept for root. */
import type { Requester } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import {
  LEASES_MAX,
  LEASES_PER_PEER_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_OF_OTHERS_MAX,
  REQUESTS_PER_PEER_MAX,
  SHARE_OF_OTHERS,
} from '../core/limits.ts';
import type { UserTable } from './user-table.ts';

export function limitReached(reason: string): DynuserError {
  return new DynuserError('LimitReached', reason, { field: 'lease' });
}

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
  /** @returns whether so many requests that are under way, and one more, can each become a lease that takes all it may */
  hasRoom(underWay: number): boolean;
  /** what a request past that is told */
  readonly refusal: string;
}

/** How many leases there may be. Read at each use, so that it may change. */
export interface LeaseLimits {
  readonly maxLeases: number;
  /** of one UID other than root */
  readonly maxLeasesPerUser: number;
}

const STANDARD_LIMITS: LeaseLimits = { maxLeases: LEASES_MAX, maxLeasesPerUser: LEASES_PER_PEER_MAX };

/** @throws DynuserError LimitReached */
export function checkLimits(
  users: UserTable,
  underWay: RequestsUnderWay,
  requester: Requester,
  capacity?: LeaseCapacity,
  { maxLeases, maxLeasesPerUser } = STANDARD_LIMITS,
): void {
  if (capacity !== undefined && !capacity.hasRoom(underWay.count)) {
    throw limitReached(capacity.refusal);
  }
  if (underWay.count >= REQUESTS_IN_FLIGHT_MAX) {
    throw limitReached(`${REQUESTS_IN_FLIGHT_MAX} requests are under way; try again`);
  }
  if (users.leaseCount + underWay.count >= maxLeases) {
    throw limitReached(`${maxLeases} leases are held already; release some, or raise MaxLeases=`);
  }
  if (requester.isRoot) {
    return;
  }
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
  if (users.leasesOf(uid) + own >= maxLeasesPerUser) {
    throw limitReached(
      `the user ${uid} holds ${maxLeasesPerUser} leases already; release some, or raise MaxLeasesPerUser=`,
    );
  }
  const ofOthers = Math.floor(maxLeases * SHARE_OF_OTHERS);
  if (users.leaseCount - users.leasesOf(0 as typeof uid) + underWay.ofOthers >= ofOthers) {
    throw limitReached(`users other than root hold ${ofOthers} leases already, and the rest is root's; release some`);
  }
}
