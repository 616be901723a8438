/**
 * Which UIDs are tried for a new user, one after the other, and who waits for whom: a UID is tried by one request at a
 * time. Locks and probes nothing by itself. Acquire and Explain search alike; they differ in what it is to try a UID.
 */
import { type Candidate, candidates } from '../core/candidates.ts';
import { DynuserError } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { SEARCH_DEADLINE_MS } from '../core/limits.ts';
import type { UidRange } from '../core/range.ts';
import type { CoolDown } from './cool-down.ts';
import type { Clock, Randomness } from './ports.ts';
import { rangeExhausted } from './refusals.ts';
import type { Reservations } from './reservations.ts';
import type { UserTable } from './user-table.ts';

type UidCandidate = Pick<Candidate, 'uid' | 'origin'>;

/** What came of trying a UID: it was free; it is not, and why; or no UID is needed, since the host has the name. */
export type Trial<Made> = { readonly made: Made } | { readonly evidence: Evidence } | 'known';

/** What was found out about a candidate. A UID that cools down may be there again, when nothing else was free. */
export interface Finding extends UidCandidate {
  /** undefined if it is free */
  readonly evidence: Evidence | undefined;
}

export interface SearchDeps {
  readonly range: UidRange;
  readonly users: UserTable;
  readonly reservations: Reservations;
  readonly coolDown: CoolDown;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export interface Search<Made> {
  readonly name: UserName;
  /** Tries a UID that no other request is trying; called in the tick in which that is so. */
  readonly attempt: (uid: Uid) => Promise<Trial<Made>>;
  /** @returns what keeps the UID of a user that is ending reserved, in words, as far as it is known */
  readonly leftoversOf: (user: DynamicUser) => string | undefined;
  /** told of each candidate in order */
  readonly onFinding?: (finding: Finding) => void;
}

/**
 * Tries UIDs until one of them is free.
 * @param owners of the directories that the request names: the first candidates
 * @returns what was made of it; 'known' if the host has the name
 * @throws DynuserError RangeExhausted; ProbeFailed if it takes too long; what an attempt throws
 */
export async function searchUid<Made>(
  deps: SearchDeps,
  owners: readonly Uid[],
  search: Search<Made>,
): Promise<{ readonly made: Made } | 'known'> {
  const { range, randomness, clock, users } = deps;
  const deadline = clock.monotonic() + SEARCH_DEADLINE_MS;
  const draw = { start: randomness.uint32(), stride: randomness.uint32() };
  let order: Iterable<UidCandidate> = candidates(owners, search.name, range, draw);
  for (let pass = 0; ; pass++) {
    const found = await tryAll(deps, search, order, pass > 0, deadline);
    if (found === 'known' || 'made' in found) {
      return found;
    }
    if (found.aside.length === 0) {
      throw rangeExhausted(range, users.heldCount);
    }
    order = found.aside;
  }
}

/**
 * Tries candidates in order.
 * @param deadline by the monotonic clock
 * @returns what was made; or, if none was free, the candidates that another pass has to look at: UIDs that cool down,
 * and UIDs that other requests were trying, which are free again if those fail
 */
async function tryAll<Made>(
  { clock, users, reservations, coolDown }: SearchDeps,
  { name, attempt, leftoversOf: leftOf, onFinding }: Search<Made>,
  order: Iterable<UidCandidate>,
  whileCooling: boolean,
  deadline: number,
): Promise<{ readonly made: Made } | 'known' | { readonly aside: readonly UidCandidate[] }> {
  const aside: UidCandidate[] = [];
  const contested: Uid[] = [];
  for (const { uid, origin } of order) {
    const report = (evidence: Evidence | undefined) => onFinding?.({ uid, origin, evidence });
    const lease = users.holding(uid);
    if (lease !== undefined) {
      const { lost, name: user } = lease;
      const isLive = lost === undefined && users.dynamicByUid(uid) === lease;
      report(
        lost === undefined && !isLive
          ? { kind: 'ending', name: user, left: leftOf(lease) }
          : { kind: isLive ? 'lease' : 'lost', name: user },
      );
      continue;
    }
    if (reservations.has(uid)) {
      report({ kind: 'reserved' });
      aside.push({ uid, origin });
      contested.push(uid);
      continue;
    }
    // Who owns the directories that the request names left them to whoever comes next: that is its heir.
    const former = whileCooling || origin === 'owner' ? undefined : coolDown.formerUser(uid, name);
    if (former !== undefined) {
      report({ kind: 'cooling', name: former });
      aside.push({ uid, origin });
      continue;
    }
    const trial = await attempt(uid);
    if (trial === 'known') {
      return trial;
    }
    report('evidence' in trial ? trial.evidence : undefined);
    if ('made' in trial) {
      return trial;
    }
    if (clock.monotonic() > deadline) {
      throw new DynuserError('ProbeFailed', `no free UID was found within ${SEARCH_DEADLINE_MS / 1000} s`, {
        field: 'unit',
      });
    }
  }
  await reservations.waitFor(contested);
  return { aside };
}
