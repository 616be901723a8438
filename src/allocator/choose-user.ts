/**
 * Which user a request gets: the live one of its name, a new one, or the host's account. Every decision and every refusal is
 * made here, for Acquire, which carries it out, and for Explain, which only says it.
 */
import { mayJoin, type Requester } from '../core/access.ts';
import { isKnown } from '../core/account.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { LEASES_PER_USER_MAX } from '../core/limits.ts';
import { decideAccount, nameConflict, noSuchAccount, staticIsRoots } from './account.ts';
import type { Directories, DirectorySnapshot } from './directory-ports.ts';
import { lostConflict } from './losses.ts';
import { NameLookup } from './name-lookup.ts';
import type { Probe, UidLocks } from './ports.ts';
import { limitReached } from './refusals.ts';
import { type Finding, type SearchDeps, searchUid, type Trial } from './search.ts';
import type { Teardown } from './teardown.ts';

export interface ChoiceDeps extends SearchDeps {
  readonly locks: Pick<UidLocks, 'peek'>;
  readonly directories: Pick<Directories, 'inspect'>;
  readonly teardown: Pick<Teardown, 'waitFor' | 'leftoversOf'>;
}

export interface ChoiceRequest {
  readonly name: UserName;
  readonly requester: Requester;
  readonly directories: readonly RequestedDirectory[];
  /** the user has to be an account of the host: none is made */
  readonly staticOnly: boolean;
}

/** What is done with the user that was chosen. All may throw DynuserError, which ends the choice. */
export interface ChoiceSteps<Made> {
  /** @returns the live user, with what is known of the loss of its UID */
  confirm(live: DynamicUser): DynamicUser;
  /** @returns undefined if the user has ended meanwhile */
  join(live: DynamicUser): Promise<Made | undefined>;
  /**
   * Looks whether a UID is free, and makes a user of it if it is.
   * @param snapshot of the directories of the request, if it has any
   */
  tryUid(uid: Uid, lookup: NameLookup, snapshot: DirectorySnapshot | undefined): Promise<Trial<Made>>;
  /** @param account without a lease */
  useStatic(account: DynamicUser): Promise<Made>;
  /** told of each UID that was looked at */
  readonly onFinding?: (finding: Finding) => void;
}

/**
 * @param probe asks the host on behalf of the requester
 * @throws DynuserError NameConflict, NotPermitted, RangeExhausted, ProbeFailed, LimitReached; what a step throws
 */
export async function chooseUser<Made>(
  deps: ChoiceDeps,
  probe: Probe,
  request: ChoiceRequest,
  steps: ChoiceSteps<Made>,
): Promise<Made> {
  const { users, teardown, range, locks } = deps;
  const { name, requester, staticOnly } = request;
  for (let live = users.byName(name); live !== undefined; live = users.byName(name)) {
    if (steps.confirm(live).lost !== undefined) {
      throw lostConflict(users.byName(name) ?? live);
    }
    checkJoin(live, requester);
    const joined = await steps.join(live);
    if (joined !== undefined) {
      return joined;
    }
  }
  await teardown.waitFor(name);
  const lookup = new NameLookup(probe, name);
  const made = staticOnly ? undefined : await makeUser(deps, request, lookup, steps);
  if (made !== undefined) {
    return made;
  }
  // No UID that was tried is locked any more: a lock that is seen now is not ours.
  const decision = decideAccount(name, await lookup.account(), range, locks);
  switch (decision.kind) {
    case 'conflict':
      throw nameConflict(decision.reason);
    case 'static':
      if (!requester.isRoot) {
        throw staticIsRoots(name);
      }
      return steps.useStatic({ name, uid: decision.uid, gid: decision.gid, dynamic: false, leases: [] });
    case 'dynamic':
      throw noSuchAccount(name);
  }
}

/** @throws DynuserError NotPermitted, LimitReached if a requester cannot have one more lease of a user */
export function checkJoin({ name, leases }: DynamicUser, requester: Requester): void {
  const owners = leases.map(lease => lease.owner);
  const access = mayJoin(requester, name, owners);
  if (!access.allowed) {
    throw new DynuserError('NotPermitted', access.reason, { field: 'userName' });
  }
  if (leases.length >= LEASES_PER_USER_MAX) {
    const { code, message } = limitReached(`the user ${name} has ${LEASES_PER_USER_MAX} leases already`);
    throw new DynuserError(code, message, { field: 'userName' });
  }
}

/**
 * Looks for a UID before it is known whether the host has the name, which it has not for most: NSS is asked for both.
 * @returns undefined if the host knows the name, so that it is not for us to make a user of it
 */
async function makeUser<Made>(
  deps: ChoiceDeps,
  { name, directories }: ChoiceRequest,
  lookup: NameLookup,
  { tryUid, onFinding }: ChoiceSteps<Made>,
): Promise<Made | undefined> {
  let snapshot: DirectorySnapshot | undefined;
  try {
    snapshot = directories.length === 0 ? undefined : await deps.directories.inspect(directories);
    const found = await searchUid(deps, snapshot?.owners ?? [], {
      name,
      attempt: uid => tryUid(uid, lookup, snapshot),
      leftoversOf: user => deps.teardown.leftoversOf(user),
      ...(onFinding === undefined ? {} : { onFinding }),
    });
    return found === 'known' ? undefined : found.made;
  } catch (error) {
    // A user of the host needs no UID, and a name that cannot be had neither: what NSS says comes first.
    if (isKnown(await lookup.account())) {
      return undefined;
    }
    throw error;
  } finally {
    snapshot?.[Symbol.dispose]();
  }
}
