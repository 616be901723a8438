/**
 * Acquire: joins the live user of a name, uses the host's static user of it, or makes a dynamic one. A UID is given out
 * only after lock, probe and durable write have all succeeded; whatever fails on the way takes back its own steps.
 */
import type { Requester } from '../core/access.ts';
import type { Gid, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { deriveUserName } from '../core/name.ts';
import { type ChoiceDeps, checkJoin, chooseUser } from './choose-user.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import { type Acquired, type AcquireRequest, type LeaseDeps, withLease } from './lease.ts';
import { confirmUser, type LossDeps } from './losses.ts';
import { evidenceOfLock, type NameLookup } from './name-lookup.ts';
import type { AccountsLock, NameCache, Probes, UidLocks } from './ports.ts';
import { checkLimits, type LeaseCapacity, RequestsUnderWay } from './request-limits.ts';
import type { Trial } from './search.ts';
import { writeLease } from './write-lease.ts';

export interface AllocatorDeps
  extends Omit<ChoiceDeps, keyof LeaseDeps | 'locks'>,
    LeaseDeps,
    Pick<LossDeps, 'onLost'> {
  readonly queue: KeyedQueue<UserName>;
  /** what the process has descriptors for; unbounded where absent */
  readonly capacity?: LeaseCapacity;
  readonly probes: Probes;
  readonly locks: UidLocks;
  readonly accounts: AccountsLock;
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
  checkLimits(requester: Requester): void {
    checkLimits(this.#deps.users, this.#underWay, requester, this.#deps.capacity);
  }

  /** @throws DynuserError NameConflict, NotPermitted, RangeExhausted, ProbeFailed, DirectoryFailed, LimitReached, HostFailed */
  async acquire(request: AcquireRequest): Promise<Acquired> {
    const requester = requesterOf(request);
    this.checkLimits(requester);
    const name = request.userName ?? deriveUserName(request.unit, request.perInstance).name;
    return this.#underWay.during(requester, () => this.#deps.queue.run(name, () => this.#acquireNamed(name, request)));
  }

  #acquireNamed(name: UserName, request: AcquireRequest): Promise<Acquired> {
    const { probes, reservations } = this.#deps;
    const requester = requesterOf(request);
    const { directories, staticOnly = false } = request;
    return chooseUser(
      this.#deps,
      probes.for(requester),
      { name, requester, directories, staticOnly },
      {
        confirm: live => confirmUser(this.#deps, live),
        join: live => this.#join(live, request),
        useStatic: account => this.#useStatic(account, request),
        tryUid: (uid, lookup, snapshot) =>
          reservations.during(uid, async () => {
            const seen = snapshot === undefined ? request : { ...request, snapshot };
            const trial = await this.#try(uid, name, seen, lookup);
            return trial === 'known' || 'evidence' in trial ? trial : { made: await this.#flushed(trial.made) };
          }),
      },
    );
  }

  /** A cache may remember that there was no such user: it has to forget before anybody is told that there is one. */
  async #flushed(acquired: Acquired): Promise<Acquired> {
    const { nameCache } = this.#deps;
    if (nameCache.present()) {
      await nameCache.flush();
    }
    return acquired;
  }

  /** @returns undefined where the user ended before its directories were ready */
  async #join(live: DynamicUser, request: AcquireRequest): Promise<Acquired | undefined> {
    return withLease(this.#deps, live, request, (lease, prepared) => {
      const present = this.#deps.users.byName(live.name);
      if (present?.uid !== live.uid) {
        return undefined;
      }
      // Others may have joined it while its directories were made ready.
      checkJoin(present, requesterOf(request));
      const user: DynamicUser = { ...present, leases: [...present.leases, lease] };
      this.#write(user);
      return { user, lease, ...prepared };
    });
  }

  async #useStatic(account: DynamicUser, request: AcquireRequest): Promise<Acquired> {
    return withLease(this.#deps, account, request, (lease, prepared) => {
      const user: DynamicUser = { ...account, leases: [lease] };
      this.#write(user);
      return { user, lease, ...prepared };
    });
  }

  /**
   * Steps 1 to 6 for one UID.
   * @returns why the UID is not free, or that the host has the name, with every step taken back
   */
  async #try(uid: Uid, name: UserName, request: AcquireRequest, lookup: NameLookup): Promise<Trial<Acquired>> {
    const { registry, locks, users, accounts } = this.#deps;
    const intended: DynamicUser = { uid, gid: uid as number as Gid, name, dynamic: true, leases: [] };
    let kept = false;
    const done: (() => void)[] = [];
    try {
      registry.intend(intended);
      const lock = locks.lock(uid, name);
      if (lock.kind !== 'locked') {
        return { evidence: evidenceOfLock(lock) };
      }
      // From the questions about the UID until it resolves as ours, nobody makes an account with that number.
      const unlockAccounts = await accounts.take();
      done.push(unlockAccounts);
      const found = await lookup.check(uid);
      if (found !== undefined) {
        return found === 'known' ? found : { evidence: found };
      }
      if (request.directories.length > 0) {
        // To make them ready may take minutes, in which accounts can be changed: the UID resolves before it.
        done.push(users.announce(intended));
        registry.publish(intended);
        unlockAccounts();
      }
      const made = await withLease(this.#deps, intended, request, (lease, prepared) => {
        const user: DynamicUser = { ...intended, leases: [lease] };
        registry.intend(user);
        registry.publish(user);
        locks.keep(uid);
        registry.commit(user);
        kept = true;
        users.put(user);
        return { user, lease, ...prepared };
      });
      return { made };
    } finally {
      for (const end of done) {
        end();
      }
      if (!kept) {
        registry.unpublish(intended);
        locks.release(uid);
        registry.forget(intended);
      }
    }
  }

  #write(user: DynamicUser): void {
    writeLease(this.#deps.registry, user);
    this.#deps.users.put(user);
  }
}

function requesterOf({ owner, isRoot }: AcquireRequest): Requester {
  return { uid: owner, isRoot };
}
