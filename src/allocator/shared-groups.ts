/**
 * Shared groups: groups that several dynamic users are in (Group=, SupplementaryGroups=). A dynamic group is the group of the dynamic
 * user of its name, as with systemd, and it is searched for, locked, recovered and ended as that is. Each lease that names the group
 * holds it by one more lease there, a membership: so the GID stays for as long as anybody is in the group.
 *
 * A membership is written before the lease that it is for, and ends after what had the group: with that lease, or if it was the last
 * one of its user, when nothing of the user is left. One whose lease is not there was made by a daemon that died in between: it ends.
 */
import { DynuserError } from '../core/errors.ts';
import type { Gid, LeaseId, Uid, UserName } from '../core/ids.ts';
import { type DynamicUser, type LeasedGroup, type Membership, termsOf } from '../core/lease.ts';
import { Scope } from '../core/scope.ts';
import type { Allocator } from './allocate.ts';
import { hostGroup, noSuchGroup } from './choose-user.ts';
import type { Directories } from './directory-ports.ts';
import type { LeaseEvents } from './events.ts';
import type { Acquired } from './lease.ts';
import type { Probes, Randomness, UidLocks } from './ports.ts';
import { type ReleaseDeps, releaseGone } from './release.ts';
import {
  type AcquireRequest,
  type LeaseOwner,
  nameOfRequest,
  type SharedGroupRequest,
  type UserRequest,
} from './request.ts';

export interface SharedGroupDeps {
  readonly allocator: Pick<Allocator, 'acquire'>;
  readonly release: ReleaseDeps;
  readonly directories: Pick<Directories, 'inspect'>;
  readonly locks: Pick<UidLocks, 'peek'>;
  readonly probes: Probes;
  readonly randomness: Pick<Randomness, 'leaseId'>;
  readonly events: LeaseEvents;
  readonly onFailure: (what: string, cause: unknown) => void;
}

/** A group as whoever asked is told of it: one of the host is not held. */
export interface AcquiredGroup extends LeasedGroup {
  readonly dynamic: boolean;
}

export interface AcquiredInGroups extends Acquired {
  /** in the order of the request */
  readonly groups: readonly AcquiredGroup[];
}

export class SharedGroups {
  readonly #deps: SharedGroupDeps;

  constructor(deps: SharedGroupDeps) {
    this.#deps = deps;
    deps.events.on(['released'], ({ user, lease }) => {
      // What is left of a user that ends may still have the group.
      if (lease.groups !== undefined && deps.release.users.byName(user.name) !== undefined) {
        this.#end(lease.groups, lease.id);
      }
    });
    deps.events.on(['ended'], ({ user: { leases } }) => {
      for (const { id, groups = [] } of leases) {
        this.#end(groups, id);
      }
    });
  }

  /**
   * Acquire, of a user that is in groups.
   * @throws DynuserError as Allocator.acquire() does; the field of an error about a group is "group" or "supplementaryGroups"
   */
  async acquire(request: AcquireRequest, owner: LeaseOwner): Promise<AcquiredInGroups> {
    const wanted = groupsOfRequest(request);
    if (wanted.length === 0) {
      return { ...(await this.#deps.allocator.acquire(request, owner)), groups: [] };
    }
    const id = this.#deps.randomness.leaseId();
    // They end with it, unless the lease that they are for is there.
    await using memberships = new Scope();
    const groups: AcquiredGroup[] = [];
    for (const group of wanted) {
      groups.push(await this.#join(group, request, owner, { user: nameOfRequest(request), lease: id }, memberships));
    }
    const acquired = await this.#deps.allocator.acquire(
      {
        ...request,
        ...directoryGidOf(wanted, groups),
        id,
        groups: groups.flatMap(({ name, gid, dynamic }) => (dynamic ? [{ name, gid }] : [])),
      },
      owner,
    );
    memberships.move();
    return { ...acquired, groups };
  }

  /**
   * Ends memberships that a former daemon left without the lease that they are for; to be called before the users that end are
   * taken up.
   */
  resume(ending: readonly DynamicUser[]): void {
    const { users } = this.#deps.release;
    const kept = new Set(ending.flatMap(({ leases }) => leases.map(({ id }) => id)));
    for (const { leases } of [...users.live()]) {
      for (const { id, member } of leases) {
        if (member !== undefined && users.byLease(member.lease) === undefined && !kept.has(member.lease)) {
          this.#endOne(id);
        }
      }
    }
  }

  async #join(
    group: SharedGroupRequest,
    request: AcquireRequest,
    owner: LeaseOwner,
    member: Membership,
    memberships: Scope,
  ): Promise<AcquiredGroup> {
    const { users } = this.#deps.release;
    const { name, isPrimary, mustExist } = group;
    try {
      const { locks, probes } = this.#deps;
      const ofHost = await hostGroup({ locks, users }, group, owner.requester, probes.for(owner.requester));
      if (ofHost !== undefined) {
        return { name, gid: ofHost, dynamic: false };
      }
      const isLive = users.byName(name) !== undefined;
      const asked = {
        ...groupRequest(group, request),
        ...termsOf(request),
        ...{ member, triedFirst: isLive ? [] : await numbersTriedFirst(this.#deps, group, request) },
      };
      const { user, lease } = await this.#deps.allocator.acquire(asked, owner);
      memberships.defer(() => releaseGone(this.#deps.release, lease.id));
      return { name, gid: user.gid, dynamic: user.dynamic };
    } catch (error) {
      const hasEnded =
        mustExist && error instanceof DynuserError && error.code === 'NameConflict' && users.byName(name) === undefined;
      throw inWordsOfGroup(hasEnded ? noSuchGroup(name, isPrimary) : error, group);
    }
  }

  #end(groups: readonly LeasedGroup[], of: LeaseId): void {
    for (const { name } of groups) {
      const leases = this.#deps.release.users.byName(name)?.leases ?? [];
      for (const { id, member } of leases) {
        if (member?.lease === of) {
          this.#endOne(id);
        }
      }
    }
  }

  #endOne(lease: LeaseId): void {
    releaseGone(this.#deps.release, lease).catch(error => {
      this.#deps.onFailure(`cannot end the membership ${lease}, whose lease is gone`, error);
    });
  }
}

/** @returns the groups that a request names, each once, without the user's own */
export function groupsOfRequest(request: UserRequest): readonly SharedGroupRequest[] {
  const own = request.staticOnly === true ? undefined : nameOfRequest(request);
  const groups = new Map<UserName, SharedGroupRequest>();
  for (const group of request.sharedGroups ?? []) {
    if (group.name !== own && !groups.has(group.name)) {
      groups.set(group.name, group);
    }
  }
  return [...groups.values()];
}

/** The request for the user whose group it is. */
export function groupRequest({ name, mustExist }: SharedGroupRequest, { unit }: UserRequest) {
  return {
    ...{ unit, userName: name, perInstance: false, directories: [], makesMounts: false, verify: false },
    ...{ staticOnly: mustExist, cleanup: { processes: true, ipc: true } },
  } satisfies UserRequest & Pick<AcquireRequest, 'cleanup'>;
}

/** @returns the groups of the directories that exist: a group that comes again gets the GID that it had */
export async function numbersTriedFirst(
  { directories }: Pick<SharedGroupDeps, 'directories'>,
  { isPrimary }: SharedGroupRequest,
  { directories: requested }: UserRequest,
): Promise<readonly Uid[]> {
  if (!isPrimary || requested.length === 0) {
    return [];
  }
  using snapshot = await directories.inspect(requested);
  return snapshot.groups.map(gid => gid as number as Uid);
}

/** @param groups those that were wanted, in their order */
export function directoryGidOf(
  wanted: readonly SharedGroupRequest[],
  groups: readonly { readonly gid?: Gid }[],
): Pick<UserRequest, 'directoryGid'> {
  const gid = groups[wanted.findIndex(({ isPrimary }) => isPrimary)]?.gid;
  return gid === undefined ? {} : { directoryGid: gid };
}

/** @returns the error, about the group if it is about the group's user */
export function inWordsOfGroup(error: unknown, { isPrimary }: SharedGroupRequest): unknown {
  if (!(error instanceof DynuserError) || error.detail.field !== 'userName') {
    return error;
  }
  const field = isPrimary ? 'group' : 'supplementaryGroups';
  return new DynuserError(error.code, error.message, { ...error.detail, field }, error);
}
