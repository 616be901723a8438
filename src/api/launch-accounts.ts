/**
 * The account of a launched process, as systemd has it: User= and Group= by name or number, dynamic groups, supplementary groups,
 * home and shell.
 */

import type { Probe, Probes } from '../allocator/ports.ts';
import type { AcquireRequest, SharedGroupRequest } from '../allocator/request.ts';
import type { AcquiredGroup } from '../allocator/shared-groups.ts';
import type { UserTable } from '../allocator/user-table.ts';
import { ROOT } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import { asGid, asUid, type Gid, type Uid, type UserName } from '../core/ids.ts';
import { asUserName } from '../core/name.ts';
import { failFor } from '../launch/errors.ts';
import { usesAccount } from '../launch/plan/environment.ts';
import { Questions } from '../launch/plan/questions.ts';
import type { Acquired, ResolvedLaunch } from '../launch/plan/request.ts';
import { groupInFile, type Login, loginInFile, membershipsInFile } from '../launch/syntax/account-files.ts';
import type { LaunchAnswer, LaunchQuestion } from './generated/io-dynuser-allocator.ts';

const NUMBER = /^\d+$/;

/**
 * The name of the account that a number in User= stands for. systemd takes any number; a number without an account would be
 * nobody's today, and somebody's tomorrow.
 * @throws DynuserError LaunchFailed if no account has the number; ProbeFailed
 */
export async function withAccountName(probes: Probes, resolved: ResolvedLaunch): Promise<ResolvedLaunch> {
  const { userName } = resolved;
  if (userName === undefined || !NUMBER.test(userName)) {
    return resolved;
  }
  const uid = asUid(Number(userName));
  const name = uid === undefined ? undefined : uid === 0 ? 'root' : await nameOf(probes.for(ROOT), uid);
  if (name === undefined) {
    return failFor(fieldOf('User', resolved))(
      `no account has the number ${userName}; name a user, or leave it out for a dynamic one`,
    );
  }
  return { ...resolved, userName: name };
}

async function nameOf(probe: Probe, uid: Uid): Promise<UserName | undefined> {
  const evidence = await probe.evidence(uid);
  const name = evidence?.kind === 'user' ? asUserName(evidence.name) : undefined;
  // Several accounts may have one number: the name has to lead back to it.
  return name !== undefined && (await probe.account(name)).user?.uid === uid ? name : undefined;
}

/**
 * The groups of Group= and SupplementaryGroups= that the allocator has to know of: a number needs no name, and supplementary groups
 * of the host are looked up with the account. Of a dynamic one the allocator finds the number, and keeps it.
 * @throws DynuserError NameConflict if a name cannot be that of a group
 */
export function groupsOf(
  resolved: ResolvedLaunch,
  users: Pick<UserTable, 'dynamicByName'>,
): Pick<AcquireRequest, 'sharedGroups' | 'directoryGid'> {
  const { group, dynamicUser, settings } = resolved;
  const gid = group !== undefined && NUMBER.test(group) ? asGid(Number(group)) : undefined;
  const sharedGroups: SharedGroupRequest[] = [];
  if (group !== undefined && gid === undefined) {
    const name = asUserName(group);
    if (name === undefined) {
      return failFor(fieldOf('Group', resolved))(
        `group ${group} does not exist; name an existing group, or leave it out for the user's own`,
      );
    }
    sharedGroups.push({ name, isPrimary: true, mustExist: !dynamicUser });
  }
  for (const name of settings.SupplementaryGroups) {
    const live = users.dynamicByName(name as UserName);
    if (live !== undefined) {
      sharedGroups.push({ name: live.name, isPrimary: false, mustExist: true });
    }
  }
  return {
    ...(gid === undefined ? {} : { directoryGid: gid }),
    ...(sharedGroups.length === 0 ? {} : { sharedGroups }),
  };
}

/** NGROUPS_MAX of Linux (setgroups(2)). */
const GROUPS_MAX = 65_536;

/**
 * What a process has of its account besides its user.
 * @param processGid the number of Group=, if it is not the user's own
 * @param shared the groups that the allocator has found
 * @throws DynuserError LaunchFailed if a group, or the account of the user, does not exist; those of the database
 */
export async function resolveProcess(
  database: AccountDatabase,
  resolved: ResolvedLaunch,
  user: ProcessUser & { readonly uid: Uid },
  processGid: Gid | undefined,
  shared: readonly Pick<AcquiredGroup, 'name' | 'gid'>[],
): Promise<Pick<Acquired, 'processGid' | 'groups' | 'login'>> {
  const gid = processGid ?? user.gid;
  // With root's group a process has only the groups that are named, as with systemd.
  const groups = new Set(gid === 0 ? [] : [gid, ...(await database.memberships({ ...user, gid }))]);
  for (const name of resolved.settings.SupplementaryGroups) {
    groups.add(
      shared.find(group => group.name === name)?.gid ?? (await namedGroup(database, resolved, name, user, gid)),
    );
  }
  if (groups.size > GROUPS_MAX) {
    throw new DynuserError('LaunchFailed', `the user ${user.name} is in more than ${GROUPS_MAX} groups`);
  }
  const login = usesAccount(resolved, user) ? await database.login(user.name) : undefined;
  if (login === undefined && usesAccount(resolved, user)) {
    failFor(fieldOf('User', resolved))(`user ${user.name} has no account; create one, or use SetLoginEnvironment=no`);
  }
  return {
    ...(processGid === undefined ? {} : { processGid }),
    groups: [...groups].sort((one, other) => one - other),
    ...(login === undefined ? {} : { login }),
  };
}

/** @param gid of the process; for an explanation neither it nor the user may exist yet */
async function namedGroup(
  database: AccountDatabase,
  resolved: ResolvedLaunch,
  name: string,
  user: ProcessUser,
  gid: Gid,
): Promise<Gid> {
  const number = NUMBER.test(name) ? asGid(Number(name)) : undefined;
  const own = name === resolved.group ? gid : name === user.name && user.dynamic ? user.gid : undefined;
  const found = number ?? own ?? (await database.group(name));
  if (found === undefined) {
    return failFor(fieldOf('SupplementaryGroups', resolved))(`group ${name} does not exist; name an existing group`);
  }
  return found;
}

/** @returns the field of an error about a property, which says where it was given */
function fieldOf(property: string, { fields }: ResolvedLaunch): string {
  return fields.get(property) ?? property;
}

/** NSS of this host, asked outside of the daemon. @throws DynuserError ProbeFailed, LimitReached */
export interface AccountProbe {
  /** @returns the GID of a group, undefined if there is none of that name */
  group(name: string): Promise<Gid | undefined>;
  /** @returns the groups of a user as initgroups(3) has them, without duplicates; only its own if it is unknown */
  memberships(user: UserName, gid: Gid): Promise<readonly Gid[]>;
  /** @returns undefined if there is no user of that name */
  login(user: UserName): Promise<Login | undefined>;
}

/** The user that a process becomes. */
export interface ProcessUser {
  readonly name: UserName;
  readonly gid: Gid;
  readonly dynamic: boolean;
}

/** @throws DynuserError ProbeFailed, LimitReached, HostFailed */
export interface AccountDatabase extends Pick<AccountProbe, 'group' | 'login'> {
  memberships(user: ProcessUser): Promise<readonly Gid[]>;
}

/**
 * The accounts of this host. A dynamic user was in no database until now but ours, which has no memberships: it is looked for
 * only in /etc/group, where an operator can name it before it exists. To ask all sources in each launch would take longer than
 * the rest of the launch.
 */
export function hostDatabase(
  probe: AccountProbe,
  groupFile: () => string,
  users: Pick<UserTable, 'dynamicByName'>,
): AccountDatabase {
  return {
    group: async name => users.dynamicByName(name as UserName)?.gid ?? probe.group(name),
    memberships: async ({ name, gid, dynamic }) =>
      dynamic ? gidsOf(membershipsInFile(groupFile(), name)) : probe.memberships(name, gid),
    login: user => probe.login(user),
  };
}

/**
 * The accounts of a launcher in another root directory, as its files have them: its own NSS is not asked, since nobody runs there
 * on our behalf. Users that are dynamic on this host are known there, too.
 */
export function fileDatabase(files: AccountFiles, users: Pick<UserTable, 'dynamicByName'>): AccountDatabase {
  return {
    group: async name => gidsOf([groupInFile(files.group, name)])[0] ?? users.dynamicByName(name as UserName)?.gid,
    memberships: async ({ name }) => gidsOf(membershipsInFile(files.group, name)),
    login: async user => loginInFile(files.passwd, user),
  };
}

/** @returns the launch with the number of Group=, if the files of the launcher's root directory have it */
export function withGroupOf({ group: text }: AccountFiles, resolved: ResolvedLaunch): ResolvedLaunch {
  const { group } = resolved;
  const [gid] = group === undefined || NUMBER.test(group) ? [] : gidsOf([groupInFile(text, group)]);
  return gid === undefined ? resolved : { ...resolved, group: String(gid) };
}

interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** @returns the files that a launcher was asked for, or the questions that are open */
export function accountFiles(
  answers: readonly LaunchAnswer[],
): AccountFiles | { readonly questions: readonly LaunchQuestion[] } {
  const questions = new Questions(answers);
  const [passwd = '', group = ''] = ['/etc/passwd', '/etc/group'].map(path => questions.file(path));
  return questions.open.length > 0 ? { questions: questions.open } : { passwd, group };
}

function gidsOf(numbers: readonly (number | undefined)[]): Gid[] {
  return numbers.flatMap(number => (number === undefined ? [] : (asGid(number) ?? [])));
}
