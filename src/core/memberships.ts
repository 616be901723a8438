/**
 * Who is a member of which shared group. A lease names the groups that it holds, and that is all that there is to know: members of a
 * group are the live dynamic users with such a lease, while the group is live itself.
 */
import type { Gid, UserName } from './ids.ts';
import type { DynamicUser, Lease, LeasedGroup } from './lease.ts';

/** @returns the groups that the leases of a user hold, each once, in the order in which they came */
export function heldGroups({ leases }: { readonly leases: readonly Pick<Lease, 'groups'>[] }): readonly LeasedGroup[] {
  const groups = new Map<UserName, LeasedGroup>();
  for (const lease of leases) {
    for (const group of lease.groups ?? []) {
      groups.set(group.name, group);
    }
  }
  return [...groups.values()];
}

/** @returns whether programs are told of a user and its groups: accounts of the host are told of by the host alone */
export function isTold({ dynamic, lost }: Pick<DynamicUser, 'dynamic' | 'lost'>): boolean {
  return dynamic && lost === undefined;
}

export interface Memberships {
  /** by the number of the group; none is empty */
  readonly members: ReadonlyMap<Gid, readonly UserName[]>;
  /** by the name of the user; none is empty */
  readonly groups: ReadonlyMap<UserName, readonly Gid[]>;
}

/** @returns all memberships among users that have leases */
export function membershipsAmong(users: readonly DynamicUser[]): Memberships {
  const members = new Map<Gid, UserName[]>();
  const groups = new Map<UserName, readonly Gid[]>();
  let live: Map<UserName, Gid> | undefined;
  for (const user of users) {
    const held = isTold(user) ? heldGroups(user) : [];
    if (held.length === 0) {
      continue;
    }
    live ??= new Map(users.filter(isTold).map(({ name, gid }) => [name, gid]));
    const gids = held.filter(({ name, gid }) => live?.get(name) === gid).map(({ gid }) => gid);
    if (gids.length > 0) {
      groups.set(user.name, gids);
    }
    for (const gid of gids) {
      const names = members.get(gid);
      if (names === undefined) {
        members.set(gid, [user.name]);
      } else {
        names.push(user.name);
      }
    }
  }
  return { members, groups };
}
