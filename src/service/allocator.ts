/**
 * Acquire: joins the live user of a name, uses the host's static user of it, or makes a dynamic one. A UID is given out
 * only after lock, probe and durable write have all succeeded; whatever fails on the way takes back its own steps.
 */
import { mayJoin, type Requester } from '../core/access.ts';
import { isKnown } from '../core/account.ts';
import { DynuserError } from '../core/errors.ts';
import type { Gid, Uid, UserName } from '../core/ids.ts';
import type { UserLease } from '../core/lease.ts';
import { HOLDERS_PER_USER_MAX } from '../core/limits.ts';
import { deriveUserName } from '../core/name.ts';
import { decideAccount, nameConflict, noSuchAccount, staticIsRoots } from './account.ts';
import type { DirectoryLook } from './directory-ports.ts';
import { Inquiry } from './inquiry.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import { confirmUser, type LossParts, lostConflict } from './losses.ts';
import type { AccountsLock, NameCache, Probes, UidLocks } from './ports.ts';
import { type Acquired, type AcquireRequest, type ReferenceParts, withReference } from './reference.ts';
import { checkLimits, type LeaseRoom, RequestsUnderWay } from './request-limits.ts';
import { type SearchParts, searchUid } from './uid-search.ts';

export interface AllocatorParts extends SearchParts, ReferenceParts, Pick<LossParts, 'onLost'> {
  readonly queue: KeyedQueue<UserName>;
  /** what the process has descriptors for; unbounded where absent */
  readonly room?: LeaseRoom;
  readonly probes: Probes;
  readonly locks: UidLocks;
  readonly accounts: AccountsLock;
  readonly nameCache: NameCache;
}

export class Allocator {
  readonly #parts: AllocatorParts;
  readonly #underWay = new RequestsUnderWay();

  constructor(parts: AllocatorParts) {
    this.#parts = parts;
  }

  /** How many requests are under way, also of callers that have gone. */
  get inFlight(): number {
    return this.#underWay.count;
  }

  /** @throws DynuserError NameConflict, RangeExhausted, ProbeFailed, DirectoryFailed, LimitReached, HostFailed */
  async acquire(request: AcquireRequest): Promise<Acquired> {
    const requester = requesterOf(request);
    checkLimits(this.#parts.users, this.#underWay, requester, this.#parts.room);
    const name = request.userName ?? deriveUserName(request.unit, request.perInstance).name;
    return this.#underWay.during(requester, () => this.#parts.queue.run(name, () => this.#acquireNamed(name, request)));
  }

  async #acquireNamed(name: UserName, request: AcquireRequest): Promise<Acquired> {
    const { users, probes, range, locks, endings } = this.#parts;
    for (let live = users.byName(name); live !== undefined; live = users.byName(name)) {
      if (confirmUser(this.#parts, live).lost !== undefined) {
        throw lostConflict(users.byName(name) ?? live);
      }
      const joined = await this.#join(live, request);
      if (joined !== undefined) {
        return joined;
      }
    }
    await endings.settled(name);
    const staticOnly = request.staticOnly === true;
    const inquiry = new Inquiry(probes.for(requesterOf(request)), name);
    const made = staticOnly ? undefined : await this.#make(name, request, inquiry);
    if (made !== undefined) {
      return this.#flushed(made);
    }
    // No UID that was tried is locked any more: a lock that is seen now is not ours.
    const decision = decideAccount(name, await inquiry.account(), range, locks, staticOnly);
    switch (decision.kind) {
      case 'conflict':
        throw nameConflict(decision.reason);
      case 'static':
        if (!request.isRoot) {
          throw staticIsRoots(name);
        }
        return this.#useStatic({ name, uid: decision.uid, gid: decision.gid, dynamic: false, holders: [] }, request);
      case 'dynamic':
        throw noSuchAccount(name);
    }
  }

  /**
   * Looks for a UID before it is known whether the host has the name, which it has not for most: NSS is asked for both.
   * @returns undefined where the host knows the name, so that it is not for us to make a user of it
   */
  async #make(name: UserName, request: AcquireRequest, inquiry: Inquiry): Promise<Acquired | undefined> {
    const { directories } = request;
    let look: DirectoryLook | undefined;
    try {
      look = directories.length === 0 ? undefined : await this.#parts.directories.look(directories);
      const seen = look === undefined ? request : { ...request, look };
      const owners = look?.owners ?? [];
      const found = await searchUid(this.#parts, name, owners, uid => this.#try(uid, name, seen, inquiry));
      return found === 'known' ? undefined : found;
    } catch (error) {
      // A user of the host needs no UID, and a name that cannot be had neither: what NSS says comes first.
      if (isKnown(await inquiry.account())) {
        return undefined;
      }
      throw error;
    } finally {
      look?.end();
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
    checkJoin(live, request);
    return withReference(this.#parts, live, request, (holder, prepared) => {
      const present = this.#parts.users.byName(live.name);
      if (present?.uid !== live.uid) {
        return undefined;
      }
      // Others may have joined it while its directories were made ready.
      checkJoin(present, request);
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
    return withReference(this.#parts, account, request, (holder, prepared) => {
      const user: UserLease = { ...account, holders: [holder] };
      this.#write(user);
      return { user, holder, ...prepared };
    });
  }

  /**
   * Steps 1 to 6 for one UID.
   * @returns undefined where the UID is not free, 'known' where the host has the name; with every step taken back
   */
  async #try(
    uid: Uid,
    name: UserName,
    request: AcquireRequest,
    inquiry: Inquiry,
  ): Promise<Acquired | 'known' | undefined> {
    const { registry, locks, users, accounts } = this.#parts;
    const intended: UserLease = { uid, gid: uid as number as Gid, name, dynamic: true, holders: [] };
    let kept = false;
    const done: (() => void)[] = [];
    try {
      registry.intend(intended);
      if (locks.lock(uid, name).kind !== 'locked') {
        return undefined;
      }
      // From the questions about the UID until it resolves as ours, nobody makes an account with that number.
      const unlockAccounts = await accounts.take();
      done.push(unlockAccounts);
      const evidence = await inquiry.about(uid);
      if (evidence !== undefined) {
        return evidence === 'known' ? evidence : undefined;
      }
      if (request.directories.length > 0) {
        // To make them ready may take minutes, in which accounts can be changed: the UID resolves before it.
        done.push(users.announce(intended));
        registry.publish(intended);
        unlockAccounts();
      }
      return await withReference(this.#parts, intended, request, (holder, prepared) => {
        const user: UserLease = { ...intended, holders: [holder] };
        registry.intend(user);
        registry.publish(user);
        locks.keep(uid);
        registry.commit(user);
        kept = true;
        users.put(user);
        return { user, holder, ...prepared };
      });
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

  #write(user: UserLease): void {
    this.#parts.registry.intend(user);
    this.#parts.registry.commit(user);
    this.#parts.users.put(user);
  }
}

function requesterOf({ owner, isRoot }: AcquireRequest): Requester {
  return { uid: owner, isRoot };
}

/** @throws DynuserError NotPermitted */
function checkJoin({ name, holders }: UserLease, request: AcquireRequest): void {
  const owners = holders.map(holder => holder.owner);
  const access = mayJoin(requesterOf(request), name, owners);
  if (!access.allowed) {
    throw new DynuserError('NotPermitted', access.reason, { field: 'userName' });
  }
}
