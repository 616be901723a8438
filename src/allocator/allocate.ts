/**
 * Acquire: joins the live user of a name, uses the host's static user of it, or makes a dynamic one. A UID is given out
 * only after lock, probe and durable write have all succeeded; whatever fails on the way takes back its own steps.
 */
import type { Requester } from '../core/access.ts';
import type { Gid, Uid, UserName } from '../core/ids.ts';
import type { UserLease } from '../core/lease.ts';
import { deriveUserName } from '../core/name.ts';
import { type ChoiceParts, checkJoin, chooseUser } from './choose-user.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import { type Acquired, type AcquireRequest, type ReferenceParts, withReference } from './lease.ts';
import { confirmUser, type LossParts } from './losses.ts';
import { evidenceOfLock, type Inquiry } from './name-lookup.ts';
import type { AccountsLock, NameCache, Probes, UidLocks } from './ports.ts';
import { checkLimits, type LeaseRoom, RequestsUnderWay } from './request-limits.ts';
import type { Trial } from './search.ts';
import { writeLease } from './write-lease.ts';

export interface AllocatorParts
  extends Omit<ChoiceParts, keyof ReferenceParts | 'locks'>,
    ReferenceParts,
    Pick<LossParts, 'onLost'> {
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

  /** @throws DynuserError LimitReached if a requester may have no further request or lease now */
  checkLimits(requester: Requester): void {
    checkLimits(this.#parts.users, this.#underWay, requester, this.#parts.room);
  }

  /** @throws DynuserError NameConflict, NotPermitted, RangeExhausted, ProbeFailed, DirectoryFailed, LimitReached, HostFailed */
  async acquire(request: AcquireRequest): Promise<Acquired> {
    const requester = requesterOf(request);
    this.checkLimits(requester);
    const name = request.userName ?? deriveUserName(request.unit, request.perInstance).name;
    return this.#underWay.during(requester, () => this.#parts.queue.run(name, () => this.#acquireNamed(name, request)));
  }

  #acquireNamed(name: UserName, request: AcquireRequest): Promise<Acquired> {
    const { probes, reservations } = this.#parts;
    const requester = requesterOf(request);
    const { directories, staticOnly = false } = request;
    return chooseUser(
      this.#parts,
      probes.for(requester),
      { name, requester, directories, staticOnly },
      {
        confirm: live => confirmUser(this.#parts, live),
        join: live => this.#join(live, request),
        useStatic: account => this.#useStatic(account, request),
        tryUid: (uid, inquiry, look) =>
          reservations.during(uid, async () => {
            const seen = look === undefined ? request : { ...request, look };
            const trial = await this.#try(uid, name, seen, inquiry);
            return trial === 'known' || 'evidence' in trial ? trial : { made: await this.#flushed(trial.made) };
          }),
      },
    );
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
    return withReference(this.#parts, live, request, (holder, prepared) => {
      const present = this.#parts.users.byName(live.name);
      if (present?.uid !== live.uid) {
        return undefined;
      }
      // Others may have joined it while its directories were made ready.
      checkJoin(present, requesterOf(request));
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
   * @returns why the UID is not free, or that the host has the name, with every step taken back
   */
  async #try(uid: Uid, name: UserName, request: AcquireRequest, inquiry: Inquiry): Promise<Trial<Acquired>> {
    const { registry, locks, users, accounts } = this.#parts;
    const intended: UserLease = { uid, gid: uid as number as Gid, name, dynamic: true, holders: [] };
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
      const found = await inquiry.about(uid);
      if (found !== undefined) {
        return found === 'known' ? found : { evidence: found };
      }
      if (request.directories.length > 0) {
        // To make them ready may take minutes, in which accounts can be changed: the UID resolves before it.
        done.push(users.announce(intended));
        registry.publish(intended);
        unlockAccounts();
      }
      const made = await withReference(this.#parts, intended, request, (holder, prepared) => {
        const user: UserLease = { ...intended, holders: [holder] };
        registry.intend(user);
        registry.publish(user);
        locks.keep(uid);
        registry.commit(user);
        kept = true;
        users.put(user);
        return { user, holder, ...prepared };
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

  #write(user: UserLease): void {
    writeLease(this.#parts.registry, user);
    this.#parts.users.put(user);
  }
}

function requesterOf({ owner, isRoot }: AcquireRequest): Requester {
  return { uid: owner, isRoot };
}
