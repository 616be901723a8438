/** Explain: what Acquire would do for a request, and why, step by step. Allocates, locks and writes nothing. */
import { type CandidateOrigin, candidates } from '../core/candidates.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import type { Gid, Uid, UnitName, UserName } from '../core/ids.ts';
import { deriveUserName } from '../core/name.ts';
import type { UidRange } from '../core/range.ts';
import { describeEvidence, type Evidence } from '../core/verdict.ts';
import { decideAccount, nameConflict } from './account.ts';
import type { CoolDown } from './cool-down.ts';
import type { Directories, ExpectedHandover, HandoverWishes } from './directory-ports.ts';
import { lostConflict } from './losses.ts';
import type { Probe, Randomness, UidLocks } from './ports.ts';
import { rangeExhausted } from './refusals.ts';
import type { Reservations } from './reservations.ts';
import type { UserTable } from './user-table.ts';

export interface ExplainRequest {
  readonly unit: UnitName;
  readonly userName?: UserName;
  readonly perInstance: boolean;
  readonly directories: readonly RequestedDirectory[];
  readonly wishes: HandoverWishes;
  /** as in a request to acquire */
  readonly staticOnly?: boolean;
}

export interface ExplainedCandidate {
  readonly uid: Uid;
  readonly origin: CandidateOrigin;
  readonly free: boolean;
  readonly finding: string;
}

export interface Explanation {
  readonly userName: UserName;
  readonly nameOrigin: string;
  readonly outcome: 'allocate' | 'join' | 'static' | 'conflict' | 'exhausted';
  readonly reason: string;
  /** whether the user is or would be a dynamic one */
  readonly dynamic: boolean;
  readonly uid?: Uid;
  readonly gid?: Gid;
  readonly candidates: readonly ExplainedCandidate[];
  /** what would become of the directories that the request names */
  readonly handovers: readonly ExpectedHandover[];
}

export interface SharedParts {
  readonly range: UidRange;
  readonly users: UserTable;
  readonly reservations: Reservations;
  readonly locks: Pick<UidLocks, 'peek'>;
  readonly directories: Pick<Directories, 'owners' | 'expect'>;
  readonly coolDown: CoolDown;
  readonly randomness: Randomness;
}

type ExplainParts = SharedParts & { readonly probe: Probe };

/**
 * @param probe asks the host on behalf of whoever wants to know
 * @throws DynuserError ProbeFailed, DirectoryFailed
 */
export async function explain(shared: SharedParts, probe: Probe, request: ExplainRequest): Promise<Explanation> {
  const parts = { ...shared, probe };
  const derived = deriveUserName(request.unit, request.perInstance);
  const userName = request.userName ?? derived.name;
  const nameOrigin = request.userName === undefined ? derived.origin : 'given in the request';
  const found = await choose(parts, request, userName);
  const handovers = await expectHandovers(parts, request, userName, found);
  return { userName, nameOrigin, ...found, handovers };
}

type Choice = Omit<Explanation, 'userName' | 'nameOrigin' | 'handovers'>;

async function choose(parts: ExplainParts, request: ExplainRequest, name: UserName): Promise<Choice> {
  const live = parts.users.byName(name);
  if (live?.lost !== undefined) {
    return { outcome: 'conflict', reason: lostConflict(live).message, dynamic: true, candidates: [] };
  }
  if (live !== undefined) {
    const holders = live.holders.length === 1 ? 'one lease' : `${live.holders.length} leases`;
    const reason = `the user lives already, with ${holders}, and is joined`;
    const { uid, gid, dynamic } = live;
    return { outcome: 'join', reason, dynamic, uid, gid, candidates: [] };
  }
  const staticOnly = request.staticOnly === true;
  const decision = decideAccount(name, await parts.probe.account(name), parts.range, parts.locks, staticOnly);
  switch (decision.kind) {
    case 'conflict':
      return { outcome: 'conflict', reason: nameConflict(decision.reason).message, dynamic: false, candidates: [] };
    case 'static': {
      const { uid, gid } = decision;
      const reason = 'this host has the user, which is used';
      return { outcome: 'static', reason, dynamic: false, uid, gid, candidates: [] };
    }
    case 'dynamic':
      return search(parts, request, name);
  }
}

async function expectHandovers(
  parts: ExplainParts,
  { directories, wishes }: ExplainRequest,
  name: UserName,
  { dynamic, uid, gid }: Choice,
): Promise<readonly ExpectedHandover[]> {
  if (uid === undefined || gid === undefined || directories.length === 0) {
    return [];
  }
  return parts.directories.expect(directories, { name, uid, gid, dynamic }, wishes);
}

async function search(parts: ExplainParts, request: ExplainRequest, name: UserName): Promise<Choice> {
  const found: ExplainedCandidate[] = [];
  const draw = { start: parts.randomness.uint32(), stride: parts.randomness.uint32() };
  const owners = request.directories.length === 0 ? [] : await parts.directories.owners(request.directories);
  let cooling: ExplainedCandidate | undefined;
  for (const { uid, origin } of candidates(owners, name, parts.range, draw)) {
    const evidence = await gather(parts, uid, origin === 'owner' ? undefined : name);
    const candidate = { uid, origin, free: evidence === undefined, finding: describe(evidence) };
    found.push(candidate);
    if (evidence === undefined) {
      return given(candidate, found);
    }
    cooling ??= evidence.kind === 'cooling' ? candidate : undefined;
  }
  // Nothing else is free, so the first that cools down would be taken.
  if (cooling !== undefined) {
    return given(cooling, found);
  }
  const { message } = rangeExhausted(parts.range, parts.users.heldCount);
  return { outcome: 'exhausted', reason: message, dynamic: true, candidates: found };
}

function given({ uid, origin }: ExplainedCandidate, candidates: readonly ExplainedCandidate[]): Choice {
  const reason = `the UID ${uid} is free, and is the ${ORIGIN_WORDS[origin]}`;
  return { outcome: 'allocate', reason, dynamic: true, uid, gid: uid as number as Gid, candidates };
}

const ORIGIN_WORDS: Readonly<Record<CandidateOrigin, string>> = {
  owner: 'owner of a directory that the request names',
  preferred: 'one that the name prefers',
  sweep: 'first free one of a search through the whole range',
};

function describe(evidence: Evidence | undefined): string {
  return evidence === undefined ? 'free' : describeEvidence(evidence);
}

/** @param name who asks; undefined for the owner of its directories, who needs no cool-down */
async function gather(parts: ExplainParts, uid: Uid, name: UserName | undefined): Promise<Evidence | undefined> {
  const holder = parts.users.holding(uid);
  if (holder !== undefined) {
    const kind = holder.lost !== undefined ? 'lost' : parts.users.dynamicByUid(uid) === holder ? 'lease' : 'ending';
    return { kind, name: holder.name };
  }
  if (parts.reservations.has(uid)) {
    return { kind: 'reserved' };
  }
  const lock = parts.locks.peek(uid);
  switch (lock.kind) {
    case 'taken':
      return { kind: 'systemd-lock' };
    case 'unusable':
      return { kind: 'lock-unusable', reason: lock.reason };
    case 'free': {
      const former = name === undefined ? undefined : parts.coolDown.formerHolder(uid, name);
      return (await parts.probe.evidence(uid)) ?? (former && { kind: 'cooling', name: former });
    }
  }
}
