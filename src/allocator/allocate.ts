/**
 * Acquire: joins the live user of a name, makes a dynamic one, or uses the host's static user. A UID is given out only
 * after lock, probe and durable write have all succeeded; what fails on the way is taken back at the end of its scope.
 */
import { firstFailure } from '../core/errors.ts';
import type { UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { deriveUserName } from '../core/name.ts';
import { checkJoin, hostAccount } from './choose-user.ts';
import { HeldUid, type HeldUidDeps } from './held-uid.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import { type Acquired, type LeaseDeps, type PendingLease, prepareLease } from './lease.ts';
import { confirmUser, type LossDeps, lostConflict } from './losses.ts';
import { NameLookup } from './name-lookup.ts';
import type { NameCache, Probes, UidLocks } from './ports.ts';
import { rangeExhausted } from './refusals.ts';
import type { AcquireRequest, LeaseOwner } from './request.ts';
import { checkLimits, type LeaseCapacity, RequestsUnderWay } from './request-limits.ts';
import { examineUid, type SearchDeps, searchUids } from './search.ts';
import { writeLease } from './write-lease.ts';

export interface AllocatorDeps extends LeaseDeps, Omit<SearchDeps, keyof LeaseDeps>, HeldUidDeps {
  readonly onLost: LossDeps['onLost'];
  readonly queue: KeyedQueue<UserName>;
  /** what the process has descriptors for; absent: unbounded */
  readonly capacity?: LeaseCapacity;
  readonly probes: Probes;
  readonly locks: UidLocks;
  readonly nameCache: NameCache;
}

export class Allocator {
  readonly #deps: AllocatorDeps;
  readonly #underWay = new RequestsUnderWay();

  constructor(deps: AllocatorDeps) {
    this.#deps = deps;
  }

  /** How many requests are under way, also of callers that have gone. */
  get inFlight(): number {
    return this.#underWay.count;
  }

  /** @throws DynuserError LimitReached if a requester may have no further request or lease now */
  checkLimits(requester: LeaseOwner['requester']): void {
    checkLimits(this.#deps.users, this.#underWay, requester, this.#deps.capacity);
  }

  /** @throws DynuserError NameConflict, NotPermitted, RangeExhausted, ProbeFailed, DirectoryFailed, LimitReached, HostFailed */
  async acquire(request: AcquireRequest, owner: LeaseOwner): Promise<Acquired> {
    this.checkLimits(owner.requester);
    const name = request.userName ?? deriveUserName(request.unit, request.perInstance).name;
    try {
      return await this.#underWay.during(owner.requester, () =>
        this.#deps.queue.run(name, () => this.#allocate(name, request, owner)),
      );
    } catch (error) {
      throw firstFailure(error);
    }
  }

  async #allocate(name: UserName, request: AcquireRequest, owner: LeaseOwner): Promise<Acquired> {
    const { users, teardown, probes } = this.#deps;
    for (let live = users.byName(name); live !== undefined; live = users.byName(name)) {
      const joined = await this.#join(live, request, owner);
      if (joined !== undefined) {
        return joined;
      }
    }
    await teardown.waitFor(name);
    const lookup = new NameLookup(probes.for(owner.requester), name);
    if (request.staticOnly !== true) {
      const made = await this.#makeUser(name, request, owner, lookup).catch((error: unknown) =>
        lookup.comesBefore(error),
      );
      if (made !== undefined) {
        return made;
      }
    }
    return this.#useAccount(await hostAccount(this.#deps, name, owner.requester, lookup), request, owner);
  }

  /** @returns undefined if the user ended before its directories were ready */
  async #join(live: DynamicUser, request: AcquireRequest, owner: LeaseOwner): Promise<Acquired | undefined> {
    const { users } = this.#deps;
    const confirmed = confirmUser(this.#deps, live);
    if (confirmed.lost !== undefined) {
      throw lostConflict(confirmed);
    }
    checkJoin(live, owner.requester);
    await using pending = await prepareLease(this.#deps, live, request, owner);
    const present = users.byName(live.name);
    if (present?.uid !== live.uid) {
      return undefined;
    }
    // Others may have joined it while its directories were made ready.
    checkJoin(present, owner.requester);
    return await this.#add(pending, present);
  }

  /**
   * Searches for a UID before it is known whether the host has the name, which it has not for most: NSS is asked for both.
   * @returns undefined if the host has the name, so that it is not for us to make a user of it
   */
  async #makeUser(
    name: UserName,
    request: AcquireRequest,
    owner: LeaseOwner,
    lookup: NameLookup,
  ): Promise<Acquired | undefined> {
    const { directories, range, users, nameCache } = this.#deps;
    const hasDirectories = request.directories.length > 0;
    using snapshot = hasDirectories ? await directories.inspect(request.directories) : undefined;
    const search = { name, owners: snapshot?.owners ?? [], reserves: true };
    for await (const { uid, evidence } of searchUids(this.#deps, search)) {
      if (evidence !== undefined) {
        continue;
      }
      using held = new HeldUid(this.#deps, uid, name);
      const found = await examineUid(held, uid, lookup);
      if (found === 'known') {
        return undefined;
      }
      if (found !== undefined) {
        continue;
      }
      if (hasDirectories) {
        held.announce();
      }
      await using pending = await prepareLease(this.#deps, held.user, request, owner, snapshot);
      const lease = pending.make();
      const user = held.giveOut(lease);
      const acquired = await pending.written(user, lease);
      if (nameCache.present()) {
        // It may remember that there is no such user: it has to forget before anybody is told that there is one.
        await nameCache.flush();
      }
      pending.answered();
      return acquired;
    }
    throw rangeExhausted(range, users.heldCount);
  }

  async #useAccount(account: DynamicUser, request: AcquireRequest, owner: LeaseOwner): Promise<Acquired> {
    await using pending = await prepareLease(this.#deps, account, request, owner);
    return await this.#add(pending, account);
  }

  /** Gives a user that is there one more lease. The caller awaits it: it disposes of the lease that is pending. */
  async #add(pending: PendingLease, present: DynamicUser): Promise<Acquired> {
    const lease = pending.make();
    const user: DynamicUser = { ...present, leases: [...present.leases, lease] };
    writeLease(this.#deps.registry, user);
    this.#deps.users.put(user);
    const acquired = await pending.written(user, lease);
    pending.answered();
    return acquired;
  }
}
