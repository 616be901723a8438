/**
 * Which user a request gets: the live one of its name, a new one, or the host's account. Every decision and every refusal is
 * made here, for Acquire, which carries it out, and for Explain, which only says it.
 */
import { mayJoin, type Requester } from '../core/access.ts';
import { isKnown } from '../core/account.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { UserLease } from '../core/lease.ts';
import { HOLDERS_PER_USER_MAX } from '../core/limits.ts';
import { decideAccount, nameConflict, noSuchAccount, staticIsRoots } from './account.ts';
import type { Directories, DirectoryLook } from './directory-ports.ts';
import { lostConflict } from './losses.ts';
import { Inquiry } from './name-lookup.ts';
import type { Probe, UidLocks } from './ports.ts';
import { limitReached } from './refusals.ts';
import { type Finding, type SearchParts, searchUid, type Trial } from './search.ts';
import type { Endings } from './teardown.ts';

export interface ChoiceParts extends SearchParts {
  readonly locks: Pick<UidLocks, 'peek'>;
  readonly directories: Pick<Directories, 'look'>;
  readonly endings: Pick<Endings, 'settled' | 'leftOf'>;
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
  confirm(live: UserLease): UserLease;
  /** @returns undefined if the user has ended meanwhile */
  join(live: UserLease): Promise<Made | undefined>;
  /**
   * Looks whether a UID is free, and makes a user of it if it is.
   * @param look at the directories of the request, if it has any
   */
  tryUid(uid: Uid, inquiry: Inquiry, look: DirectoryLook | undefined): Promise<Trial<Made>>;
  /** @param account without a lease */
  useStatic(account: UserLease): Promise<Made>;
  /** told of each UID that was looked at */
  readonly onFinding?: (finding: Finding) => void;
}

/**
 * @param probe asks the host on behalf of the requester
 * @throws DynuserError NameConflict, NotPermitted, RangeExhausted, ProbeFailed, LimitReached; what a step throws
 */
export async function chooseUser<Made>(
  parts: ChoiceParts,
  probe: Probe,
  request: ChoiceRequest,
  steps: ChoiceSteps<Made>,
): Promise<Made> {
  const { users, endings, range, locks } = parts;
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
  await endings.settled(name);
  const inquiry = new Inquiry(probe, name);
  const made = staticOnly ? undefined : await makeUser(parts, request, inquiry, steps);
  if (made !== undefined) {
    return made;
  }
  // No UID that was tried is locked any more: a lock that is seen now is not ours.
  const decision = decideAccount(name, await inquiry.account(), range, locks);
  switch (decision.kind) {
    case 'conflict':
      throw nameConflict(decision.reason);
    case 'static':
      if (!requester.isRoot) {
        throw staticIsRoots(name);
      }
      return steps.useStatic({ name, uid: decision.uid, gid: decision.gid, dynamic: false, holders: [] });
    case 'dynamic':
      throw noSuchAccount(name);
  }
}

/** @throws DynuserError NotPermitted, LimitReached if a requester cannot have one more lease of a user */
export function checkJoin({ name, holders }: UserLease, requester: Requester): void {
  const owners = holders.map(holder => holder.owner);
  const access = mayJoin(requester, name, owners);
  if (!access.allowed) {
    throw new DynuserError('NotPermitted', access.reason, { field: 'userName' });
  }
  if (holders.length >= HOLDERS_PER_USER_MAX) {
    const { code, message } = limitReached(`the user ${name} has ${HOLDERS_PER_USER_MAX} leases already`);
    throw new DynuserError(code, message, { field: 'userName' });
  }
}

/**
 * Looks for a UID before it is known whether the host has the name, which it has not for most: NSS is asked for both.
 * @returns undefined if the host knows the name, so that it is not for us to make a user of it
 */
async function makeUser<Made>(
  parts: ChoiceParts,
  { name, directories }: ChoiceRequest,
  inquiry: Inquiry,
  { tryUid, onFinding }: ChoiceSteps<Made>,
): Promise<Made | undefined> {
  let look: DirectoryLook | undefined;
  try {
    look = directories.length === 0 ? undefined : await parts.directories.look(directories);
    const found = await searchUid(parts, look?.owners ?? [], {
      name,
      attempt: uid => tryUid(uid, inquiry, look),
      leftOf: user => parts.endings.leftOf(user),
      ...(onFinding === undefined ? {} : { onFinding }),
    });
    return found === 'known' ? undefined : found.made;
  } catch (error) {
    // A user of the host needs no UID, and a name that cannot be had neither: what NSS says comes first.
    if (isKnown(await inquiry.account())) {
      return undefined;
    }
    throw error;
  } finally {
    look?.end();
  }
}
