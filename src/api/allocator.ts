/**
 * io.dynuser.Allocator: parameters that were checked against the IDL become typed requests, and inward nobody checks them again.
 * Who asks comes from the kernel, never from the message.
 */

import { explain } from '../allocator/explain.ts';
import type { Acquired } from '../allocator/lease.ts';
import type { Probes } from '../allocator/ports.ts';
import { limitReached } from '../allocator/refusals.ts';
import { RequestsUnderWay } from '../allocator/request-limits.ts';
import type { Teardown } from '../allocator/teardown.ts';
import type { UserTable } from '../allocator/user-table.ts';
import { wireCodeOf } from '../core/errors.ts';
import { type DynamicUser, type Lease, termsOf } from '../core/lease.ts';
import { EXPLANATIONS_PER_PEER_MAX } from '../core/limits.ts';
import { expectedMore } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Call, InterfaceImplementation, MethodHandler } from '../varlink/server.ts';
import { checkDirectories, type PeerIdentity } from './authorization.ts';
import { toWireError } from './error-map.ts';
import { ALLOCATOR_INTERFACE } from './generated/io-dynuser-allocator.ts';
import { type LaunchDeps, launch } from './launch.ts';
import type { Peer } from './peer.ts';
import { readAcquire, readUser } from './request.ts';

export interface AllocatorApiDeps extends LaunchDeps {
  readonly users: UserTable;
  readonly teardown: Pick<Teardown, 'underWay'>;
  /** the questions of peers that may not acquire, who keep nobody else waiting */
  readonly publicProbes: Probes;
}

export function allocatorInterface(deps: AllocatorApiDeps): InterfaceImplementation<Peer> {
  const explanations = new RequestsUnderWay();
  return {
    description: ALLOCATOR_INTERFACE,
    methods: {
      Acquire: mapped(call => acquire(deps, call)),
      Launch: mapped(call => launch(deps, call)),
      Claim: mapped(call => claim(deps, call)),
      Release: mapped(call => release(deps, call)),
      List: mapped(call => list(deps, call)),
      Explain: mapped(call => explainCall(deps, explanations, call)),
      Watch: mapped(call => watch(deps, call)),
    },
  };
}

async function acquire(deps: AllocatorApiDeps, call: Call<Peer>): Promise<JsonObject> {
  const { peer, connection, parameters } = call;
  const acquired = await deps.acquisition.acquire(readAcquire(parameters, deps.directories), {
    peer,
    connection,
    answered: !call.oneway,
    mayClaim: true,
    pin: () => peer.pin(),
    ...(call.more ? { onProgress: progress => call.send({ progress: { ...progress } }) } : {}),
  });
  return toReply(acquired);
}

function claim(deps: AllocatorApiDeps, { peer, connection, parameters }: Call<Peer>): JsonObject {
  const caller = { peer, connection, pin: () => peer.pin() };
  return toReference(deps.acquisition.claim(String(parameters['lease']), caller));
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

function toReply({ user, lease, directories, environment }: Acquired): JsonObject {
  return {
    ...toReference({ user, lease }),
    directories: directories.map(
      ({ source, preserved, exposed, aliases, device, inode, leftPaths, mountPaths, ...directory }) => {
        return { ...directory, leftPaths: [...leftPaths], mountPaths: [...mountPaths] };
      },
    ),
    environment: { ...environment },
  };
}

async function release(deps: AllocatorApiDeps, { peer, parameters }: Call<Peer>): Promise<JsonObject> {
  const remains = await deps.acquisition.release(String(parameters['lease']), peer);
  return remains === undefined ? {} : { remains };
}

function list(deps: AllocatorApiDeps, call: Call<Peer>): JsonObject {
  const leases = [...liveLeases(deps), ...endingLeases(deps)];
  if (!call.more) {
    return { leases };
  }
  const last = leases.pop();
  for (const lease of leases) {
    call.send({ lease });
  }
  return last === undefined ? {} : { lease: last };
}

/** Searches of one UID that are under way are few, however many it asks for: what waits costs everybody a part of each turn. */
function explainCall(deps: AllocatorApiDeps, underWay: RequestsUnderWay, call: Call<Peer>): Promise<JsonObject> {
  const caller = deps.authorization.identify(call.peer);
  const { requester } = caller;
  if (underWay.of(requester) >= EXPLANATIONS_PER_PEER_MAX) {
    const count = `${EXPLANATIONS_PER_PEER_MAX} explanations of the user ${requester.uid} are under way`;
    throw limitReached(`${count}; wait for the answer to one`);
  }
  return underWay.during(requester, () => explained(deps, caller, call.parameters));
}

async function explained(
  deps: AllocatorApiDeps,
  caller: PeerIdentity,
  parameters: Call<Peer>['parameters'],
): Promise<JsonObject> {
  const { authorization, probes, publicProbes } = deps;
  const request = readUser(parameters, deps.directories);
  const rights = await authorization.rightsOf(caller);
  // The answer tells of directories that are closed to others: whether one is there, whose it is, and how large.
  checkDirectories(rights, request.directories);
  const probe = (rights.acquire.allowed ? probes : publicProbes).for(rights.requester);
  const { candidates, handovers, dynamic, refusal, ...explanation } = await explain(
    deps.explain,
    probe,
    rights,
    request,
  );
  return {
    ...explanation,
    ...(refusal === undefined ? {} : { error: wireCodeOf(refusal.code), field: refusal.detail.field ?? '' }),
    candidates: candidates.map(candidate => ({ ...candidate })),
    handovers: handovers.map(({ source, realPath, readOnly, aliases, within, ...handover }) => ({ ...handover })),
  };
}

/** Never ends by itself: the connection's end is its end. A watcher that reads too slowly loses its connection. */
function watch(deps: AllocatorApiDeps, call: Call<Peer>): Promise<JsonObject> {
  if (!call.more) {
    throw expectedMore();
  }
  for (const lease of liveLeases(deps)) {
    call.send({ event: 'existing', lease });
  }
  call.send({ event: 'ready' });
  return new Promise(resolve => {
    const unwatch = deps.users.watch(change => {
      call.send({ event: change.kind, lease: toWireLease(change.user, change.lease) });
    });
    call.connection.onClose(() => {
      unwatch();
      resolve({ event: 'ready' });
    });
  });
}

function liveLeases(deps: AllocatorApiDeps): JsonObject[] {
  const leases: JsonObject[] = [];
  for (const user of deps.users.live()) {
    for (const lease of user.leases) {
      leases.push(toWireLease(user, lease));
    }
  }
  return leases;
}

function endingLeases(deps: AllocatorApiDeps): JsonObject[] {
  return Array.from(deps.teardown.underWay()).flatMap(({ user, leftovers }) =>
    user.leases.map(lease => ({
      ...toWireLease(user, lease),
      ending: true,
      ...(leftovers === undefined ? {} : { remains: leftovers }),
    })),
  );
}

const MICROSECONDS_PER_MILLISECOND = 1_000;

function toWireLease(user: DynamicUser, lease: Lease): JsonObject {
  return {
    lease: lease.id,
    uid: user.uid,
    gid: user.gid,
    userName: user.name,
    ...termsOf(lease),
    dynamic: user.dynamic,
    ...(lease.pid === undefined ? {} : { pid: lease.pid }),
    since: lease.since * MICROSECONDS_PER_MILLISECOND,
    directories: lease.directories.map(directory => directory.publicPath),
    ...(user.lost === undefined ? {} : { lost: user.lost }),
  };
}

/** Errors leave in the form of the wire; a synchronous handler stays synchronous. */
function mapped(handler: MethodHandler<Peer>): MethodHandler<Peer> {
  return call => {
    try {
      const reply = handler(call);
      return reply instanceof Promise
        ? reply.catch((error: unknown) => {
            throw toWireError(error);
          })
        : reply;
    } catch (error) {
      throw toWireError(error);
    }
  };
}
