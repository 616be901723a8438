/**
 * Explain: what Acquire would do for a request, or would refuse, and why. It makes the same choice by the same functions;
 * only it locks nothing, writes nothing, and leaves directories as they are.
 */
import type { Requester, Rights } from '../core/access.ts';
import type { CandidateOrigin } from '../core/candidates.ts';
import { DynuserError, type ErrorCode } from '../core/errors.ts';
import { describeEvidence, type Evidence } from '../core/evidence.ts';
import type { Gid, Uid, UserName } from '../core/ids.ts';
import { EXPLAINED_CANDIDATES_MAX } from '../core/limits.ts';
import { deriveUserName } from '../core/name.ts';
import type { Allocator } from './allocate.ts';
import { checkJoin, checkPacketRules, hostAccount, hostGroup, NameLookup } from './choose-user.ts';
import type { Directories, DirectoryUser, ExpectedHandover } from './directory-ports.ts';
import { type FleetFinding, type FleetPort, fleetConflict, fleetOfName, rangeOfOne, staysLocal } from './fleet-port.ts';
import type { Probe, UidLocks } from './ports.ts';
import { nameOfRequest, type UserRequest } from './request.ts';
import {
  examineUid,
  rangeExhausted,
  type SearchDeps,
  searchUids,
  type UidCandidate,
  type UidSearch,
} from './search.ts';
import { directoryGidOf, groupRequest, groupsOfRequest, inWordsOfGroup, numbersTriedFirst } from './shared-groups.ts';
import type { Teardown } from './teardown.ts';

export interface ExplainedCandidate {
  readonly uid: Uid;
  readonly origin: CandidateOrigin;
  readonly free: boolean;
  readonly finding: string;
}

export const OUTCOMES = ['allocate', 'join', 'static', 'conflict', 'exhausted', 'refused'] as const;

export interface Explanation {
  readonly userName: UserName;
  readonly nameOrigin: string;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly reason: string;
  /** the error that Acquire would fail with; absent if it would not fail */
  readonly refusal?: DynuserError;
  /** whether the user is or would be a dynamic one */
  readonly dynamic: boolean;
  readonly uid?: Uid;
  readonly gid?: Gid;
  readonly candidates: readonly ExplainedCandidate[];
  /** what would become of the directories that the request names */
  readonly handovers: readonly ExpectedHandover[];
  /** the groups that the request names */
  readonly groups: readonly ExpectedGroup[];
  /** what the fleet says of the name; absent if the name is not the fleet's */
  readonly fleet?: FleetFinding;
}

export interface ExpectedGroup {
  readonly name: UserName;
  /** absent if the request cannot get the group */
  readonly gid?: Gid;
  readonly outcome: Chosen['outcome'] | 'refused';
  readonly reason: string;
}

export interface ExplainDeps extends SearchDeps {
  readonly locks: Pick<UidLocks, 'peek'>;
  readonly teardown: Pick<Teardown, 'waitFor' | 'leftoversOf'>;
  readonly allocator: Pick<Allocator, 'checkLimits'>;
  readonly directories: Pick<Directories, 'inspect' | 'explain'>;
  /** absent: this host is in no fleet */
  readonly fleet?: FleetPort;
}

/** The errors that are answers. After any other error it is unknown what Acquire would do. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, Explanation['outcome']>>> = {
  NameConflict: 'conflict',
  RangeExhausted: 'exhausted',
  NotPermitted: 'refused',
  LimitReached: 'refused',
  DirectoryFailed: 'refused',
  FleetConflict: 'conflict',
  FleetUnavailable: 'refused',
};

/**
 * @param probe asks the host on behalf of whoever wants to know
 * @param rights of whoever wants to know: the answer is about an Acquire of its own
 * @throws DynuserError ProbeFailed, HostFailed
 */
export async function explain(
  deps: ExplainDeps,
  probe: Probe,
  rights: Rights,
  request: UserRequest,
): Promise<Explanation> {
  const derived = deriveUserName(request.unit, request.perInstance);
  const userName = request.userName ?? derived.name;
  const nameOrigin = request.userName === undefined ? derived.origin : 'given in the request';
  const { requester } = rights;
  const groups = await explainGroups(deps, probe, requester, request);
  const wanted = { ...request, ...directoryGidOf(groupsOfRequest(request), groups) };
  const choice = new Choice(deps, probe, requester, userName);
  const chosen = await choice.make(request).catch(asRefusal);
  const ids = 'refusal' in chosen ? { dynamic: false } : { dynamic: chosen.dynamic, uid: chosen.uid, gid: chosen.gid };
  // After the choice, which may have waited for the fleet.
  const isOfFleet = deps.fleet?.concerns(userName, request.fleet) !== undefined;
  const said = {
    userName,
    nameOrigin,
    ...ids,
    ...(isOfFleet && deps.fleet !== undefined ? { fleet: deps.fleet.finding(userName) } : {}),
    candidates: [...choice.candidates.values()],
    groups: groups.map(({ refusal, ...group }) => group),
  };
  try {
    // In the order of Acquire.
    if (!rights.acquire.allowed) {
      throw new DynuserError('NotPermitted', rights.acquire.reason, { field: 'unit' });
    }
    deps.allocator.checkLimits(requester);
    const refused = groups.find(({ refusal }) => refusal !== undefined)?.refusal;
    if (refused !== undefined) {
      throw refused;
    }
    if ('refusal' in chosen) {
      throw chosen.refusal;
    }
    const { outcome, reason } = chosen;
    return { ...said, outcome, reason, handovers: await expectHandovers(deps, wanted, chosen) };
  } catch (error) {
    const refused = asRefusal(error);
    return { ...said, ...refused, dynamic: refused.outcome === 'exhausted' || ids.dynamic, handovers: [] };
  }
}

/** What would become of each group, in the order of Acquire. */
async function explainGroups(deps: ExplainDeps, probe: Probe, requester: Requester, request: UserRequest) {
  const groups: (ExpectedGroup & { readonly refusal?: DynuserError })[] = [];
  for (const group of groupsOfRequest(request)) {
    const { name } = group;
    try {
      const ofHost = await hostGroup(deps, group, requester, probe);
      if (ofHost !== undefined) {
        groups.push({ name, gid: ofHost, outcome: 'static', reason: 'this host has the group, which is used' });
        continue;
      }
      const { gid, outcome, reason } = await new Choice(deps, probe, requester, name).make({
        ...groupRequest(group, request),
        member: { user: nameOfRequest(request) },
        triedFirst: await numbersTriedFirst(deps, group, request),
      });
      groups.push({ name, gid, outcome, reason });
    } catch (error) {
      const { reason, refusal } = asRefusal(inWordsOfGroup(error, group));
      groups.push({ name, outcome: 'refused', reason, refusal });
    }
  }
  return groups;
}

/** @throws the error, unless it is an answer */
function asRefusal(error: unknown): Pick<Explanation, 'outcome' | 'reason'> & { readonly refusal: DynuserError } {
  const outcome = error instanceof DynuserError ? REFUSALS[error.code] : undefined;
  if (outcome === undefined || !(error instanceof DynuserError)) {
    throw error;
  }
  return { outcome, reason: error.message, refusal: error };
}

/** The user that the request would get. */
interface Chosen extends DirectoryUser {
  readonly outcome: 'allocate' | 'join' | 'static';
  readonly reason: string;
}

/** The choice of a user for a name, as Acquire makes it. */
class Choice {
  /** those that were looked at */
  readonly candidates = new Map<Uid, ExplainedCandidate>();
  readonly #deps: ExplainDeps;
  readonly #requester: Requester;
  readonly #name: UserName;
  readonly #lookup: NameLookup;

  constructor(deps: ExplainDeps, probe: Probe, requester: Requester, name: UserName) {
    this.#deps = deps;
    this.#requester = requester;
    this.#name = name;
    this.#lookup = new NameLookup(probe, name, 'look');
  }

  async make(request: UserRequest & { readonly member?: unknown }): Promise<Chosen> {
    const deps = this.#deps;
    const name = this.#name;
    const live = deps.users.byName(name);
    if (live !== undefined) {
      // Only Acquire looks for a loss that nobody has noticed yet, because it can write it down.
      checkJoin(live, this.#requester, request);
      if (live.dynamic) {
        deps.fleet?.checkJoin(live.name, live.uid);
      }
      const { leases, ...user } = live;
      const count = leases.length === 1 ? 'one lease' : `${leases.length} leases`;
      return { ...user, outcome: 'join', reason: `the user lives already, with ${count}, and is joined` };
    }
    await deps.teardown.waitFor(name);
    if (request.staticOnly !== true) {
      const free = await this.#findFree(request).catch((error: unknown) => this.#lookup.comesBefore(error));
      if (free !== undefined) {
        const { uid, origin } = free;
        const reason = `the UID ${uid} is free, and is the ${ORIGIN_WORDS[origin]}`;
        return { name, uid, gid: uid as number as Gid, dynamic: true, outcome: 'allocate', reason };
      }
    }
    const { leases, ...account } = await hostAccount(deps, name, this.#requester, this.#lookup);
    checkPacketRules({ ...account, leases }, request);
    // The host has the name, so no candidate was needed.
    this.candidates.clear();
    return { ...account, outcome: 'static', reason: 'this host has the user, which is used' };
  }

  /** @returns undefined if the host has the name */
  async #findFree({ unit, directories, triedFirst = [], fleet }: UserRequest): Promise<UidCandidate | undefined> {
    const of = fleetOfName(this.#deps.fleet, this.#name, fleet);
    using snapshot = directories.length === 0 ? undefined : await this.#deps.directories.inspect(directories);
    const owners = [...triedFirst, ...(snapshot?.owners ?? [])];
    if (of !== undefined) {
      try {
        return await this.#findInFleet(of.fleet, owners);
      } catch (error) {
        if (!staysLocal(error, of.mode) || of.fleet.hasShared(directories)) {
          throw error;
        }
      }
    }
    const range = this.#deps.rangeOf(unit);
    return this.#search({ range, owners }, () => rangeExhausted(this.#deps, range));
  }

  /** Nothing is held: another host may have the UID in a moment. */
  async #findInFleet(fleet: FleetPort, owners: readonly Uid[]): Promise<UidCandidate | undefined> {
    const name = this.#name;
    const bound = await fleet.uidOf(name);
    const range = bound === undefined ? fleet.range : rangeOfOne(bound);
    const first = bound === undefined ? [...fleet.formerUids(name), ...owners] : [];
    const fleetOwnerOf = (uid: Uid) => fleet.ownerOf(uid, name);
    return this.#search({ range, owners: first, fleetOwnerOf }, () =>
      bound === undefined
        ? rangeExhausted(this.#deps, range)
        : fleetConflict(name, bound, this.candidates.get(bound)?.finding),
    );
  }

  /** @returns undefined if the host has the name @throws what `exhausted` gives if no candidate is free */
  async #search(
    wanted: Omit<UidSearch, 'name' | 'explains'>,
    exhausted: () => DynuserError,
  ): Promise<UidCandidate | undefined> {
    const { locks } = this.#deps;
    for await (const candidate of searchUids(this.#deps, { ...wanted, name: this.#name, explains: true })) {
      const { uid } = candidate;
      const hold = { lock: () => locks.peek(uid), lockAccounts: async () => undefined };
      const evidence = candidate.evidence ?? (await examineUid(hold, uid, this.#lookup));
      if (evidence === 'known') {
        return undefined;
      }
      if (evidence === undefined || this.candidates.size < EXPLAINED_CANDIDATES_MAX) {
        this.candidates.set(uid, describe(candidate, evidence, this.candidates.get(uid)));
      }
      if (evidence === undefined) {
        return candidate;
      }
    }
    throw exhausted();
  }
}

const ORIGIN_WORDS: Readonly<Record<CandidateOrigin, string>> = {
  owner: 'owner of a directory that the request names',
  preferred: 'one that the name prefers',
  sweep: 'first free one of a search through the whole range',
};

/** @param former what was found out about the same UID before: it was put aside, and nothing better was found */
function describe(
  { uid, origin }: UidCandidate,
  evidence: Evidence | undefined,
  former: ExplainedCandidate | undefined,
): ExplainedCandidate {
  const finding = evidence === undefined ? 'free' : describeEvidence(evidence);
  const reconsidered = evidence === undefined && former !== undefined;
  return {
    ...{ uid, origin, free: evidence === undefined },
    finding: reconsidered ? `${former.finding}, and no other is free` : finding,
  };
}

async function expectHandovers(
  { directories: planned, users }: ExplainDeps,
  { directories, makesMounts, verify, directoryGid }: UserRequest,
  user: Chosen,
): Promise<readonly ExpectedHandover[]> {
  if (directories.length === 0) {
    return [];
  }
  return planned.explain(
    directories,
    { ...user, gid: directoryGid ?? user.gid },
    { makesMounts, verify, live: () => users.directoriesInUse() },
  );
}
