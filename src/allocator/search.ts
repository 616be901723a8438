/**
 * The search for a UID: which ones are tried for a new user, in which order, and what is found against each. Acquire and
 * Explain search by the same functions; they differ in what it is to hold a UID.
 */
import { type Candidate, candidates } from '../core/candidates.ts';
import { DynuserError } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Uid, UserName } from '../core/ids.ts';
import { SEARCH_DEADLINE_MS } from '../core/limits.ts';
import type { UidRange } from '../core/range.ts';
import type { CoolDown } from './cool-down.ts';
import { evidenceOfLock, type NameLookup } from './name-lookup.ts';
import type { Clock, LockOutcome, PeekOutcome, Randomness } from './ports.ts';
import type { Reservations } from './reservations.ts';
import type { Teardown } from './teardown.ts';
import type { UserTable } from './user-table.ts';

export interface SearchDeps {
  readonly range: UidRange;
  readonly users: UserTable;
  readonly reservations: Reservations;
  readonly coolDown: CoolDown;
  readonly teardown: Pick<Teardown, 'leftoversOf'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

export interface UidSearch {
  readonly name: UserName;
  /** of the directories that the request names: the first candidates */
  readonly owners: readonly Uid[];
  /** whether the UID that is tried is kept from other requests meanwhile; not if it is only looked at */
  readonly reserves: boolean;
}

/** A UID of the search. One that cools down, or that another request tries, comes again if nothing else was free. */
export interface UidCandidate extends Pick<Candidate, 'uid' | 'origin'> {
  /** why it cannot be given out now; undefined if that is to be found out by examineUid() */
  readonly evidence: Evidence | undefined;
}

/**
 * The UIDs to try for a new user, in order; ends if none is left. The one that is being tried is reserved until the next is asked for.
 * @throws DynuserError ProbeFailed if it takes too long
 */
export async function* searchUids(deps: SearchDeps, search: UidSearch): AsyncGenerator<UidCandidate, void, undefined> {
  const { range, randomness, clock, reservations } = deps;
  const deadline = clock.monotonic() + SEARCH_DEADLINE_MS;
  const draw = { start: randomness.uint32(), stride: randomness.uint32() };
  let order: Iterable<Pick<Candidate, 'uid' | 'origin'>> = candidates(search.owners, search.name, range, draw);
  for (let isFirstPass = true; ; isFirstPass = false) {
    const again: UidCandidate[] = [];
    for (const { uid, origin } of order) {
      const evidence = evidenceInMemory(deps, uid, search.name, isFirstPass && origin !== 'owner');
      if (evidence !== undefined) {
        if (evidence.kind === 'cooling' || evidence.kind === 'reserved') {
          again.push({ uid, origin, evidence });
        }
        yield { uid, origin, evidence };
        continue;
      }
      using _reserved = search.reserves ? reservations.take(uid) : undefined;
      yield { uid, origin, evidence };
      if (clock.monotonic() > deadline) {
        const reason = `no free UID was found within ${SEARCH_DEADLINE_MS / 1000} s; try again`;
        throw new DynuserError('ProbeFailed', reason, { field: 'unit' });
      }
    }
    if (again.length === 0) {
      return;
    }
    // Those that other requests were trying are free again if these failed.
    await reservations.waitFor(again.filter(({ evidence }) => evidence?.kind === 'reserved').map(({ uid }) => uid));
    order = again;
  }
}

/** @param avoidsCooling false for the owner of a directory of the request: it left that to whoever comes next */
function evidenceInMemory(
  { users, reservations, coolDown, teardown }: SearchDeps,
  uid: Uid,
  name: UserName,
  avoidsCooling: boolean,
): Evidence | undefined {
  const user = users.holding(uid);
  if (user !== undefined) {
    const isLive = user.lost === undefined && users.dynamicByUid(uid) === user;
    return user.lost === undefined && !isLive
      ? { kind: 'ending', name: user.name, left: teardown.leftoversOf(user) }
      : { kind: isLive ? 'lease' : 'lost', name: user.name };
  }
  if (reservations.has(uid)) {
    return { kind: 'reserved' };
  }
  const former = avoidsCooling ? coolDown.formerUser(uid, name) : undefined;
  return former === undefined ? undefined : { kind: 'cooling', name: former };
}

/** What keeps others from a UID while it is examined: all of it for Acquire, nothing for Explain. */
export interface UidHold {
  lock(): LockOutcome | PeekOutcome;
  /** From the questions about the UID until it resolves, nobody makes an account with that number. */
  lockAccounts(): Promise<void>;
}

/**
 * Finds out whether a UID can be given to a name.
 * @returns why not; undefined if it can; 'known' if the host has the name, so that no UID is needed
 * @throws DynuserError ProbeFailed, LimitReached, HostFailed
 */
export async function examineUid(hold: UidHold, uid: Uid, lookup: NameLookup): Promise<Evidence | 'known' | undefined> {
  const lock = hold.lock();
  if (lock.kind === 'taken' || lock.kind === 'unusable') {
    return evidenceOfLock(lock);
  }
  await hold.lockAccounts();
  return lookup.check(uid);
}
