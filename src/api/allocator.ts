/**
 * io.dynuser.Allocator: parameters that were checked against the IDL become typed requests, which the modules behind do not check again.
 * Who asks comes from the kernel, never from the message.
 */

import type { LeaseEvents } from '../allocator/events.ts';
import { explain } from '../allocator/explain.ts';
import type { Acquired } from '../allocator/lease.ts';
import type { FleetOperations, Probes } from '../allocator/ports.ts';
import { limitReached, RequestsUnderWay } from '../allocator/request-limits.ts';
import type { AcquiredInGroups } from '../allocator/shared-groups.ts';
import type { Teardown } from '../allocator/teardown.ts';
import type { UserTable } from '../allocator/user-table.ts';
import { DynuserError, errorParameters, wireCodeOf } from '../core/errors.ts';
import type { LeaseId } from '../core/ids.ts';
import { type DynamicUser, type Lease, termsOf } from '../core/lease.ts';
import { CHANGES_WAITING_MAX, EXPLANATIONS_PER_PEER_MAX, LISTED_AT_ONCE_MAX } from '../core/limits.ts';
import { parseUserName } from '../core/name.ts';
import { expectedMore, VarlinkError } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Call, InterfaceImplementation, MethodHandler } from '../varlink/server.ts';
import { callerOf } from './acquire.ts';
import { checkDirectories } from './authorization.ts';
import {
  type AcquireParameters,
  ALLOCATOR_INTERFACE,
  type ExplainParameters,
} from './generated/io-dynuser-allocator.ts';
import { type LaunchDeps, launch } from './launch.ts';
import { firstOf, sendAllButLast } from './long-replies.ts';
import { Overtime } from './overtime.ts';
import type { Peer } from './peer.ts';
import { readUser } from './request.ts';

export interface AllocatorApiDeps extends Omit<LaunchDeps, 'overtime'> {
  readonly users: UserTable;
  readonly events: LeaseEvents;
  readonly teardown: Pick<Teardown, 'underWay'>;
  /** the questions of peers that may not acquire, who keep nobody else waiting */
  readonly publicProbes: Probes;
  /** whether a user has its UID on all hosts of the fleet; undefined if the fleet does not have its name */
  readonly isFleets: (user: DynamicUser) => boolean | undefined;
  /** reads the configuration again. @throws DynuserError InvalidConfiguration */
  readonly reload: () => Reloaded;
  /** absent if this host has no fleet */
  readonly fleet?: FleetOperations | undefined;
}

/** The keys of the configuration that have changed. */
export interface Reloaded {
  readonly applied: readonly string[];
  /** those that are in force only after the next start */
  readonly deferred: readonly string[];
}

export function allocatorInterface(deps: AllocatorApiDeps): InterfaceImplementation<Peer> {
  const explanations = new RequestsUnderWay();
  const overtime = new Overtime(deps.events);
  return {
    description: ALLOCATOR_INTERFACE,
    methods: {
      Acquire: mapped(call => acquire(deps, call)),
      Launch: mapped(call => launch({ ...deps, overtime }, call)),
      Claim: mapped(call => claim(deps, call)),
      Release: mapped(call => release(deps, call)),
      List: mapped(call => list(deps, call)),
      Explain: mapped(call => explainCall(deps, explanations, call)),
      Watch: mapped(call => watch(deps, call)),
      Reload: mapped(call => reload(deps, call)),
      FleetStatus: mapped(call => fleetStatus(deps, call)),
      FleetForget: mapped(call => fleetForget(deps, call)),
      FleetLeave: mapped(call => fleetLeave(deps, call)),
    },
  };
}

async function acquire(deps: AllocatorApiDeps, call: Call<Peer>): Promise<JsonObject> {
  const acquired = await deps.acquisition.acquireAsked(call.parameters as AcquireParameters, callerOf(call));
  const fleet = deps.isFleets(acquired.user);
  return { ...toReply(acquired), ...(fleet === undefined ? {} : { fleet }) };
}

function claim(deps: AllocatorApiDeps, call: Call<Peer>): JsonObject {
  return toReference(deps.acquisition.claim(String(call.parameters['lease']), callerOf(call)));
}

function toReference({ user, lease }: Pick<Acquired, 'user' | 'lease'>): JsonObject {
  return {
    uid: user.uid,
    gid: user.gid,
    userName: user.name,
    unit: lease.unit,
    dynamic: user.dynamic,
    lease: lease.id,
  };
}

function toReply({ user, lease, directories, environment, groups }: AcquiredInGroups): JsonObject {
  return {
    ...toReference({ user, lease }),
    directories: directories.map(
      ({ source, preserved, exposed, aliases, otherNames, device, inode, leftPaths, mountPaths, ...directory }) => {
        return { ...directory, leftPaths: [...leftPaths], mountPaths: [...mountPaths] };
      },
    ),
    environment: { ...environment },
    ...(groups.length === 0 ? {} : { groups: groups.map(group => ({ ...group })) }),
  };
}

async function release(deps: AllocatorApiDeps, { peer, parameters }: Call<Peer>): Promise<JsonObject> {
  const remains = await deps.acquisition.release(String(parameters['lease']), peer);
  return remains === undefined ? {} : { remains };
}

function list(deps: AllocatorApiDeps, call: Call<Peer>): JsonObject | Promise<JsonObject> {
  if (call.more) {
    return sendAllButLast(call, listed(deps)).then(last => last ?? {});
  }
  if (deps.users.leaseCount > LISTED_AT_ONCE_MAX) {
    throw limitReached(`more than ${LISTED_AT_ONCE_MAX} leases do not fit into one reply; call List with "more"`);
  }
  return { leases: Array.from(listed(deps), ({ lease }) => lease) };
}

function* listed(deps: AllocatorApiDeps): Generator<{ readonly lease: JsonObject }, void, undefined> {
  for (const { user, lease } of liveLeases(deps)) {
    yield { lease: toWireLease(deps, user, lease) };
  }
  for (const lease of endingLeases(deps)) {
    yield { lease };
  }
}

/** Only a few searches of one UID are under way at a time, however many it asks for: each that waits costs everybody a part of each turn. */
function explainCall(deps: AllocatorApiDeps, underWay: RequestsUnderWay, call: Call<Peer>): Promise<JsonObject> {
  const { authorization, probes, publicProbes } = deps;
  const caller = authorization.identify(call.peer);
  const { requester } = caller;
  if (underWay.of(requester) >= EXPLANATIONS_PER_PEER_MAX) {
    const count = `${EXPLANATIONS_PER_PEER_MAX} explanations of the user ${requester.uid} are under way`;
    throw limitReached(`${count}; wait for the answer to one`);
  }
  return underWay.during(requester, async () => {
    const request = readUser(call.parameters as ExplainParameters, deps.directories);
    const rights = await authorization.rightsOf(caller);
    // The answer tells of directories that are closed to others: whether one is there, whose it is, and how large.
    checkDirectories(rights, request.directories);
    const probe = (rights.acquire.allowed ? probes : publicProbes).for(rights.requester);
    const found = await explain(deps.explain, probe, rights, request);
    const { candidates, handovers, dynamic, refusal, groups, fleet, ...explanation } = found;
    return {
      ...explanation,
      ...(refusal === undefined ? {} : { error: wireCodeOf(refusal.code), field: refusal.detail.field ?? '' }),
      candidates: candidates.map(candidate => ({ ...candidate })),
      handovers: handovers.map(({ source, realPath, readOnly, aliases, otherNames, within, ...handover }) => ({
        ...handover,
      })),
      ...(groups.length === 0 ? {} : { groups: groups.map(group => ({ ...group })) }),
      ...(fleet === undefined ? {} : { fleet: { ...fleet } }),
    };
  });
}

function reload(deps: AllocatorApiDeps, { peer }: Call<Peer>): JsonObject {
  checkRoot(deps, peer, 'only root may have the configuration read again', 'configuration');
  const { applied, deferred } = deps.reload();
  return { applied: [...applied], deferred: [...deferred] };
}

function fleetStatus(deps: AllocatorApiDeps, { peer }: Call<Peer>): JsonObject {
  checkFleetRights(deps, peer);
  const { holds, ...status } = deps.fleet?.status() ?? { mode: 'off', state: 'off', holds: [] };
  return { ...status, holds: holds.map(hold => ({ ...hold })) };
}

async function fleetForget(deps: AllocatorApiDeps, { peer, parameters }: Call<Peer>): Promise<JsonObject> {
  checkFleetRights(deps, peer);
  const parsed = parseUserName(String(parameters['name']));
  if ('reason' in parsed) {
    throw new DynuserError('InvalidName', parsed.reason, { field: 'name' });
  }
  await fleetOf(deps).forget(parsed.name);
  return {};
}

async function fleetLeave(deps: AllocatorApiDeps, { peer }: Call<Peer>): Promise<JsonObject> {
  checkFleetRights(deps, peer);
  await fleetOf(deps).leave();
  return {};
}

/** @throws DynuserError NotPermitted */
function checkRoot({ authorization }: AllocatorApiDeps, peer: Peer, reason: string, field: string): void {
  if (!authorization.identify(peer).requester.isRoot) {
    throw new DynuserError('NotPermitted', reason, { field });
  }
}

function checkFleetRights(deps: AllocatorApiDeps, peer: Peer): void {
  checkRoot(deps, peer, 'only root may ask for the fleet of this host', 'fleet');
}

/** @throws DynuserError FleetUnavailable */
function fleetOf({ fleet }: AllocatorApiDeps): FleetOperations {
  if (fleet === undefined) {
    const reason = 'this host has no fleet; set Fleet= in dynuserd.conf';
    throw new DynuserError('FleetUnavailable', reason, { field: 'fleet' });
  }
  return fleet;
}

/** It never ends by itself, only with its connection. A watcher that reads too slowly loses its connection. */
async function watch(deps: AllocatorApiDeps, call: Call<Peer>): Promise<JsonObject> {
  if (!call.more) {
    throw expectedMore();
  }
  const { users, events } = deps;
  /** changes that came while the existing leases are sent; undefined afterwards */
  let waiting: JsonObject[] | undefined = [];
  const newcomers = new Set<LeaseId>();
  const unwatch = events.on(['allocated', 'released', 'lost'], event => {
    const { kind, user } = event;
    for (const lease of kind === 'lost' ? user.leases : [event.lease]) {
      const change = { event: kind, lease: toWireLease(deps, user, lease) };
      if (waiting === undefined) {
        call.send(change);
      } else if (waiting.length <= CHANGES_WAITING_MAX) {
        waiting.push(change);
        newcomers.add(lease.id);
      }
    }
  });
  const closed = new Promise<void>(resolve => {
    call.connection.onClose(() => {
      unwatch();
      resolve();
    });
  });
  function* existing(): Generator<JsonObject, void, undefined> {
    for (const { user, lease } of liveLeases({ users })) {
      if ((waiting?.length ?? 0) > CHANGES_WAITING_MAX) {
        throw limitReached(`${CHANGES_WAITING_MAX} leases came and went before all were read; watch again`);
      }
      if (!newcomers.has(lease.id)) {
        yield { event: 'existing', lease: toWireLease(deps, user, lease) };
      }
    }
    yield { event: 'ready' };
  }
  try {
    await call.sendAll(existing());
  } catch (error) {
    unwatch();
    throw error;
  }
  for (const change of waiting) {
    call.send(change);
  }
  waiting = undefined;
  await closed;
  return { event: 'ready' };
}

function* liveLeases({ users }: Pick<AllocatorApiDeps, 'users'>) {
  for (const user of firstOf(users.live(), users.liveCount)) {
    for (const lease of user.leases) {
      yield { user, lease };
    }
  }
}

function endingLeases(deps: AllocatorApiDeps): JsonObject[] {
  return Array.from(deps.teardown.underWay()).flatMap(({ user, leftovers }) =>
    user.leases.map(lease => ({
      ...toWireLease(deps, user, lease),
      ending: true,
      ...(leftovers === undefined ? {} : { remains: leftovers }),
    })),
  );
}

const MICROSECONDS_PER_MILLISECOND = 1_000;

function toWireLease({ isFleets }: Pick<AllocatorApiDeps, 'isFleets'>, user: DynamicUser, lease: Lease): JsonObject {
  const fleet = isFleets(user);
  return {
    lease: lease.id,
    uid: user.uid,
    gid: user.gid,
    userName: user.name,
    ...termsOf(lease),
    dynamic: user.dynamic,
    ...(fleet === undefined ? {} : { fleet }),
    ...(lease.pid === undefined ? {} : { pid: lease.pid }),
    ...(lease.process === undefined ? {} : { holder: lease.process.pid }),
    since: lease.since * MICROSECONDS_PER_MILLISECOND,
    ...(lease.runtime === undefined ? {} : { runtime: lease.runtime.milliseconds }),
    directories: lease.directories.map(directory => directory.publicPath),
    ...(lease.groups === undefined ? {} : { groups: lease.groups.map(({ name }) => name) }),
    ...(lease.member === undefined ? {} : { member: lease.member.user, memberLease: lease.member.lease }),
    ...(user.lost === undefined ? {} : { lost: user.lost }),
  };
}

/** Errors leave in the form of the wire; a synchronous handler stays synchronous. */
function mapped(handler: MethodHandler<Peer>): MethodHandler<Peer> {
  return call => {
    try {
      const reply = handler(call);
      return reply instanceof Promise ? reply.catch(refuse) : reply;
    } catch (error) {
      return refuse(error);
    }
  };
}

/** @throws the error reply for a DynuserError; anything else as it is, for the server to report */
function refuse(error: unknown): never {
  throw error instanceof DynuserError
    ? new VarlinkError(`io.dynuser.Allocator.${wireCodeOf(error.code)}`, errorParameters(error))
    : error;
}
