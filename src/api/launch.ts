/**
 * Launch: a user for the process that asks, and the plan by which that process becomes the service. What the properties
 * mean is decided in launch/; here they meet the allocator.
 */

import type { Directories, ExpectedHandover } from '../allocator/directory-ports.ts';
import { type ExplainDeps, explain } from '../allocator/explain.ts';
import type { Acquired } from '../allocator/lease.ts';
import type { Probes } from '../allocator/ports.ts';
import { limitReached } from '../allocator/refusals.ts';
import type { UserTable } from '../allocator/user-table.ts';
import { DynuserError } from '../core/errors.ts';
import type { LeaseId } from '../core/ids.ts';
import { explainPlan, planLaunch, resolveLaunch } from '../launch/launch.ts';
import type { ResolvedLaunch } from '../launch/plan/request.ts';
import type { Call } from '../varlink/handler.ts';
import type { JsonObject } from '../varlink/json.ts';
import {
  type AccountDatabase,
  type AccountProbe,
  accountFiles,
  fileDatabase,
  hostDatabase,
} from './account-databases.ts';
import type { Acquisition, Caller } from './acquire.ts';
import { type Authorization, checkAcquire, checkDirectories } from './authorization.ts';
import type { LaunchParameters, LaunchPlan, LaunchReply } from './generated/io-dynuser-allocator.ts';
import { acquireGroup, expectGroup, resolveProcess, withAccountName } from './launch-accounts.ts';
import { acquireRequestOf, readAnswers, readLaunchRequest } from './launch-request.ts';
import type { Peer } from './peer.ts';

export interface LaunchDeps {
  readonly acquisition: Acquisition;
  readonly authorization: Authorization;
  readonly explain: ExplainDeps;
  readonly directories: Pick<Directories, 'requested' | 'environment'>;
  readonly probes: Probes;
  readonly accounts: AccountProbe;
  /** reads /etc/group of this host */
  readonly groupFile: () => string;
  readonly users: Pick<UserTable, 'dynamicByName'>;
  /** random text that is part of a unit name, for launches that name none */
  readonly freshName: () => string;
}

/** @throws DynuserError any; VarlinkError InvalidParameter */
export async function launch(deps: LaunchDeps, call: Call<Peer>): Promise<JsonObject> {
  const { peer, parameters } = call;
  if (peer.uid !== 0) {
    const reason = `only root may launch a program as another user, and the user ${peer.uid} asks`;
    throw new DynuserError('NotPermitted', reason, { field: 'caller' });
  }
  const answers = readAnswers(parameters);
  const read = resolveLaunch(readLaunchRequest(parameters), answers);
  if ('questions' in read) {
    return reply({ questions: read.questions });
  }
  const files = peer.sharesRoot() ? undefined : accountFiles(answers);
  if (files !== undefined && 'questions' in files) {
    return reply({ questions: files.questions });
  }
  const database =
    files === undefined ? hostDatabase(deps.accounts, deps.groupFile, deps.users) : fileDatabase(files, deps.users);
  const resolved = await withAccountName(deps, read.resolved);
  const unit = resolved.unit ?? `run-r${deps.freshName()}.service`;
  const explains = (parameters as LaunchParameters).explain === true;
  try {
    return await (explains
      ? explained(deps, database, resolved, unit, peer)
      : acquired(deps, database, resolved, unit, call));
  } catch (error) {
    throw inWordsOfLaunch(error, resolved);
  }
}

/** The property that each parameter of Acquire is made of: a launch names none of these parameters. */
const PROPERTIES_OF_PARAMETERS: ReadonlyMap<string, string> = new Map([
  ['userName', 'User'],
  ...['Runtime', 'State', 'Cache', 'Logs'].flatMap(kind =>
    ['Directory', 'DirectoryMode'].map(what => [`${kind.toLowerCase()}${what}`, `${kind}${what}`] as const),
  ),
]);

/** An error of the allocator, with the field by which the launch knows it: that of its property, if one was given. */
function inWordsOfLaunch(error: unknown, { fields }: ResolvedLaunch): unknown {
  const property = error instanceof DynuserError ? PROPERTIES_OF_PARAMETERS.get(error.detail.field ?? '') : undefined;
  if (!(error instanceof DynuserError) || property === undefined) {
    return error;
  }
  // Without User= the name comes from the unit, or was made up.
  const field = fields.get(property) ?? (property === 'User' ? 'unit' : property);
  return new DynuserError(error.code, error.message, { ...error.detail, field }, error);
}

async function acquired(
  deps: LaunchDeps,
  database: AccountDatabase,
  resolved: ResolvedLaunch,
  unit: string,
  call: Call<Peer>,
): Promise<JsonObject> {
  const { peer, connection } = call;
  const caller = { peer, connection, answered: !call.oneway, mayClaim: true, pin: () => peer.pin() };
  checkOpen(connection);
  const identity = deps.authorization.identify(peer);
  const request = acquireRequestOf(resolved, unit, deps.directories);
  const leases: LeaseId[] = [];
  try {
    const rights = await deps.authorization.rightsOf(identity);
    checkAcquire(rights);
    checkDirectories(rights, request.directories);
    const group = await acquireGroup(deps, resolved, unit, caller);
    leases.push(...(group?.lease === undefined ? [] : [group.lease]));
    checkOpen(connection);
    const got = await deps.acquisition.acquire(
      { ...request, ...(group === undefined ? {} : { directoryGid: group.gid }) },
      { ...caller, ...(call.more ? { onProgress: progress => call.send({ progress: { ...progress } }) } : {}) },
    );
    leases.push(got.lease.id);
    const account = await resolveProcess(database, resolved, got.user, group?.gid);
    const plan = planLaunch(resolved, { ...accountOf(got.user), ...account, ...preparedOf(got) });
    return reply({ plan, lease: got.lease.id, warnings: warningsOf(resolved) });
  } catch (error) {
    for (const lease of leases.reverse()) {
      await deps.acquisition.drop(lease);
    }
    throw error;
  }
}

/** What was waited for may have outlived the caller, and its connection may be another's. @throws DynuserError LimitReached */
function checkOpen({ closed }: Pick<Caller['connection'], 'closed'>): void {
  if (closed) {
    throw limitReached('the caller has gone before it was answered');
  }
}

async function explained(
  deps: LaunchDeps,
  database: AccountDatabase,
  resolved: ResolvedLaunch,
  unit: string,
  peer: Peer,
): Promise<JsonObject> {
  const caller = deps.authorization.identify(peer);
  const request = acquireRequestOf(resolved, unit, deps.directories);
  const rights = await deps.authorization.rightsOf(caller);
  checkAcquire(rights);
  checkDirectories(rights, request.directories);
  const processGid = await expectGroup(deps, rights, resolved, unit);
  const found = await explain(deps.explain, deps.probes.for(rights.requester), rights, {
    ...request,
    ...(processGid === undefined ? {} : { directoryGid: processGid }),
  });
  if (found.refusal !== undefined) {
    throw found.refusal;
  }
  const { uid, gid, dynamic } = found;
  if (uid === undefined || gid === undefined) {
    throw new DynuserError('LaunchFailed', found.reason, { field: 'caller' });
  }
  const directories = found.handovers.map(handover => ({ ...handover, ...diskOwner(handover, uid, gid), ...UNSEEN }));
  const user = { uid, gid, name: found.userName, dynamic };
  const expected = {
    ...accountOf(user),
    ...(await resolveProcess(database, resolved, user, processGid)),
    ...{ directories, environment: deps.directories.environment(request.directories) },
  };
  const plan: LaunchPlan = planLaunch(resolved, expected);
  return reply({ explanation: explainPlan(resolved, expected, plan), warnings: warningsOf(resolved) });
}

/** Nothing was opened, so no inode can be told. */
const UNSEEN = { device: '0', inode: '0' };
/** Whose an id-mapped tree is on disk, as systemd 257 has it. */
const NOBODY = 65_534;

function diskOwner({ handover }: ExpectedHandover, uid: number, gid: number) {
  return handover === 'map' ? { diskUid: NOBODY, diskGid: NOBODY } : { diskUid: uid, diskGid: gid };
}

function accountOf({ uid, gid, name, dynamic }: Pick<Acquired['user'], 'uid' | 'gid' | 'name' | 'dynamic'>) {
  return { uid, gid, userName: name, dynamic };
}

function preparedOf({ directories, environment }: Acquired) {
  return { directories, environment };
}

function warningsOf({ warnings, missing }: ResolvedLaunch): readonly string[] {
  return [...warnings, ...missing.map(what => what.replace(': ', ' not applied (cannot mount): '))];
}

/** launch/ and the interface describe the same shapes; the compiler compares them here. */
function reply(value: LaunchReply): JsonObject {
  return value as JsonObject;
}
