/**
 * Acquire: joins the live user of a name, uses the host's static user of it, or makes a dynamic one. A UID is given out
 * only after lock, probe and durable write have all succeeded; whatever fails on the way takes back its own steps.
 */
import { type Candidate, candidates } from '../core/candidates.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import type { Gid, LeaseId, Pid, Uid, UnitName, UserName } from '../core/ids.ts';
import type { Cleanup, Holder, Lifetime, UserLease } from '../core/lease.ts';
import { HOLDERS_PER_USER_MAX, SEARCH_DEADLINE_MS } from '../core/limits.ts';
import { deriveUserName } from '../core/name.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import type { UidRange } from '../core/range.ts';
import { decideAccount, nameConflict, noSuchAccount } from './account.ts';
import type { CoolDown } from './cool-down.ts';
import type { Directories, HandoverProgress, HandoverWishes, PreparedDirectories } from './directory-ports.ts';
import type { Endings } from './endings.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import type { Clock, NameCache, Probe, Randomness, Registry, UidLocks } from './ports.ts';
import { limitReached, rangeExhausted } from './refusals.ts';
import { releaseGone } from './release.ts';
import { checkLimits } from './request-limits.ts';
import type { Reservations } from './reservations.ts';
import type { UserTable } from './user-table.ts';

type UidCandidate = Pick<Candidate, 'uid' | 'origin'>;

export interface AcquireRequest extends HandoverWishes {
  readonly unit: UnitName;
  readonly userName?: UserName;
  readonly perInstance: boolean;
  readonly lifetime: Lifetime;
  readonly pid: Pid | undefined;
  /** lifetime `process`: the process that the reference is bound to */
  readonly process?: ProcessIdentity;
  readonly owner: Uid;
  readonly directories: readonly RequestedDirectory[];
  readonly cleanup: Cleanup;
  /** the user has to be an account of the host: none is made */
  readonly staticOnly?: boolean;
  /** the group of the directories, where it is not the user's own */
  readonly directoryGid?: Gid;
  /** what of the usual isolation the caller goes without, in words */
  readonly missing?: readonly string[];
  /** aborted when the caller is gone, so that nobody would learn of the lease */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: HandoverProgress, user: Pick<UserLease, 'name' | 'uid' | 'gid'>) => void;
}

export interface Acquired extends PreparedDirectories {
  readonly user: UserLease;
  readonly holder: Holder;
}

export interface AllocatorParts {
  readonly range: UidRange;
  readonly users: UserTable;
  readonly queue: KeyedQueue<UserName>;
  readonly reservations: Reservations;
  readonly endings: Endings;
  readonly coolDown: CoolDown;
  readonly probe: Probe;
  readonly locks: UidLocks;
  readonly registry: Registry;
  readonly directories: Directories;
  readonly nameCache: NameCache;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export class Allocator {
  readonly #parts: AllocatorParts;
  #inFlight = 0;

  constructor(parts: AllocatorParts) {
    this.#parts = parts;
  }

  /** How many requests are under way, also of callers that have gone. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** @throws DynuserError NameConflict, RangeExhausted, ProbeFailed, DirectoryFailed, LimitReached, HostFailed */
  async acquire(request: AcquireRequest): Promise<Acquired> {
    checkLimits(this.#parts.users, this.#inFlight, request.owner);
    const name = request.userName ?? deriveUserName(request.unit, request.perInstance).name;
    this.#inFlight++;
    try {
      return await this.#parts.queue.run(name, () => this.#acquireNamed(name, request));
    } finally {
      this.#inFlight--;
    }
  }

  async #acquireNamed(name: UserName, request: AcquireRequest): Promise<Acquired> {
    const { users, probe, range, locks, endings } = this.#parts;
    for (let live = users.byName(name); live !== undefined; live = users.byName(name)) {
      const joined = await this.#join(live, request);
      if (joined !== undefined) {
        return joined;
      }
    }
    await endings.settled(name);
    const staticOnly = request.staticOnly === true;
    const decision = decideAccount(name, await probe.account(name), range, locks, staticOnly);
    switch (decision.kind) {
      case 'conflict':
        throw nameConflict(decision.reason);
      case 'static':
        return this.#useStatic({ name, uid: decision.uid, gid: decision.gid, dynamic: false, holders: [] }, request);
      case 'dynamic':
        if (staticOnly) {
          throw noSuchAccount(name);
        }
        return this.#flushed(await this.#search(name, request));
    }
  }

  /** A cache may remember that there was no such user: it has to forget before anybody is told that there is one. */
  async #flushed(acquired: Acquired): Promise<Acquired> {
    const { nameCache } = this.#parts;
    if (nameCache.present()) {
      await nameCache.flush();
    }
    return acquired;
  }

  /** @returns undefined where the user ended before its directories were ready */
  async #join(live: UserLease, request: AcquireRequest): Promise<Acquired | undefined> {
    return this.#withDirectories(live, request, (holder, prepared) => {
      const present = this.#parts.users.byName(live.name);
      if (present?.uid !== live.uid) {
        return undefined;
      }
      if (present.holders.length >= HOLDERS_PER_USER_MAX) {
        const reason = `the user ${live.name} has ${HOLDERS_PER_USER_MAX} leases already`;
        throw new DynuserError('LimitReached', reason, { field: 'userName' });
      }
      const user: UserLease = { ...present, holders: [...present.holders, holder] };
      this.#write(user);
      return { user, holder, ...prepared };
    });
  }

  async #useStatic(account: UserLease, request: AcquireRequest): Promise<Acquired> {
    return this.#withDirectories(account, request, (holder, prepared) => {
      const user: UserLease = { ...account, holders: [holder] };
      this.#write(user);
      return { user, holder, ...prepared };
    });
  }

  async #search(name: UserName, request: AcquireRequest): Promise<Acquired> {
    const { directories, range, randomness, clock, users } = this.#parts;
    const owners = request.directories.length === 0 ? [] : await directories.owners(request.directories);
    const deadline = clock.monotonic() + SEARCH_DEADLINE_MS;
    const draw = { start: randomness.uint32(), stride: randomness.uint32() };
    let order: Iterable<UidCandidate> = candidates(owners, name, range, draw);
    for (let pass = 0; ; pass++) {
      const put = await this.#pass(order, name, request, { deadline, whileCooling: pass > 0 });
      if ('acquired' in put) {
        return put.acquired;
      }
      if (put.aside.length === 0) {
        throw rangeExhausted(range, users.heldCount);
      }
      order = put.aside;
    }
  }

  /**
   * Tries candidates in order.
   * @returns the user; or, where none was free, the candidates that another pass has to look at: UIDs that cool down,
   * and UIDs that other requests were trying, which are free again if those fail
   */
  async #pass(
    order: Iterable<UidCandidate>,
    name: UserName,
    request: AcquireRequest,
    { deadline, whileCooling }: { readonly deadline: number; readonly whileCooling: boolean },
  ): Promise<{ readonly acquired: Acquired } | { readonly aside: readonly UidCandidate[] }> {
    const { clock, users, reservations, coolDown } = this.#parts;
    const aside: UidCandidate[] = [];
    const contested: Uid[] = [];
    for (const { uid, origin } of order) {
      if (users.holding(uid) !== undefined) {
        continue;
      }
      if (reservations.has(uid)) {
        aside.push({ uid, origin });
        contested.push(uid);
        continue;
      }
      // Who owns the directories that the request names left them to whoever comes next: that is its heir.
      if (!whileCooling && origin !== 'owner' && coolDown.formerHolder(uid, name) !== undefined) {
        aside.push({ uid, origin });
        continue;
      }
      const acquired = await reservations.during(uid, () => this.#try(uid, name, request));
      if (acquired !== undefined) {
        return { acquired };
      }
      if (clock.monotonic() > deadline) {
        throw new DynuserError('ProbeFailed', `no free UID was found within ${SEARCH_DEADLINE_MS / 1000} s`, {
          field: 'unit',
        });
      }
    }
    await reservations.settled(contested);
    return { aside };
  }

  /** Steps 1 to 5 for one UID. @returns undefined where the UID is not free, with every step taken back */
  async #try(uid: Uid, name: UserName, request: AcquireRequest): Promise<Acquired | undefined> {
    const { registry, locks, probe, users } = this.#parts;
    const intended: UserLease = { uid, gid: uid as number as Gid, name, dynamic: true, holders: [] };
    let kept = false;
    try {
      registry.intend(intended);
      if (locks.lock(uid, name).kind !== 'locked' || (await probe.evidence(uid)) !== undefined) {
        return undefined;
      }
      return await this.#withDirectories(intended, request, (holder, prepared) => {
        const user: UserLease = { ...intended, holders: [holder] };
        registry.intend(user);
        registry.publish(user);
        registry.commit(user);
        kept = true;
        users.put(user);
        return { user, holder, ...prepared };
      });
    } finally {
      if (!kept) {
        registry.unpublish(intended);
        locks.release(uid);
        registry.forget(intended);
      }
    }
  }

  /**
   * Prepares the directories of a request, and in the tick in which all are ready makes the reference. Where they cannot be
   * exposed after that, it is dropped again.
   * @param make writes the reference down; it is not called where the caller is gone
   */
  async #withDirectories<Result>(
    user: UserLease,
    request: AcquireRequest,
    make: (holder: Holder, prepared: PreparedDirectories) => Result,
  ): Promise<Result> {
    const { directories, users } = this.#parts;
    const { makesMounts, verify, signal, onProgress } = request;
    let made: LeaseId | undefined;
    const finish = (prepared: PreparedDirectories): Result => {
      if (signal.aborted) {
        throw limitReached('the caller has gone before it was answered');
      }
      const holder = this.#holder(request, prepared);
      const result = make(holder, prepared);
      made = holder.lease;
      return result;
    };
    if (request.directories.length === 0) {
      return finish({ directories: [], environment: {} });
    }
    const options = {
      ...{ makesMounts, verify, signal, live: () => users.directoryHolders() },
      ...(onProgress === undefined ? {} : { onProgress: (at: HandoverProgress) => onProgress(at, user) }),
    };
    const owner = request.directoryGid === undefined ? user : { ...user, gid: request.directoryGid };
    try {
      return await directories.prepare(request.directories, owner, options, finish);
    } catch (error) {
      if (made !== undefined) {
        await releaseGone(this.#parts, made);
      }
      throw error;
    }
  }

  #write(user: UserLease): void {
    this.#parts.registry.intend(user);
    this.#parts.registry.commit(user);
    this.#parts.users.put(user);
  }

  #holder(request: AcquireRequest, { directories }: PreparedDirectories): Holder {
    const { randomness, clock } = this.#parts;
    const { unit, lifetime, pid, process, owner, cleanup, missing = [] } = request;
    return {
      ...(process === undefined ? {} : { process }),
      ...(missing.length === 0 ? {} : { missing }),
      ...{ lease: randomness.leaseId(), unit, lifetime, pid, owner, since: clock.now(), cleanup },
      directories: directories.map(({ kind, source, publicPath, handover, preserved, exposed, aliases }) => {
        return { kind, source, publicPath, handover, preserved, exposed, aliases };
      }),
    };
  }
}
