/**
 * Explain: what Acquire would do for a request, or would refuse, and why. It makes the same choice by the same functions;
 * only it locks nothing, writes nothing, and leaves directories as they are.
 */
import type { Requester, Rights } from '../core/access.ts';
import type { CandidateOrigin } from '../core/candidates.ts';
import { DynuserError, type ErrorCode } from '../core/errors.ts';
import { describeEvidence, type Evidence } from '../core/evidence.ts';
import type { Gid, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { deriveUserName } from '../core/name.ts';
import type { Allocator } from './allocate.ts';
import { checkJoin, hostAccount } from './choose-user.ts';
import type { Directories, ExpectedHandover } from './directory-ports.ts';
import { lostConflict } from './losses.ts';
import { NameLookup, readOnlyProbe } from './name-lookup.ts';
import type { Probe, UidLocks } from './ports.ts';
import { rangeExhausted } from './refusals.ts';
import type { UserRequest } from './request.ts';
import { examineUid, type SearchDeps, searchUids, type UidCandidate } from './search.ts';
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
}

export interface ExplainDeps extends SearchDeps {
  readonly locks: Pick<UidLocks, 'peek'>;
  readonly teardown: Pick<Teardown, 'waitFor' | 'leftoversOf'>;
  readonly allocator: Pick<Allocator, 'checkLimits'>;
  readonly directories: Pick<Directories, 'inspect' | 'explain'>;
}

/** The errors that are answers: any other says that there is no telling what Acquire would do. */
const REFUSALS: Readonly<Partial<Record<ErrorCode, Explanation['outcome']>>> = {
  NameConflict: 'conflict',
  RangeExhausted: 'exhausted',
  NotPermitted: 'refused',
  LimitReached: 'refused',
  DirectoryFailed: 'refused',
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
  const candidates = new Map<Uid, ExplainedCandidate>();
  const named = { userName, nameOrigin };
  const { user, refusal } = await choose(deps, probe, rights.requester, userName, request, candidates);
  const ids = user === undefined ? { dynamic: false } : { dynamic: user.dynamic, uid: user.uid, gid: user.gid };
  try {
    refuse(deps, rights, refusal);
    const handovers = user === undefined ? [] : await expectHandovers(deps, request, user);
    const outcome = user?.outcome ?? 'allocate';
    const reason = user?.reason ?? '';
    return { ...named, outcome, reason, ...ids, candidates: [...candidates.values()], handovers };
  } catch (error) {
    const outcome = error instanceof DynuserError ? REFUSALS[error.code] : undefined;
    if (outcome === undefined || !(error instanceof DynuserError)) {
      throw error;
    }
    const dynamic = outcome === 'exhausted' || ids.dynamic;
    const refused = { outcome, reason: error.message, refusal: error };
    return { ...named, ...ids, ...refused, dynamic, candidates: [...candidates.values()], handovers: [] };
  }
}

/** @throws DynuserError the first of what Acquire would be refused with, in its order */
function refuse({ allocator }: ExplainDeps, { acquire, requester }: Rights, refusal: DynuserError | undefined): void {
  if (!acquire.allowed) {
    throw new DynuserError('NotPermitted', acquire.reason, { field: 'unit' });
  }
  allocator.checkLimits(requester);
  if (refusal !== undefined) {
    throw refusal;
  }
}

/** The user that would be had. */
interface Chosen extends Pick<DynamicUser, 'name' | 'uid' | 'gid' | 'dynamic'> {
  readonly outcome: 'allocate' | 'join' | 'static';
  readonly reason: string;
}

/** @param candidates gets those that were looked at */
async function choose(
  deps: ExplainDeps,
  probe: Probe,
  requester: Requester,
  name: UserName,
  request: UserRequest,
  candidates: Map<Uid, ExplainedCandidate>,
): Promise<{ readonly user?: Chosen; readonly refusal?: DynuserError }> {
  try {
    const user =
      liveUser(deps, requester, name) ??
      (await newUser(deps, readOnlyProbe(probe), requester, name, request, candidates));
    return { user };
  } catch (error) {
    if (error instanceof DynuserError && REFUSALS[error.code] !== undefined) {
      return { refusal: error };
    }
    throw error;
  }
}

/** A loss that nobody has noticed yet is found out by Acquire, which can write it down. */
function liveUser({ users }: ExplainDeps, requester: Requester, name: UserName): Chosen | undefined {
  const live = users.byName(name);
  if (live === undefined) {
    return undefined;
  }
  if (live.lost !== undefined) {
    throw lostConflict(live);
  }
  checkJoin(live, requester);
  const { leases, ...user } = live;
  const count = leases.length === 1 ? 'one lease' : `${leases.length} leases`;
  return { ...user, outcome: 'join', reason: `the user lives already, with ${count}, and is joined` };
}

async function newUser(
  deps: ExplainDeps,
  probe: Probe,
  requester: Requester,
  name: UserName,
  request: UserRequest,
  candidates: Map<Uid, ExplainedCandidate>,
): Promise<Chosen> {
  await deps.teardown.waitFor(name);
  const lookup = new NameLookup(probe, name);
  if (request.staticOnly !== true) {
    const free = await findFree(deps, lookup, name, request, candidates).catch((error: unknown) =>
      lookup.comesBefore(error),
    );
    if (free !== undefined) {
      const { uid, origin } = free;
      const reason = `the UID ${uid} is free, and is the ${ORIGIN_WORDS[origin]}`;
      return { name, uid, gid: uid as number as Gid, dynamic: true, outcome: 'allocate', reason };
    }
  }
  const { leases, ...account } = await hostAccount(deps, name, requester, lookup);
  // Of a name that the host has, no UID had to be found.
  candidates.clear();
  return { ...account, outcome: 'static', reason: 'this host has the user, which is used' };
}

/** @returns undefined if the host has the name */
async function findFree(
  deps: ExplainDeps,
  lookup: NameLookup,
  name: UserName,
  { directories }: UserRequest,
  candidates: Map<Uid, ExplainedCandidate>,
): Promise<UidCandidate | undefined> {
  using snapshot = directories.length === 0 ? undefined : await deps.directories.inspect(directories);
  for await (const candidate of searchUids(deps, { name, owners: snapshot?.owners ?? [], reserves: false })) {
    const { uid } = candidate;
    const hold = { lock: () => deps.locks.peek(uid), lockAccounts: async () => undefined };
    const evidence = candidate.evidence ?? (await examineUid(hold, uid, lookup));
    if (evidence === 'known') {
      return undefined;
    }
    candidates.set(uid, describe(candidate, evidence, candidates.get(uid)));
    if (evidence === undefined) {
      return candidate;
    }
  }
  throw rangeExhausted(deps.range, deps.users.heldCount);
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
  { name, uid, gid, dynamic }: Chosen,
): Promise<readonly ExpectedHandover[]> {
  if (directories.length === 0) {
    return [];
  }
  const owner = { name, uid, gid: directoryGid ?? gid, dynamic };
  return planned.explain(directories, owner, { makesMounts, verify, live: () => users.directoriesInUse() });
}
