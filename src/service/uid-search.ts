/**
 * Which UIDs are tried for a new user, one after the other, and who waits for whom: a UID is tried by one request at a
 * time. Locks and probes nothing by itself.
 */
import { type Candidate, candidates } from '../core/candidates.ts';
import { DynuserError } from '../core/errors.ts';
import type { Uid, UserName } from '../core/ids.ts';
import { SEARCH_DEADLINE_MS } from '../core/limits.ts';
import type { UidRange } from '../core/range.ts';
import type { CoolDown } from './cool-down.ts';
import type { Clock, Randomness } from './ports.ts';
import { rangeExhausted } from './refusals.ts';
import type { Reservations } from './reservations.ts';
import type { UserTable } from './user-table.ts';

type UidCandidate = Pick<Candidate, 'uid' | 'origin'>;

export interface SearchParts {
  readonly range: UidRange;
  readonly users: UserTable;
  readonly reservations: Reservations;
  readonly coolDown: CoolDown;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

interface Search<Made> {
  readonly name: UserName;
  /** makes the user with this UID; undefined where it is not free */
  readonly attempt: (uid: Uid) => Promise<Made | undefined>;
  /** by the monotonic clock */
  readonly deadline: number;
}

/**
 * Tries UIDs until one of them is free.
 * @param owners of the directories that the request names: the first candidates
 * @throws DynuserError RangeExhausted; ProbeFailed where it takes too long; what an attempt throws
 */
export async function searchUid<Made>(
  parts: SearchParts,
  name: UserName,
  owners: readonly Uid[],
  attempt: (uid: Uid) => Promise<Made | undefined>,
): Promise<Made> {
  const { range, randomness, clock, users } = parts;
  const search = { name, attempt, deadline: clock.monotonic() + SEARCH_DEADLINE_MS };
  const draw = { start: randomness.uint32(), stride: randomness.uint32() };
  let order: Iterable<UidCandidate> = candidates(owners, name, range, draw);
  for (let pass = 0; ; pass++) {
    const put = await tryAll(parts, search, order, pass > 0);
    if ('made' in put) {
      return put.made;
    }
    if (put.aside.length === 0) {
      throw rangeExhausted(range, users.heldCount);
    }
    order = put.aside;
  }
}

/**
 * Tries candidates in order.
 * @returns the user; or, where none was free, the candidates that another pass has to look at: UIDs that cool down,
 * and UIDs that other requests were trying, which are free again if those fail
 */
async function tryAll<Made>(
  { clock, users, reservations, coolDown }: SearchParts,
  { name, attempt, deadline }: Search<Made>,
  order: Iterable<UidCandidate>,
  whileCooling: boolean,
): Promise<{ readonly made: Made } | { readonly aside: readonly UidCandidate[] }> {
  const aside: UidCandidate[] = [];
  const contested: Uid[] = [];
  for (const { uid, origin } of order) {
    if (users.holding(uid) !== undefined) {
      continue;
    }
    if (reservations.has(uid)) {
      aside.push({ uid, origin });
      contested.push(uid);
      continue;
    }
    // Who owns the directories that the request names left them to whoever comes next: that is its heir.
    if (!whileCooling && origin !== 'owner' && coolDown.formerHolder(uid, name) !== undefined) {
      aside.push({ uid, origin });
      continue;
    }
    const made = await reservations.during(uid, () => attempt(uid));
    if (made !== undefined) {
      return { made };
    }
    if (clock.monotonic() > deadline) {
      throw new DynuserError('ProbeFailed', `no free UID was found within ${SEARCH_DEADLINE_MS / 1000} s`, {
        field: 'unit',
      });
    }
  }
  await reservations.settled(contested);
  return { aside };
}
