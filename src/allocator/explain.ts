/**
 * Explain: what Acquire would do for a request, or would refuse, and why. It makes the same choice by the same functions;
 * only it locks nothing, writes nothing, and leaves directories as they are.
 */
import type { Rights } from '../core/access.ts';
import type { CandidateOrigin } from '../core/candidates.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { DynuserError, type ErrorCode } from '../core/errors.ts';
import { describeEvidence, type Evidence } from '../core/evidence.ts';
import type { Gid, Uid, UnitName, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { deriveUserName } from '../core/name.ts';
import type { Allocator } from './allocate.ts';
import { type ChoiceDeps, type ChoiceSteps, chooseUser } from './choose-user.ts';
import type { Directories, ExpectedHandover, HandoverOptions } from './directory-ports.ts';
import { evidenceOfLock, readOnlyProbe } from './name-lookup.ts';
import type { Probe } from './ports.ts';
import type { Finding } from './search.ts';

export interface ExplainRequest {
  readonly unit: UnitName;
  readonly userName?: UserName;
  readonly perInstance: boolean;
  readonly directories: readonly RequestedDirectory[];
  readonly wishes: HandoverOptions;
  /** as in a request to acquire */
  readonly staticOnly?: boolean;
  readonly directoryGid?: Gid;
}

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

export interface ExplainDeps extends ChoiceDeps {
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
  request: ExplainRequest,
): Promise<Explanation> {
  const derived = deriveUserName(request.unit, request.perInstance);
  const userName = request.userName ?? derived.name;
  const nameOrigin = request.userName === undefined ? derived.origin : 'given in the request';
  const candidates = new Map<Uid, ExplainedCandidate>();
  const named = { userName, nameOrigin };
  const { user, refusal } = await choose(deps, probe, rights, { ...request, userName }, candidates);
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
  { requester }: Rights,
  { userName: name, directories, staticOnly = false }: ExplainRequest & { readonly userName: UserName },
  candidates: Map<Uid, ExplainedCandidate>,
): Promise<{ readonly user?: Chosen; readonly refusal?: DynuserError }> {
  let last: Finding | undefined;
  const steps: ChoiceSteps<Chosen> = {
    // A loss is found out by who can write it down.
    confirm: live => live,
    async join({ leases, ...live }) {
      const count = leases.length === 1 ? 'one lease' : `${leases.length} leases`;
      return { ...live, outcome: 'join', reason: `the user lives already, with ${count}, and is joined` };
    },
    async useStatic({ leases, ...account }) {
      return { ...account, outcome: 'static', reason: 'this host has the user, which is used' };
    },
    async tryUid(uid, lookup) {
      const lock = deps.locks.peek(uid);
      const evidence = lock.kind === 'free' ? await lookup.check(uid) : evidenceOfLock(lock);
      if (evidence !== undefined) {
        return evidence === 'known' ? evidence : { evidence };
      }
      return { made: { name, uid, gid: uid as number as Gid, dynamic: true, outcome: 'allocate', reason: '' } };
    },
    onFinding(finding) {
      last = finding;
      candidates.set(finding.uid, describe(finding, candidates.get(finding.uid)));
    },
  };
  try {
    const user = await chooseUser(deps, readOnlyProbe(probe), { name, requester, directories, staticOnly }, steps);
    if (user.outcome !== 'allocate') {
      // Of a name that the host has, no UID had to be found.
      candidates.clear();
      return { user };
    }
    const reason = `the UID ${user.uid} is free, and is the ${ORIGIN_WORDS[last?.origin ?? 'sweep']}`;
    return { user: { ...user, reason } };
  } catch (error) {
    if (error instanceof DynuserError && REFUSALS[error.code] !== undefined) {
      return { refusal: error };
    }
    throw error;
  }
}

const ORIGIN_WORDS: Readonly<Record<CandidateOrigin, string>> = {
  owner: 'owner of a directory that the request names',
  preferred: 'one that the name prefers',
  sweep: 'first free one of a search through the whole range',
};

/** @param former what was found out about the same UID before: it was put aside, and nothing better was found */
function describe({ uid, origin, evidence }: Finding, former: ExplainedCandidate | undefined): ExplainedCandidate {
  const finding = evidence === undefined ? 'free' : describeEvidence(evidence);
  return { uid, origin, free: evidence === undefined, finding: reconsidered(finding, evidence, former) };
}

function reconsidered(finding: string, evidence: Evidence | undefined, former: ExplainedCandidate | undefined): string {
  return evidence === undefined && former !== undefined ? `${former.finding}, and no other is free` : finding;
}

async function expectHandovers(
  { directories: room, users }: ExplainDeps,
  { directories, wishes, directoryGid }: ExplainRequest,
  { name, uid, gid, dynamic }: Chosen,
): Promise<readonly ExpectedHandover[]> {
  if (directories.length === 0) {
    return [];
  }
  const owner = { name, uid, gid: directoryGid ?? gid, dynamic };
  return room.explain(directories, owner, { ...wishes, live: () => users.directoriesInUse() });
}
