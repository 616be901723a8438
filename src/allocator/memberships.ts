/**
 * What programs are told of shared groups, kept in step with the leases. It is told before a lease is written and taken back before
 * one ends: who reads it in between sees a member that is not there yet, or not any more, and never one that is missing.
 */
import type { UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { heldGroups, isTold } from '../core/memberships.ts';
import type { Registry } from './ports.ts';
import type { UserTable } from './user-table.ts';

export interface MembershipDeps {
  readonly users: UserTable;
  readonly registry: Pick<Registry, 'tellMembers' | 'tellGroups'>;
}

/**
 * Tells of the memberships of a user as it is about to be: the table may still have its former state, or none. Nothing is asked of the
 * file system if it has no shared groups and had none.
 * @throws DynuserError the registry's
 */
export function tellMemberships({ users, registry }: MembershipDeps, user: DynamicUser): void {
  const { name } = user;
  const former = users.groupsOf(name);
  const held = isTold(user) ? heldGroups(user) : [];
  if (former.length === 0 && held.length === 0) {
    return;
  }
  const present = held.filter(group => users.dynamicByName(group.name)?.gid === group.gid);
  registry.tellGroups(
    name,
    present.map(({ gid }) => gid),
  );
  const left = former.filter(group => !present.some(other => other.name === group.name));
  for (const { name: group, gid } of left) {
    registry.tellMembers(gid, without(users.membersOf(group), name));
  }
  for (const { name: group, gid } of present) {
    registry.tellMembers(gid, [...without(users.membersOf(group), name), name]);
  }
}

/** Takes back what was told of a user, which need not be in the table: it ends, or could not be made. @throws DynuserError the registry's */
export function untellMemberships(deps: MembershipDeps, user: DynamicUser): void {
  const groups = isTold(user) ? heldGroups(user) : [];
  if (groups.length === 0) {
    return;
  }
  deps.registry.tellGroups(user.name, []);
  for (const { name, gid } of groups) {
    if (deps.users.dynamicByName(name)?.gid === gid) {
      deps.registry.tellMembers(gid, without(deps.users.membersOf(name), user.name));
    }
  }
}

/** A group is lost: nobody is told to be in it any more. To be called when the table says so. @throws DynuserError the registry's */
export function untellGroup({ users, registry }: MembershipDeps, group: DynamicUser): void {
  const members = new Set(group.leases.flatMap(({ member }) => (member === undefined ? [] : [member.user])));
  if (members.size === 0) {
    return;
  }
  registry.tellMembers(group.gid, []);
  for (const member of members) {
    registry.tellGroups(
      member,
      users.groupsOf(member).map(({ gid }) => gid),
    );
  }
}

function without(names: readonly UserName[], gone: UserName): UserName[] {
  return names.filter(name => name !== gone);
}
