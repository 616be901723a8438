/**
 * Acquire: joins the live user of a name, makes a dynamic one, or uses the host's static user. A UID is given out only
 * after lock, probe and durable write have all succeeded; what fails on the way is taken back at the end of its scope.
 */
import { DynuserError, firstFailure, reasonOf } from '../core/errors.ts';
import { describeEvidence, type Evidence } from '../core/evidence.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { restrictsPackets } from '../core/packet-rules.ts';
import { checkJoin, checkPacketRules, hostAccount, NameLookup } from './choose-user.ts';
import type { DirectorySnapshot } from './directory-ports.ts';
import type { AcquireSeconds } from './events.ts';
import { type FleetPort, fleetConflict, fleetOfName, type HoldOutcome, rangeOfOne, staysLocal } from './fleet-port.ts';
import { type HeldPackets, holdPackets } from './held-packets.ts';
import { HeldUid, type HeldUidDeps } from './held-uid.ts';
import { type Acquired, type LeaseDeps, type PendingLease, prepareLease } from './lease.ts';
import { confirmUser } from './losses.ts';
import type { Clock, PacketFilter, Probes } from './ports.ts';
import { rewriteUser } from './release.ts';
import { type AcquireRequest, type LeaseOwner, nameOfRequest } from './request.ts';
import { checkLimits, type LeaseCapacity, type LeaseLimits, RequestsUnderWay } from './request-limits.ts';
import { evidenceInMemory, examineUid, rangeExhausted, type SearchDeps, searchUids } from './search.ts';

export interface AllocatorDeps extends LeaseDeps, Omit<SearchDeps, keyof LeaseDeps>, HeldUidDeps {
  /** what the process has descriptors for; absent: unbounded */
  readonly capacity?: LeaseCapacity;
  /** absent: the usual ones */
  readonly limits?: LeaseLimits;
  readonly probes: Probes;
  readonly packetFilter: PacketFilter;
  /** absent: this host is in no fleet */
  readonly fleet?: FleetPort;
}

/** How long the account files stay locked while the fleet is asked, in milliseconds: an answer takes a tenth of that, and useradd(8) waits 15 s. */
const FLEET_LOCKED_MS = 50;
/** How often a request tries again if the fleet says that a name has another UID than was locked. */
const FLEET_TURNS_MAX = 8;

/** What became of a UID that was tried: the user, 'known' if the host has the name, evidence against it, or the fleet's refusal. */
type Tried =
  | { readonly kind: 'made'; readonly acquired: Acquired }
  | { readonly kind: 'known' }
  | { readonly kind: 'evidence'; readonly evidence: Evidence }
  | Exclude<HoldOutcome, { readonly kind: 'held' }>;

/** What a request has taken so far, in milliseconds. */
class Stopwatch {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #begun: number;
  #checkMs = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#begun = clock.monotonic();
  }

  /** Counts the time of an examination. */
  async checking<Result>(examination: () => Promise<Result>): Promise<Result> {
    const begun = this.#clock.monotonic();
    try {
      return await examination();
    } finally {
      this.#checkMs += this.#clock.monotonic() - begun;
    }
  }

  secondsWith({ handoverMs }: PendingLease): AcquireSeconds {
    const acquireMs = this.#clock.monotonic() - this.#begun;
    return { acquire: acquireMs / 1_000, check: this.#checkMs / 1_000, handover: handoverMs / 1_000 };
  }
}

/** A request for the user of a name. */
interface NamedRequest {
  readonly name: UserName;
  readonly request: AcquireRequest;
  readonly owner: LeaseOwner;
  readonly stopwatch: Stopwatch;
}

export class Allocator {
  readonly #deps: AllocatorDeps;
  readonly #underWay = new RequestsUnderWay();
  /** the last request for each name */
  readonly #last = new Map<UserName, Promise<unknown>>();

  constructor(deps: AllocatorDeps) {
    this.#deps = deps;
  }

  /** How many requests are under way, also of callers that have gone. */
  get inFlight(): number {
    return this.#underWay.count;
  }

  /** @throws DynuserError LimitReached if a requester may have no further request or lease now */
  checkLimits(requester: LeaseOwner['requester']): void {
    checkLimits(this.#deps.users, this.#underWay, requester, this.#deps.capacity, this.#deps.limits);
  }

  /** @throws DynuserError NameConflict, NotPermitted, RangeExhausted, ProbeFailed, DirectoryFailed, LimitReached, HostFailed */
  async acquire(request: AcquireRequest, owner: LeaseOwner): Promise<Acquired> {
    this.checkLimits(owner.requester);
    const name = nameOfRequest(request);
    const asked = { name, request, owner, stopwatch: new Stopwatch(this.#deps.clock) };
    try {
      return await this.#underWay.during(owner.requester, () => this.#inTurn(name, () => this.#allocate(asked)));
    } catch (error) {
      throw firstFailure(error);
    }
  }

  /** Runs the requests for one name one after the other, those for different names side by side. */
  async #inTurn<Result>(name: UserName, task: () => Promise<Result>): Promise<Result> {
    const mine = this.#last.get(name)?.then(task, task) ?? task();
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) {
        this.#last.delete(name);
      }
    }
  }

  async #allocate(asked: NamedRequest): Promise<Acquired> {
    const { name, request, owner, stopwatch } = asked;
    const { users, teardown, probes } = this.#deps;
    for (let live = users.byName(name); live !== undefined; live = users.byName(name)) {
      const joined = await this.#join(live, asked);
      if (joined !== undefined) {
        return joined;
      }
    }
    await teardown.waitFor(name);
    const lookup = new NameLookup(probes.for(owner.requester), name, 'take');
    if (request.staticOnly !== true) {
      const made = await this.#makeUser(asked, lookup).catch((error: unknown) => lookup.comesBefore(error));
      if (made !== undefined) {
        return made;
      }
    }
    const account = await stopwatch.checking(() => hostAccount(this.#deps, name, owner.requester, lookup));
    checkPacketRules(account, request);
    await using packets = await holdPackets(this.#deps.packetFilter, account, request);
    await using pending = await prepareLease(this.#deps, account, request, owner);
    return await this.#add(pending, account, packets, stopwatch);
  }

  /** @returns undefined if the user ended before its directories were ready */
  async #join(live: DynamicUser, { request, owner, stopwatch }: NamedRequest): Promise<Acquired | undefined> {
    const { users } = this.#deps;
    checkJoin(confirmUser(this.#deps, live), owner.requester, request);
    if (live.dynamic) {
      this.#deps.fleet?.checkJoin(live.name, live.uid);
      await this.#deps.fleet?.takeDirectories(live.name, live.uid, request.directories);
    }
    await using packets = await holdPackets(this.#deps.packetFilter, live, request);
    await using pending = await prepareLease(this.#deps, live, request, owner);
    const present = users.byName(live.name);
    if (present?.uid !== live.uid) {
      return undefined;
    }
    // Others may have joined it while its directories were made ready, or it was lost.
    checkJoin(present, owner.requester, request);
    return await this.#add(pending, present, packets, stopwatch);
  }

  /**
   * Searches for a UID before it is known whether the host has the name, which it has not for most: NSS is asked for both.
   * @returns undefined if the host has the name, so that it is not for us to make a user of it
   */
  async #makeUser(asked: NamedRequest, lookup: NameLookup): Promise<Acquired | undefined> {
    const { name, request } = asked;
    const { directories } = this.#deps;
    const of = fleetOfName(this.#deps.fleet, name, request.fleet);
    using snapshot = request.directories.length > 0 ? await directories.inspect(request.directories) : undefined;
    const owners = [...(request.triedFirst ?? []), ...(snapshot?.owners ?? [])];
    if (of !== undefined) {
      try {
        return await this.#makeFleetUser(asked, lookup, of.fleet, owners, snapshot);
      } catch (error) {
        if (!staysLocal(error, of.mode) || of.fleet.hasShared(request.directories)) {
          throw error;
        }
        this.#deps.events.tell({ kind: 'fleetAway', name, reason: reasonOf(error) });
      }
    }
    const range = this.#deps.rangeOf(request.unit);
    for await (const { uid } of searchUids(this.#deps, { name, range, owners, explains: false })) {
      const tried = await this.#tryUid(asked, lookup, uid, snapshot);
      if (tried.kind === 'made') {
        return tried.acquired;
      }
      if (tried.kind === 'known') {
        return undefined;
      }
    }
    throw rangeExhausted(this.#deps, range);
  }

  /**
   * A user with the UID that its name has in the fleet. That is locked and examined here before the fleet is asked to hold it: a host never
   * holds what it cannot use.
   * @returns undefined if the host has the name
   */
  async #makeFleetUser(
    asked: NamedRequest,
    lookup: NameLookup,
    fleet: FleetPort,
    owners: readonly Uid[],
    snapshot: DirectorySnapshot | undefined,
  ): Promise<Acquired | undefined> {
    const { name } = asked;
    const hold = (uid: Uid) => fleet.hold(name, uid);
    const fleetOwnerOf = (uid: Uid) => fleet.ownerOf(uid, name);
    using _use = await fleet.begin(name);
    let bound = await fleet.uidOf(name);
    let isAnew = false;
    for (let turn = 0; turn < FLEET_TURNS_MAX; turn++) {
      const range = bound === undefined ? fleet.range : rangeOfOne(bound);
      const first = bound === undefined ? [...fleet.formerUids(name), ...owners] : [];
      let found: Evidence | undefined;
      let other: Uid | undefined;
      for await (const { uid } of searchUids(this.#deps, {
        name,
        range,
        owners: first,
        fleetOwnerOf,
        explains: false,
      })) {
        const tried = await this.#tryUid(asked, lookup, uid, snapshot, hold);
        if (tried.kind === 'made') {
          fleet.used(name, asked.request.directories);
          return tried.acquired;
        }
        if (tried.kind === 'known') {
          return undefined;
        }
        if (tried.kind === 'evidence') {
          found = tried.evidence;
        } else if (tried.kind === 'bound') {
          other = tried.uid;
          break;
        }
      }
      if (other !== undefined) {
        bound = other;
        continue;
      }
      if (bound !== undefined && (isAnew || found !== undefined)) {
        const evidence = found ?? evidenceInMemory(this.#deps, bound, { name, fleetOwnerOf }, false);
        throw fleetConflict(name, bound, evidence && describeEvidence(evidence));
      }
      if (isAnew) {
        throw rangeExhausted(this.#deps, range);
      }
      // What is known of the fleet may be old.
      isAnew = true;
      await fleet.refresh();
      bound = await fleet.uidOf(name);
    }
    const reason = `the UID of ${name} in the fleet has changed ${FLEET_TURNS_MAX} times while it was asked for; try again`;
    throw new DynuserError('FleetUnavailable', reason, { field: 'userName' });
  }

  /** @param hold of a user of the fleet: its UID is given out only if this holds it */
  async #tryUid(
    { name, request, owner, stopwatch }: NamedRequest,
    lookup: NameLookup,
    uid: Uid,
    snapshot: DirectorySnapshot | undefined,
    hold?: (uid: Uid) => Promise<HoldOutcome>,
  ): Promise<Tried> {
    const { events, fleet } = this.#deps;
    using held = new HeldUid(this.#deps, uid, name);
    const passedOver = (found: Evidence | 'known'): Tried => {
      if (found === 'known') {
        return { kind: 'known' };
      }
      events.tell({ kind: 'passedOver', name, uid, evidence: found });
      return { kind: 'evidence', evidence: found };
    };
    const found = await stopwatch.checking(() => examineUid(held, uid, lookup));
    if (found !== undefined) {
      return passedOver(found);
    }
    if (hold !== undefined) {
      // No account of this host waits for a network: what has come meanwhile is looked for once more.
      const { result, wasUnlocked } = await held.lockedAtMost(FLEET_LOCKED_MS, () => hold(uid));
      if (result.kind !== 'held') {
        return result;
      }
      const since = wasUnlocked ? await stopwatch.checking(() => this.#lookAgain(held, lookup)) : undefined;
      if (since !== undefined) {
        return passedOver(since);
      }
    }
    await fleet?.takeDirectories(name, uid, request.directories);
    if (request.directories.length > 0 || restrictsPackets(request.packetRules)) {
      held.announce();
    }
    await using packets = await holdPackets(this.#deps.packetFilter, held.user, request);
    await using pending = await prepareLease(this.#deps, held.user, request, owner, snapshot);
    const lease = pending.make();
    const user = held.giveOut(lease, packets.rules, stopwatch.secondsWith(pending));
    packets.kept();
    return { kind: 'made', acquired: await pending.written(user, lease) };
  }

  async #lookAgain(held: HeldUid, lookup: NameLookup): Promise<Evidence | 'known' | undefined> {
    await held.lockAccounts();
    return lookup.check(held.user.uid);
  }

  /** Gives a user that is there one more lease. The caller awaits it: it disposes of the lease that is pending. */
  async #add(
    pending: PendingLease,
    present: DynamicUser,
    packets: HeldPackets,
    stopwatch: Stopwatch,
  ): Promise<Acquired> {
    const lease = pending.make();
    const user: DynamicUser = { ...present, ...packets.rules, leases: [...present.leases, lease] };
    rewriteUser(this.#deps, user, stopwatch.secondsWith(pending));
    packets.kept();
    return await pending.written(user, lease);
  }
}
