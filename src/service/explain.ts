/** Explain: what Acquire would do for a request, and why, step by step. Allocates, locks and writes nothing. */
import { type CandidateOrigin, candidates } from '../core/candidates.ts';
import type { Gid, Uid, UnitName, UserName } from '../core/ids.ts';
import { deriveUserName } from '../core/name.ts';
import type { UidRange } from '../core/range.ts';
import { describeEvidence, type Evidence } from '../core/verdict.ts';
import { decideAccount, nameConflict } from './account.ts';
import { rangeExhausted } from './allocator.ts';
import type { DirectoryOwners, DirectoryRequest, Probe, Randomness, UidLocks } from './ports.ts';
import type { Reservations } from './reservations.ts';
import type { UserTable } from './user-table.ts';

export interface ExplainRequest {
  readonly unit: UnitName;
  readonly userName?: UserName;
  readonly perInstance: boolean;
  readonly directories: DirectoryRequest;
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
  readonly uid?: Uid;
  readonly gid?: Gid;
  readonly candidates: readonly ExplainedCandidate[];
}

export interface ExplainParts {
  readonly range: UidRange;
  readonly users: UserTable;
  readonly reservations: Reservations;
  readonly probe: Probe;
  readonly locks: Pick<UidLocks, 'peek'>;
  readonly owners: DirectoryOwners;
  readonly randomness: Randomness;
}

/** @throws DynuserError ProbeFailed */
export async function explain(parts: ExplainParts, request: ExplainRequest): Promise<Explanation> {
  const derived = deriveUserName(request.unit, request.perInstance);
  const userName = request.userName ?? derived.name;
  const nameOrigin = request.userName === undefined ? derived.origin : 'given in the request';
  const named = { userName, nameOrigin };

  const live = parts.users.byName(userName);
  if (live !== undefined) {
    const holders = live.holders.length === 1 ? 'one lease' : `${live.holders.length} leases`;
    const reason = `the user lives already, with ${holders}, and is joined`;
    return { ...named, outcome: 'join', reason, uid: live.uid, gid: live.gid, candidates: [] };
  }
  const decision = decideAccount(userName, await parts.probe.account(userName), parts.range, parts.locks);
  switch (decision.kind) {
    case 'conflict':
      return { ...named, outcome: 'conflict', reason: nameConflict(decision.reason).message, candidates: [] };
    case 'static': {
      const { uid, gid } = decision;
      return { ...named, outcome: 'static', reason: 'this host has the user, which is used', uid, gid, candidates: [] };
    }
    case 'dynamic':
      return { ...named, ...(await search(parts, request, userName)) };
  }
}

async function search(
  parts: ExplainParts,
  request: ExplainRequest,
  name: UserName,
): Promise<Pick<Explanation, 'outcome' | 'reason' | 'uid' | 'gid' | 'candidates'>> {
  const found: ExplainedCandidate[] = [];
  const draw = { start: parts.randomness.uint32(), stride: parts.randomness.uint32() };
  for (const { uid, origin } of candidates(parts.owners.owners(request.directories), name, parts.range, draw)) {
    const evidence = await gather(parts, uid);
    const finding = evidence === undefined ? 'free' : describeEvidence(evidence);
    found.push({ uid, origin, free: evidence === undefined, finding });
    if (evidence === undefined) {
      const reason = `the UID ${uid} is free, and is the ${ORIGIN_WORDS[origin]}`;
      return { outcome: 'allocate', reason, uid, gid: uid as number as Gid, candidates: found };
    }
  }
  const { message } = rangeExhausted(parts.range, parts.users.dynamicCount);
  return { outcome: 'exhausted', reason: message, candidates: found };
}

const ORIGIN_WORDS: Readonly<Record<CandidateOrigin, string>> = {
  owner: 'owner of a directory that the request names',
  preferred: 'one that the name prefers',
  sweep: 'first free one of a search through the whole range',
};

async function gather(parts: ExplainParts, uid: Uid): Promise<Evidence | undefined> {
  const holder = parts.users.dynamicByUid(uid);
  if (holder !== undefined) {
    return { kind: 'lease', name: holder.name };
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
    case 'free':
      return parts.probe.evidence(uid);
  }
}
