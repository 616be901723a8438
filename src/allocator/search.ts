/**
 * The search for a UID: which ones are tried for a new user, in which order, and what is found against each. Acquire and
 * Explain search by the same functions; they differ in how they hold a UID.
 */
import { type Candidate, candidates } from '../core/candidates.ts';
import { DynuserError } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Uid, UnitName, UserName } from '../core/ids.ts';
import { SEARCH_DEADLINE_MS } from '../core/limits.ts';
import { rangeSize, type UidRange } from '../core/range.ts';
import type { NameLookup } from './choose-user.ts';
import type { CoolDown } from './cool-down.ts';
import type { LeaseEvents } from './events.ts';
import type { Clock, LockOutcome, PeekOutcome, Randomness } from './ports.ts';
import type { Teardown } from './teardown.ts';
import type { UserTable } from './user-table.ts';

/** UIDs that are passed over in one turn of the event loop, each with a look into memory. */
const PASSED_A_TURN = 4_096;

/** The UIDs that requests are trying at this moment: two requests never probe one UID, and can wait for each other. */
export class Reservations {
  readonly #trying = new Map<Uid, Promise<void>>();

  has(uid: Uid): boolean {
    return this.#trying.has(uid);
  }

  /** Reserves a UID until the end of the scope. The caller has checked has() in the same tick. */
  take(uid: Uid): Disposable {
    let end: () => void = () => undefined;
    const over = new Promise<void>(resolve => {
      end = resolve;
    });
    this.#trying.set(uid, over);
    return {
      [Symbol.dispose]: () => {
        this.#trying.delete(uid);
        end();
      },
    };
  }

  /** Waits until the requests that try these UIDs now have ended, whatever came of them. */
  async waitFor(uids: readonly Uid[]): Promise<void> {
    await Promise.all(uids.map(uid => this.#trying.get(uid)));
  }
}

export interface SearchDeps {
  /** the range of a unit, as it is configured now */
  readonly rangeOf: (unit: UnitName) => UidRange;
  readonly users: UserTable;
  readonly reservations: Reservations;
  readonly coolDown: CoolDown;
  readonly teardown: Pick<Teardown, 'leftoversOf'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly events: LeaseEvents;
}

export interface UidSearch {
  readonly name: UserName;
  readonly range: UidRange;
  /** of the directories that the request names: the first candidates */
  readonly owners: readonly Uid[];
  /** whose a UID is in the fleet, if it is not the name's own; absent: the range is this host's alone */
  readonly fleetOwnerOf?: (uid: Uid) => UserName | undefined;
  /** Explain is also told of the UIDs that cannot be given out now, and keeps none from other requests. */
  readonly explains: boolean;
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
  const { randomness, clock, reservations, events } = deps;
  const deadline = clock.monotonic() + SEARCH_DEADLINE_MS;
  const draw = { start: randomness.uint32(), stride: randomness.uint32() };
  let order: Iterable<Pick<Candidate, 'uid' | 'origin'>> = candidates(search.owners, search.name, search.range, draw);
  const checkDeadline = () => {
    if (clock.monotonic() > deadline) {
      const reason = `no free UID was found within ${SEARCH_DEADLINE_MS / 1000} s; try again`;
      throw new DynuserError('ProbeFailed', reason, { field: 'unit' });
    }
  };
  let passed = 0;
  for (let isFirstPass = true; ; isFirstPass = false) {
    const again: UidCandidate[] = [];
    for (const { uid, origin } of order) {
      const evidence = evidenceInMemory(deps, uid, search, isFirstPass && origin !== 'owner');
      if (evidence !== undefined) {
        if (evidence.kind === 'cooling' || evidence.kind === 'reserved') {
          again.push({ uid, origin, evidence });
        }
        // To yield waits for a promise: a sweep over a full range would pay for each UID that is in use.
        if (search.explains) {
          yield { uid, origin, evidence };
        } else if (events.isHeard('skipped')) {
          events.tell({ kind: 'skipped', name: search.name, uid, evidence });
        }
        if (++passed % PASSED_A_TURN === 0) {
          await new Promise(resolve => setImmediate(resolve));
          checkDeadline();
        }
        continue;
      }
      using _reserved = search.explains ? undefined : reservations.take(uid);
      yield { uid, origin, evidence };
      checkDeadline();
    }
    if (again.length === 0) {
      return;
    }
    // Those that other requests were trying are free again if these failed.
    await reservations.waitFor(again.filter(({ evidence }) => evidence?.kind === 'reserved').map(({ uid }) => uid));
    order = again;
  }
}

/**
 * @param avoidsCooling false for the owner of a directory of the request: it left that to whoever comes next
 * @returns why a UID cannot be given out now, as far as the daemon knows by itself
 */
export function evidenceInMemory(
  { users, reservations, coolDown, teardown }: Pick<SearchDeps, 'users' | 'reservations' | 'coolDown' | 'teardown'>,
  uid: Uid,
  { name, fleetOwnerOf }: Pick<UidSearch, 'name' | 'fleetOwnerOf'>,
  avoidsCooling: boolean,
): Evidence | undefined {
  const user = users.holding(uid);
  if (user !== undefined) {
    if (user.lost === undefined && users.dynamicByUid(uid) === undefined) {
      return { kind: 'ending', name: user.name, left: teardown.leftoversOf(user) };
    }
    return { kind: user.lost === undefined ? 'lease' : 'lost', name: user.name };
  }
  const owner = fleetOwnerOf?.(uid);
  if (owner !== undefined) {
    return { kind: 'fleet', name: owner };
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
  if (lock.kind === 'taken') {
    return { kind: 'systemd-lock' };
  }
  if (lock.kind === 'unusable') {
    return { kind: 'lock-unusable', reason: lock.reason };
  }
  await hold.lockAccounts();
  return lookup.check(uid);
}

/** What a request is told if its search has ended without a UID. */
export function rangeExhausted({ users }: Pick<SearchDeps, 'users'>, range: UidRange): DynuserError {
  const [size, held] = [rangeSize(range), users.countHeld(range)];
  const others = held < size ? ' and the rest is used by others' : '';
  const reason =
    `no UID of ${range.text} is free: ${held} of ${size} are held here${others}; ` +
    'release users that are not needed, or widen UidRange=';
  return new DynuserError('RangeExhausted', reason, { held });
}
