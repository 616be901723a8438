/**
 * Launch: a user for the process that asks, and the plan by which that process becomes the service. What the properties
 * mean is decided in launch/; here they meet the allocator.
 */

import type { Directories } from '../allocator/directory-ports.ts';
import { type ExplainDeps, type Explanation, explain } from '../allocator/explain.ts';
import type { Acquired } from '../allocator/lease.ts';
import type { PacketFilter, Probes } from '../allocator/ports.ts';
import type { AcquireRequest } from '../allocator/request.ts';
import { limitReached } from '../allocator/request-limits.ts';
import type { AcquiredGroup } from '../allocator/shared-groups.ts';
import type { UserTable } from '../allocator/user-table.ts';
import type { Rights } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import { type Gid, type LeaseId, OVERFLOW_ID } from '../core/ids.ts';
import { restrictsPackets } from '../core/packet-rules.ts';
import { failFor } from '../launch/errors.ts';
import { explainPlan, planLaunch, resolveLaunch } from '../launch/launch.ts';
import { needsMain, PHASE_PROPERTIES } from '../launch/plan/phases.ts';
import type { Kernel, Acquired as LaunchAcquired, ResolvedLaunch } from '../launch/plan/request.ts';
import type { Call } from '../varlink/handler.ts';
import type { JsonObject } from '../varlink/json.ts';
import { type Acquisition, type Caller, callerOf } from './acquire.ts';
import { type Authorization, checkAcquire, checkDirectories, type PeerIdentity } from './authorization.ts';
import type { LaunchAnswer, LaunchParameters, LaunchReply } from './generated/io-dynuser-allocator.ts';
import {
  type AccountDatabase,
  type AccountProbe,
  accountFiles,
  fileDatabase,
  groupsOf,
  hostDatabase,
  resolveProcess,
  withAccountName,
  withGroupOf,
} from './launch-accounts.ts';
import { mainProcessOf } from './main-process.ts';
import type { Overtime } from './overtime.ts';
import type { Peer } from './peer.ts';
import { acquireRequestOf } from './request.ts';

export interface LaunchDeps {
  readonly acquisition: Acquisition;
  readonly authorization: Authorization;
  readonly explain: ExplainDeps;
  readonly directories: Pick<Directories, 'requested' | 'environment'>;
  readonly probes: Probes;
  readonly accounts: AccountProbe;
  /** reads /etc/group of this host */
  readonly groupFile: () => string;
  readonly users: Pick<UserTable, 'dynamicByName' | 'live'>;
  readonly kernel: Kernel;
  readonly overtime: Pick<Overtime, 'has'>;
  readonly packetFilter: Pick<PacketFilter, 'problem'>;
  /** random text that is part of a unit name, for launches that name none */
  readonly freshName: () => string;
}

/** A launch that may be made, and what it asks of the allocator. */
interface Launch {
  readonly deps: LaunchDeps;
  readonly call: Call<Peer>;
  readonly database: AccountDatabase;
  readonly resolved: ResolvedLaunch;
  readonly unit: string;
  readonly request: AcquireRequest;
  readonly identity: PeerIdentity;
  readonly rights: Rights;
  /** a phase: the process of the service */
  readonly main: LaunchAcquired['main'];
}

/** @throws DynuserError any; VarlinkError InvalidParameter */
export async function launch(deps: LaunchDeps, call: Call<Peer>): Promise<JsonObject> {
  const { peer, connection } = call;
  if (peer.uid !== 0) {
    const reason = `only root may launch a program as another user, and the user ${peer.uid} asks`;
    throw new DynuserError('NotPermitted', reason, { field: 'caller' });
  }
  // The interface has checked the types.
  const parameters = call.parameters as LaunchParameters;
  const identity = deps.authorization.identify(peer);
  const sharesRoot = identity.standing?.kind === 'host' || peer.sharesRoot();
  const { answers: given = [], explain: explains } = parameters;
  const answers = sharesRoot ? given : given.map(withoutStamp);
  const read = resolveLaunch({ ...parameters, isExplained: explains === true }, answers);
  if ('questions' in read) {
    return reply({ questions: read.questions });
  }
  const { skipped } = read.resolved;
  if (skipped !== undefined && explains !== true) {
    return reply({ skipped, warnings: warningsOf(read.resolved) });
  }
  const files = sharesRoot ? undefined : accountFiles(answers);
  if (files !== undefined && 'questions' in files) {
    return reply({ questions: files.questions });
  }
  const database =
    files === undefined ? hostDatabase(deps.accounts, deps.groupFile, deps.users) : fileDatabase(files, deps.users);
  const named = await withAccountName(deps.probes, read.resolved);
  const asked = files === undefined ? named : withGroupOf(files, named);
  const unit = asked.unit ?? `run-r${deps.freshName()}.service`;
  const resolved = withOvertime(deps, asked, unit);
  try {
    checkOpen(connection);
    const request = { ...acquireRequestOf(resolved, unit, deps.directories), ...groupsOf(resolved, deps.users) };
    const rights = await deps.authorization.rightsOf(identity);
    checkAcquire(rights);
    checkDirectories(rights, request.directories);
    checkPacketFilter(deps, peer, resolved);
    const main = mainOf(deps, peer, resolved, parameters, unit);
    const reason = reasonToSkip(resolved, main, unit);
    if (reason !== undefined && explains !== true) {
      return reply({ skipped: reason, warnings: warningsOf(resolved) });
    }
    const allowed = { deps, call, database, resolved, unit, request, identity, rights, main };
    if (explains === true) {
      return await explained(allowed);
    }
    sendImage(call, resolved);
    return await acquired(allowed);
  } catch (error) {
    throw inWordsOfLaunch(error, resolved);
  }
}

/** What launchers in another root directory say about images is not used for the host's own launches. */
function withoutStamp({ stamp: _, ...answer }: LaunchAnswer): LaunchAnswer {
  return answer;
}

/** The launcher mounts the image during the search for a UID, which takes as long. */
function sendImage(call: Call<Peer>, { images: { images, rootImage } }: ResolvedLaunch): void {
  const [image] = images;
  if (call.more && image !== undefined && image.path === rootImage && image.writable !== true) {
    call.send(reply({ image }));
  }
}

/** The starter of a service does not know that the time of the service was over. */
function withOvertime({ overtime }: LaunchDeps, resolved: ResolvedLaunch, unit: string): ResolvedLaunch {
  if (resolved.phase !== 'stopPost' || !overtime.has(unit)) {
    return resolved;
  }
  const others = resolved.phaseVariables.filter(([name]) => name !== 'SERVICE_RESULT');
  return { ...resolved, phaseVariables: [['SERVICE_RESULT', 'timeout'], ...others] };
}

/** @throws DynuserError LaunchFailed if packets are to be filtered, and cannot be here */
function checkPacketFilter({ packetFilter }: LaunchDeps, peer: Peer, { packetRules, fields }: ResolvedLaunch): void {
  if (!restrictsPackets(packetRules)) {
    return;
  }
  const property = packetRules.interfaces === undefined ? 'IPAddressDeny' : 'RestrictNetworkInterfaces';
  const fail = failFor(fields.get(property) ?? property);
  if (!peer.sharesNetwork()) {
    fail(
      "dynuserd has another network, and filters packets in that alone; give it the launcher's, as dynuserd(8) says, or use PrivateNetwork=yes",
    );
  }
  const problem = packetFilter.problem();
  if (problem !== undefined) {
    fail(`${problem}; install nftables, or use PrivateNetwork=yes`);
  }
}

/** @throws DynuserError LaunchFailed if the phase needs one and finds none, or several */
function mainOf(
  { users }: LaunchDeps,
  peer: Peer,
  { phase }: ResolvedLaunch,
  { mainPid, explain: explains }: LaunchParameters,
  unit: string,
): LaunchAcquired['main'] {
  if (phase === undefined || !needsMain(phase)) {
    return undefined;
  }
  const main = mainProcessOf(users.live(), unit, pid => peer.numberOf(pid), mainPid);
  return main === undefined && phase !== 'stop' && explains !== true
    ? failFor('phase')(`${unit} is not running, and ${PHASE_PROPERTIES[phase]}= is for a service that is; start it`)
    : main;
}

/** A service that does not run cannot be stopped, and a phase may have no commands. */
function reasonToSkip(
  { phase, commands = [] }: ResolvedLaunch,
  main: LaunchAcquired['main'],
  unit: string,
): string | undefined {
  if (phase === 'stop') {
    return main === undefined ? `${unit} is not running: there is nothing to stop` : undefined;
  }
  return (phase === 'startPost' || phase === 'stopPost') && commands.length === 0
    ? `${unit} has no ${PHASE_PROPERTIES[phase]}=: there is nothing to run`
    : undefined;
}

/** Parameters that have the name of a property, but for its capital letter. */
const LIKE_PROPERTY = /^(?:group|supplementaryGroups|(?:runtime|state|cache|logs)Directory(?:Mode)?)$/;

/** An error of the allocator, with the field by which the launch knows it: that of its property, if one was given. */
function inWordsOfLaunch(error: unknown, { fields }: ResolvedLaunch): unknown {
  if (!(error instanceof DynuserError)) {
    return error;
  }
  const parameter = error.detail.field ?? '';
  const isLikeProperty = LIKE_PROPERTY.test(parameter);
  if (!isLikeProperty && parameter !== 'userName') {
    return error;
  }
  const property = isLikeProperty ? parameter.charAt(0).toUpperCase() + parameter.slice(1) : 'User';
  // Without User= the name comes from the unit, or was made up.
  const field = fields.get(property) ?? (property === 'User' ? 'unit' : property);
  return new DynuserError(error.code, error.message, { ...error.detail, field }, error);
}

async function acquired(allowed: Launch): Promise<JsonObject> {
  const { deps, call, database, resolved, unit, request, identity, main } = allowed;
  const caller = callerOf(call);
  let lease: LeaseId | undefined;
  try {
    const { user, directories, environment, groups, ...held } = await deps.acquisition.acquire(
      request,
      caller,
      identity,
    );
    lease = held.lease.id;
    const account = await resolveProcess(database, resolved, user, processGid(request, groups), groups);
    const given = {
      ...account,
      ...dynamicGroups(resolved, groups),
      kernel: deps.kernel,
      ...(main === undefined ? {} : { main }),
    };
    const plan = planLaunch({ ...resolved, unit }, { ...accountOf(user), ...given, directories, environment });
    return reply({ plan, lease, warnings: warningsOf(resolved) });
  } catch (error) {
    if (lease !== undefined) {
      await deps.acquisition.drop(lease);
    }
    throw error;
  }
}

/** @returns the group of the process, if it is not the user's own */
function processGid(
  { sharedGroups = [], directoryGid }: AcquireRequest,
  groups: readonly Pick<AcquiredGroup, 'name' | 'gid'>[],
): Gid | undefined {
  const primary = sharedGroups.find(({ isPrimary }) => isPrimary);
  return groups.find(({ name }) => name === primary?.name)?.gid ?? directoryGid;
}

/** What was waited for may have outlived the caller, and its connection may be another's. @throws DynuserError LimitReached */
function checkOpen({ closed }: Pick<Caller['connection'], 'closed'>): void {
  if (closed) {
    throw limitReached('the caller has gone before it was answered');
  }
}

async function explained({ deps, database, resolved, unit, request, rights, main }: Launch): Promise<JsonObject> {
  const found = await explain(deps.explain, deps.probes.for(rights.requester), rights, request);
  const user = userOf(found);
  const groups = found.groups.flatMap(({ name, gid }) => (gid === undefined ? [] : [{ name, gid }]));
  const expected = {
    ...accountOf(user),
    ...(await resolveProcess(database, resolved, user, processGid(request, groups), groups)),
    directories: found.handovers.map(handover => ({ ...handover, ...UNSEEN })),
    environment: deps.directories.environment(request.directories),
    kernel: deps.kernel,
    ...(main === undefined ? {} : { main }),
  };
  const plan = planLaunch({ ...resolved, unit }, expected);
  return reply({ explanation: explainPlan(resolved, expected, plan), warnings: warningsOf(resolved) });
}

/** The user that Acquire would give. @throws DynuserError what Acquire would be refused with */
function userOf({ refusal, uid, gid, userName: name, dynamic, reason }: Explanation) {
  if (refusal !== undefined || uid === undefined || gid === undefined) {
    throw refusal ?? new DynuserError('LaunchFailed', reason, { field: 'caller' });
  }
  return { uid, gid, name, dynamic };
}

/** Only account files of the service need them. */
function dynamicGroups({ host }: ResolvedLaunch, groups: readonly AcquiredGroup[]) {
  const shared = groups.flatMap(({ name, gid, dynamic }) => (dynamic ? [{ name, gid }] : []));
  return host.accountOverlay === undefined ? {} : { dynamicGroups: shared };
}

/** Nothing was opened, so no inode can be told. An id-mapped tree belongs to nobody on disk, as systemd 257 has it; for other trees the owner is not used. */
const UNSEEN = { device: '0', inode: '0', diskUid: OVERFLOW_ID, diskGid: OVERFLOW_ID };

function accountOf({ uid, gid, name, dynamic }: Pick<Acquired['user'], 'uid' | 'gid' | 'name' | 'dynamic'>) {
  return { uid, gid, userName: name, dynamic };
}

function warningsOf({ warnings, missing }: ResolvedLaunch): readonly string[] {
  return [...warnings, ...missing.map(what => what.replace(': ', ' not applied (cannot mount): '))];
}

/** launch/ and the interface describe the same shapes; the compiler compares them here. */
function reply(value: LaunchReply): JsonObject {
  return value as JsonObject;
}
