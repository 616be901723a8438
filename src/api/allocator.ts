/**
 * io.dynuser.Allocator: raw, IDL-checked parameters become the house's own types here, and inward nobody validates again.
 * Who asks comes from the kernel, never from the message.
 */

import { explain } from '../allocator/explain.ts';
import type { Acquired } from '../allocator/lease.ts';
import type { Probes } from '../allocator/ports.ts';
import type { Endings } from '../allocator/teardown.ts';
import type { UserTable } from '../allocator/user-table.ts';
import { wireCodeOf } from '../core/errors.ts';
import type { Holder, UserLease } from '../core/lease.ts';
import { LaunchMemory } from '../launch/launch.ts';
import { expectedMore } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Call, InterfaceImplementation, MethodHandler } from '../varlink/server.ts';
import { checkDirectories } from './admission.ts';
import { toWireError } from './error-map.ts';
import { ALLOCATOR_INTERFACE } from './generated/io-dynuser-allocator.ts';
import { type LaunchParts, launch } from './launch.ts';
import type { Peer } from './peer.ts';
import { readRequest } from './request.ts';

export interface AllocatorApiParts extends LaunchParts {
  readonly users: UserTable;
  readonly endings: Pick<Endings, 'remains'>;
  /** the questions of peers that may not acquire, who keep nobody else waiting */
  readonly publicProbes: Probes;
}

export function allocatorInterface(parts: AllocatorApiParts): InterfaceImplementation<Peer> {
  const launches = new LaunchMemory();
  return {
    description: ALLOCATOR_INTERFACE,
    methods: {
      Acquire: mapped(call => acquire(parts, call)),
      Launch: mapped(call => launch(parts, launches, call)),
      Claim: mapped(call => claim(parts, call)),
      Release: mapped(call => release(parts, call)),
      List: mapped(call => list(parts, call)),
      Explain: mapped(call => explainCall(parts, call)),
      Watch: mapped(call => watch(parts, call)),
    },
  };
}

async function acquire(parts: AllocatorApiParts, call: Call<Peer>): Promise<JsonObject> {
  const { peer, connection, parameters } = call;
  const acquired = await parts.acquisition.acquire(parameters, {
    peer,
    connection,
    answered: !call.oneway,
    mayClaim: true,
    pin: () => peer.pin(),
    ...(call.more ? { onProgress: progress => call.send({ progress: { ...progress } }) } : {}),
  });
  return toReply(acquired);
}

function claim(parts: AllocatorApiParts, { peer, connection, parameters }: Call<Peer>): JsonObject {
  const asker = { peer, connection, pin: () => peer.pin() };
  return toReference(parts.acquisition.claim(String(parameters['lease']), asker));
}

function toReference({ user, holder }: Pick<Acquired, 'user' | 'holder'>): JsonObject {
  return {
    uid: user.uid,
    gid: user.gid,
    userName: user.name,
    unit: holder.unit,
    dynamic: user.dynamic,
    lease: holder.lease,
  };
}

function toReply({ user, holder, directories, environment }: Acquired): JsonObject {
  return {
    ...toReference({ user, holder }),
    directories: directories.map(
      ({ source, preserved, exposed, aliases, device, inode, leftPaths, mountPaths, ...directory }) => {
        return { ...directory, leftPaths: [...leftPaths], mountPaths: [...mountPaths] };
      },
    ),
    environment: { ...environment },
  };
}

async function release(parts: AllocatorApiParts, { peer, parameters }: Call<Peer>): Promise<JsonObject> {
  const remains = await parts.acquisition.release(String(parameters['lease']), peer);
  return remains === undefined ? {} : { remains };
}

function list(parts: AllocatorApiParts, call: Call<Peer>): JsonObject {
  const leases = [...liveLeases(parts), ...endingLeases(parts)];
  if (!call.more) {
    return { leases };
  }
  const last = leases.pop();
  for (const lease of leases) {
    call.send({ lease });
  }
  return last === undefined ? {} : { lease: last };
}

async function explainCall(parts: AllocatorApiParts, { peer, parameters }: Call<Peer>): Promise<JsonObject> {
  const { admission, probes, publicProbes } = parts;
  const caller = admission.identify(peer);
  const { userName, makesMounts, verify, ...request } = readRequest(parameters, parts.directories);
  const rights = await admission.rightsOf(caller);
  // The answer tells of directories that are closed to others: whether one is there, whose it is, and how large.
  checkDirectories(rights, request.directories);
  const probe = (rights.acquire.allowed ? probes : publicProbes).for(rights.requester);
  const { candidates, handovers, dynamic, refusal, ...explanation } = await explain(parts.explain, probe, rights, {
    ...request,
    ...(userName === undefined ? {} : { userName }),
    wishes: { makesMounts, verify },
  });
  return {
    ...explanation,
    ...(refusal === undefined ? {} : { error: wireCodeOf(refusal.code), field: refusal.detail.field ?? '' }),
    candidates: candidates.map(candidate => ({ ...candidate })),
    handovers: handovers.map(({ source, realPath, readOnly, aliases, within, ...handover }) => ({ ...handover })),
  };
}

/** Never ends by itself: the connection's end is its end. A watcher that reads too slowly loses its connection. */
function watch(parts: AllocatorApiParts, call: Call<Peer>): Promise<JsonObject> {
  if (!call.more) {
    throw expectedMore();
  }
  for (const lease of liveLeases(parts)) {
    call.send({ event: 'existing', lease });
  }
  call.send({ event: 'ready' });
  return new Promise(resolve => {
    const unwatch = parts.users.watch(change => {
      call.send({ event: change.kind, lease: toWireLease(change.user, change.holder) });
    });
    call.connection.onClose(() => {
      unwatch();
      resolve({ event: 'ready' });
    });
  });
}

function liveLeases(parts: AllocatorApiParts): JsonObject[] {
  const leases: JsonObject[] = [];
  for (const user of parts.users.live()) {
    for (const holder of user.holders) {
      leases.push(toWireLease(user, holder));
    }
  }
  return leases;
}

function endingLeases(parts: AllocatorApiParts): JsonObject[] {
  return Array.from(parts.endings.remains()).flatMap(({ user, left }) =>
    user.holders.map(holder => ({
      ...toWireLease(user, holder),
      ending: true,
      ...(left === undefined ? {} : { remains: left }),
    })),
  );
}

const MICROSECONDS_PER_MILLISECOND = 1_000;

function toWireLease(user: UserLease, holder: Holder): JsonObject {
  return {
    lease: holder.lease,
    uid: user.uid,
    gid: user.gid,
    userName: user.name,
    unit: holder.unit,
    dynamic: user.dynamic,
    lifetime: holder.lifetime,
    ...(holder.pid === undefined ? {} : { pid: holder.pid }),
    since: holder.since * MICROSECONDS_PER_MILLISECOND,
    directories: holder.directories.map(directory => directory.publicPath),
    ...(holder.missing === undefined ? {} : { missing: holder.missing }),
    ...(user.lost === undefined ? {} : { lost: user.lost }),
  };
}

/** Errors of the house leave in the wire's form; a synchronous handler stays synchronous. */
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
