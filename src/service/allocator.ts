/**
 * Acquire: joins the live user of a name, uses the host's static user of it, or makes a dynamic one. A UID is given out
 * only after lock, probe and durable write have all succeeded; whatever fails on the way takes back its own steps.
 */
import { type Candidate, candidates } from '../core/candidates.ts';
import { DynuserError } from '../core/errors.ts';
import type { Gid, Pid, Uid, UnitName, UserName } from '../core/ids.ts';
import type { Holder, Lifetime, UserLease } from '../core/lease.ts';
import {
  HOLDERS_MAX,
  HOLDERS_PER_PEER_MAX,
  HOLDERS_PER_USER_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  SEARCH_DEADLINE_MS,
} from '../core/limits.ts';
import { deriveUserName } from '../core/name.ts';
import { rangeSize, type UidRange } from '../core/range.ts';
import { decideAccount, nameConflict } from './account.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import type { Clock, DirectoryOwners, DirectoryRequest, Probe, Randomness, Registry, UidLocks } from './ports.ts';
import type { Reservations } from './reservations.ts';
import type { UserTable } from './user-table.ts';

export interface AcquireRequest {
  readonly unit: UnitName;
  readonly userName?: UserName;
  readonly perInstance: boolean;
  readonly lifetime: Lifetime;
  readonly pid: Pid | undefined;
  readonly owner: Uid;
  readonly directories: DirectoryRequest;
  /** whether the caller is gone, so that nobody would learn of the lease */
  readonly abandoned: () => boolean;
}

export interface Acquired {
  readonly user: UserLease;
  readonly holder: Holder;
}

export interface AllocatorParts {
  readonly range: UidRange;
  readonly users: UserTable;
  readonly queue: KeyedQueue<UserName>;
  readonly reservations: Reservations;
  readonly probe: Probe;
  readonly locks: UidLocks;
  readonly registry: Registry;
  readonly owners: DirectoryOwners;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export class Allocator {
  readonly #parts: AllocatorParts;
  #inFlight = 0;

  constructor(parts: AllocatorParts) {
    this.#parts = parts;
  }

  /** @throws DynuserError NameConflict, RangeExhausted, ProbeFailed, LimitReached, HostFailed; nothing is left then */
  async acquire(request: AcquireRequest): Promise<Acquired> {
    this.#checkLimits(request);
    const name = request.userName ?? deriveUserName(request.unit, request.perInstance).name;
    this.#inFlight++;
    try {
      return await this.#parts.queue.run(name, () => this.#acquireNamed(name, request));
    } finally {
      this.#inFlight--;
    }
  }

  async #acquireNamed(name: UserName, request: AcquireRequest): Promise<Acquired> {
    const { users, probe, range, locks } = this.#parts;
    const live = users.byName(name);
    if (live !== undefined) {
      return this.#join(live, request);
    }
    const decision = decideAccount(name, await probe.account(name), range, locks);
    switch (decision.kind) {
      case 'conflict':
        throw nameConflict(decision.reason);
      case 'static':
        return this.#useStatic(name, decision.uid, decision.gid, request);
      case 'dynamic':
        return this.#search(name, request);
    }
  }

  #join(live: UserLease, request: AcquireRequest): Acquired {
    if (live.holders.length >= HOLDERS_PER_USER_MAX) {
      throw new DynuserError('LimitReached', `the user ${live.name} has ${HOLDERS_PER_USER_MAX} leases already`, {
        field: 'userName',
      });
    }
    refuseAbandoned(request);
    const holder = this.#holder(request);
    const user: UserLease = { ...live, holders: [...live.holders, holder] };
    this.#parts.registry.intend(user);
    this.#parts.registry.commit(user);
    this.#parts.users.put(user);
    return { user, holder };
  }

  #useStatic(name: UserName, uid: Uid, gid: Gid, request: AcquireRequest): Acquired {
    refuseAbandoned(request);
    const holder = this.#holder(request);
    const user: UserLease = { uid, gid, name, dynamic: false, holders: [holder] };
    this.#parts.registry.intend(user);
    this.#parts.registry.commit(user);
    this.#parts.users.put(user);
    return { user, holder };
  }

  async #search(name: UserName, request: AcquireRequest): Promise<Acquired> {
    const { owners, range, randomness, clock, users, reservations } = this.#parts;
    const deadline = clock.monotonic() + SEARCH_DEADLINE_MS;
    const draw = { start: randomness.uint32(), stride: randomness.uint32() };
    const found = owners.owners(request.directories);
    let order: Iterable<Pick<Candidate, 'uid'>> = candidates(found, name, range, draw);
    for (;;) {
      const contested: Pick<Candidate, 'uid'>[] = [];
      for (const { uid } of order) {
        if (users.dynamicByUid(uid) !== undefined) {
          continue;
        }
        if (reservations.has(uid)) {
          contested.push({ uid });
          continue;
        }
        const acquired = await reservations.during(uid, () => this.#try(uid, name, request));
        if (acquired !== undefined) {
          return acquired;
        }
        if (clock.monotonic() > deadline) {
          throw new DynuserError('ProbeFailed', `no free UID was found within ${SEARCH_DEADLINE_MS / 1000} s`, {
            field: 'unit',
          });
        }
      }
      if (contested.length === 0) {
        throw rangeExhausted(range, users.dynamicCount);
      }
      // A UID that another request is trying is free again if that one fails: it decides whether the range is full.
      await reservations.settled(contested.map(candidate => candidate.uid));
      order = contested;
    }
  }

  /** Steps 1 to 5 for one UID. @returns undefined where the UID is not free, with every step taken back */
  async #try(uid: Uid, name: UserName, request: AcquireRequest): Promise<Acquired | undefined> {
    const { registry, locks, probe, users } = this.#parts;
    const holder = this.#holder(request);
    const user: UserLease = { uid, gid: uid as number as Gid, name, dynamic: true, holders: [holder] };
    let kept = false;
    try {
      registry.intend(user);
      if (locks.lock(uid, name).kind !== 'locked' || (await probe.evidence(uid)) !== undefined) {
        return undefined;
      }
      refuseAbandoned(request);
      registry.publish(user);
      registry.commit(user);
      kept = true;
      users.put(user);
      return { user, holder };
    } finally {
      if (!kept) {
        registry.unpublish(user);
        locks.release(uid);
        registry.forget(user);
      }
    }
  }

  #holder(request: AcquireRequest): Holder {
    const { randomness, clock } = this.#parts;
    const { runtime, state, cache, logs } = request.directories;
    return {
      lease: randomness.leaseId(),
      unit: request.unit,
      lifetime: request.lifetime,
      pid: request.pid,
      owner: request.owner,
      since: clock.now(),
      directories: [...runtime, ...state, ...cache, ...logs],
    };
  }

  #checkLimits(request: AcquireRequest): void {
    const { users } = this.#parts;
    if (this.#inFlight >= REQUESTS_IN_FLIGHT_MAX) {
      throw limitReached(`${REQUESTS_IN_FLIGHT_MAX} requests are under way: try again`);
    }
    if (users.holderCount + this.#inFlight >= HOLDERS_MAX) {
      throw limitReached(`${HOLDERS_MAX} leases are held already: release some`);
    }
    if (request.owner !== 0 && users.holdersOf(request.owner) + this.#inFlight >= HOLDERS_PER_PEER_MAX) {
      throw limitReached(`the user ${request.owner} holds ${HOLDERS_PER_PEER_MAX} leases already: release some`);
    }
  }
}

export function rangeExhausted(range: UidRange, held: number): DynuserError {
  const size = rangeSize(range);
  const others = held < size ? ' and the rest is used by others' : '';
  const reason =
    `no UID of ${range.first}-${range.last} is free: ${held} of ${size} are held here${others}; ` +
    'release users that are not needed, or widen UidRange=';
  return new DynuserError('RangeExhausted', reason, { held });
}

function limitReached(reason: string): DynuserError {
  return new DynuserError('LimitReached', reason, { field: 'lease' });
}

function refuseAbandoned(request: AcquireRequest): void {
  if (request.abandoned()) {
    throw limitReached('the caller has gone before it was answered');
  }
}
