/**
 * The account of a launched process, as systemd has it: User= and Group= by name or number, dynamic groups, supplementary groups,
 * home and shell.
 */

import { type ExplainDeps, explain } from '../allocator/explain.ts';
import type { Probe, Probes } from '../allocator/ports.ts';
import { limitReached } from '../allocator/refusals.ts';
import { type Rights, ROOT } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import { asGid, asUid, type Gid, type LeaseId, type Uid, type UserName } from '../core/ids.ts';
import { deriveUserName, parseUnitName, parseUserName } from '../core/name.ts';
import { usesAccount } from '../launch/plan/environment.ts';
import type { ResolvedLaunch } from '../launch/plan/request.ts';
import type { Login } from '../launch/syntax/account-files.ts';
import type { AccountDatabase, ProcessUser } from './account-databases.ts';
import type { Acquisition, Caller } from './acquire.ts';
import { groupRequestOf } from './launch-request.ts';

export interface AccountDeps {
  readonly acquisition: Pick<Acquisition, 'acquire'>;
  readonly explain: ExplainDeps;
  readonly probes: Probes;
}

/** The group of a process, where it is not the user's own; with the lease that keeps it, if it is a dynamic one. */
export interface ProcessGroup {
  readonly gid: Gid;
  readonly lease?: LeaseId;
}

const NUMBER = /^\d+$/;

/**
 * The name of the account that a number in User= stands for. systemd takes any number; a number without an account would be
 * nobody's today, and somebody's tomorrow.
 * @throws DynuserError LaunchFailed if no account has the number; ProbeFailed
 */
export async function withAccountName(
  deps: Pick<AccountDeps, 'probes'>,
  resolved: ResolvedLaunch,
): Promise<ResolvedLaunch> {
  const { userName } = resolved;
  if (userName === undefined || !NUMBER.test(userName)) {
    return resolved;
  }
  const uid = asUid(Number(userName));
  const name = uid === undefined ? undefined : uid === 0 ? 'root' : await nameOf(deps.probes.for(ROOT), uid);
  if (name === undefined) {
    const reason = `no account has the number ${userName}; name a user, or leave it out for a dynamic one`;
    throw new DynuserError('LaunchFailed', reason, { field: resolved.fields.get('User') ?? 'User' });
  }
  return { ...resolved, userName: name };
}

async function nameOf(probe: Probe, uid: Uid): Promise<UserName | undefined> {
  const evidence = await probe.evidence(uid);
  const parsed = evidence?.kind === 'user' ? parseUserName(evidence.name) : undefined;
  if (parsed === undefined || !('name' in parsed)) {
    return undefined;
  }
  // Several accounts may have one number: the name has to lead back to it.
  return (await probe.account(parsed.name)).user?.uid === uid ? parsed.name : undefined;
}

/**
 * The group of Group=: a group of the host, or a dynamic one, whose user lives already or is made. The lease keeps its number
 * for as long as the process has it. To be called while the connection of the asker is open.
 * @returns undefined if it is the user's own
 * @throws DynuserError LaunchFailed if there is none, and none is to be made; NameConflict; those of Acquire
 */
export async function acquireGroup(
  deps: AccountDeps,
  resolved: ResolvedLaunch,
  unit: string,
  caller: Caller,
): Promise<ProcessGroup | undefined> {
  const found = await hostGroup(deps, resolved, unit);
  if (found === undefined || 'gid' in found) {
    return found;
  }
  if (caller.connection.closed) {
    throw limitReached('the caller has gone before it was answered');
  }
  try {
    const { user, lease } = await deps.acquisition.acquire(groupRequestOf(resolved, found.name, unit), caller);
    return { gid: user.gid, lease: lease.id };
  } catch (error) {
    throw inWordsOfGroup(error, found.name, resolved);
  }
}

/** As acquireGroup(), but nothing is acquired: the number that the group would have. */
export async function expectGroup(
  deps: AccountDeps,
  rights: Rights,
  resolved: ResolvedLaunch,
  unit: string,
): Promise<Gid | undefined> {
  const found = await hostGroup(deps, resolved, unit);
  if (found === undefined || 'gid' in found) {
    return found?.gid;
  }
  const request = groupRequestOf(resolved, found.name, unit);
  const { gid, refusal } = await explain(deps.explain, deps.probes.for(ROOT), rights, request);
  if (refusal !== undefined) {
    throw inWordsOfGroup(refusal, found.name, resolved);
  }
  return gid;
}

/** What the host has of the group: its number; or the name, if it has none of that name. */
async function hostGroup(
  { probes }: Pick<AccountDeps, 'probes'>,
  resolved: ResolvedLaunch,
  unit: string,
): Promise<{ readonly gid: Gid } | { readonly name: UserName } | undefined> {
  const { group } = resolved;
  if (group === undefined || (resolved.dynamicUser && group === userNameOf(resolved, unit))) {
    return undefined;
  }
  const gid = NUMBER.test(group) ? asGid(Number(group)) : undefined;
  if (gid !== undefined) {
    return { gid };
  }
  const parsed = parseUserName(group);
  if (!('name' in parsed)) {
    throw noSuchGroup(group, resolved);
  }
  const { user, group: present } = await probes.for(ROOT).account(parsed.name);
  if (present === undefined && user !== undefined) {
    const reason = `the user ${group} (${user.uid}) exists on this host, but no group of that name; name another group`;
    throw new DynuserError('NameConflict', reason, fieldOf(resolved));
  }
  return present === undefined ? { name: parsed.name } : { gid: present.gid };
}

/** NGROUPS_MAX of Linux (setgroups(2)). */
const GROUPS_MAX = 65_536;

/** What a process has of its account besides its user. */
export interface ProcessAccount {
  readonly processGid?: Gid;
  /** ascending, each once */
  readonly groups: readonly Gid[];
  readonly login?: Login;
}

/**
 * @param processGid the number of Group=, if it is not the user's own
 * @throws DynuserError LaunchFailed if a group, or the account of the user, does not exist; those of the database
 */
export async function resolveProcess(
  database: AccountDatabase,
  resolved: ResolvedLaunch,
  user: ProcessUser & { readonly uid: Uid },
  processGid: Gid | undefined,
): Promise<ProcessAccount> {
  const gid = processGid ?? user.gid;
  // With root's group a process has only the groups that are named, as with systemd.
  const groups = new Set(gid === 0 ? [] : [gid, ...(await database.memberships({ ...user, gid }))]);
  for (const name of resolved.settings.SupplementaryGroups) {
    groups.add(await namedGroup(database, resolved, name, user, gid));
  }
  if (groups.size > GROUPS_MAX) {
    throw new DynuserError('LaunchFailed', `the user ${user.name} is in more than ${GROUPS_MAX} groups`);
  }
  const login = usesAccount(resolved, user) ? await loginOf(database, resolved, user.name) : undefined;
  return {
    ...(processGid === undefined ? {} : { processGid }),
    groups: [...groups].sort((one, other) => one - other),
    ...(login === undefined ? {} : { login }),
  };
}

/** @param gid of the process; for an explanation neither it nor the user may exist yet */
async function namedGroup(
  database: AccountDatabase,
  { group, fields }: ResolvedLaunch,
  name: string,
  user: ProcessUser,
  gid: Gid,
): Promise<Gid> {
  const number = NUMBER.test(name) ? asGid(Number(name)) : undefined;
  const own = name === group ? gid : name === user.name && user.dynamic ? user.gid : undefined;
  const found = number ?? own ?? (await database.group(name));
  if (found === undefined) {
    const reason = `group ${name} does not exist; name an existing group`;
    throw new DynuserError('LaunchFailed', reason, {
      field: fields.get('SupplementaryGroups') ?? 'SupplementaryGroups',
    });
  }
  return found;
}

async function loginOf(database: AccountDatabase, { fields }: ResolvedLaunch, name: UserName): Promise<Login> {
  const login = await database.login(name);
  if (login === undefined) {
    const reason = `user ${name} has no account; create one, or use SetLoginEnvironment=no`;
    throw new DynuserError('LaunchFailed', reason, { field: fields.get('User') ?? 'User' });
  }
  return login;
}

function userNameOf({ userName }: ResolvedLaunch, unit: string): string | undefined {
  const parsed = parseUnitName(unit);
  return userName ?? ('unit' in parsed ? deriveUserName(parsed.unit, false).name : undefined);
}

/** What Acquire says of a user is here about the group. */
function inWordsOfGroup(error: unknown, name: UserName, resolved: ResolvedLaunch): unknown {
  if (!(error instanceof DynuserError) || error.detail.field !== 'userName') {
    return error;
  }
  return error.code === 'NameConflict' && !resolved.dynamicUser
    ? noSuchGroup(name, resolved)
    : new DynuserError(error.code, error.message, { ...error.detail, ...fieldOf(resolved) }, error);
}

function noSuchGroup(name: string, resolved: ResolvedLaunch): DynuserError {
  const reason = `group ${name} does not exist; name an existing group, or leave it out for the user's own`;
  return new DynuserError('LaunchFailed', reason, fieldOf(resolved));
}

function fieldOf({ fields }: ResolvedLaunch): { readonly field: string } {
  return { field: fields.get('Group') ?? 'Group' };
}
