/**
 * io.dynuser.Allocator: raw, IDL-checked parameters become the house's own types here, and inward nobody validates again.
 * Who asks comes from the kernel, never from the message.
 */

import { DynuserError } from '../core/errors.ts';
import { asLeaseId } from '../core/ids.ts';
import type { Holder, UserLease } from '../core/lease.ts';
import type { Acquired, Allocator } from '../service/allocator.ts';
import type { Directories } from '../service/directory-ports.ts';
import type { Endings } from '../service/endings.ts';
import { type ExplainParts, explain } from '../service/explain.ts';
import { type ReleaseParts, releaseFor } from '../service/release.ts';
import { expectedMore } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Call, InterfaceImplementation, MethodHandler } from '../varlink/server.ts';
import type { Admission } from './admission.ts';
import type { ConnectionLeases } from './connection-leases.ts';
import { toWireError } from './error-map.ts';
import { ALLOCATOR_INTERFACE } from './generated/io-dynuser-allocator.ts';
import type { Peer } from './peer.ts';
import { readCleanup, readLifetime, readRequest } from './request.ts';

export interface AllocatorApiParts {
  readonly allocator: Allocator;
  readonly release: ReleaseParts;
  readonly explain: ExplainParts;
  readonly admission: Admission;
  readonly connectionLeases: ConnectionLeases;
  readonly endings: Pick<Endings, 'remains'>;
  readonly directories: Pick<Directories, 'requested'>;
}

export function allocatorInterface(parts: AllocatorApiParts): InterfaceImplementation<Peer> {
  return {
    description: ALLOCATOR_INTERFACE,
    methods: {
      Acquire: mapped(call => acquire(parts, call)),
      Release: mapped(call => release(parts, call)),
      List: mapped(call => list(parts, call)),
      Explain: mapped(call => explainCall(parts, call)),
      Watch: mapped(call => watch(parts, call)),
    },
  };
}

async function acquire(parts: AllocatorApiParts, call: Call<Peer>): Promise<JsonObject> {
  const { peer, connection, parameters } = call;
  await parts.admission.check(peer);
  const { userName, ...request } = readRequest(parameters, parts.directories);
  const lifetime = readLifetime(parameters);
  const gone = new AbortController();
  const forget = connection.onClose(() => gone.abort());
  if (call.oneway) {
    // Without an answer nobody can know the lease, so nobody could release it.
    gone.abort();
  }
  try {
    const acquired = await parts.allocator.acquire({
      ...request,
      ...(userName === undefined ? {} : { userName }),
      lifetime,
      pid: peer.pid,
      owner: peer.uid,
      cleanup: readCleanup(parameters),
      signal: gone.signal,
      ...(call.more ? { onProgress: progress => call.send({ progress: { ...progress } }) } : {}),
    });
    if (lifetime === 'connection' || connection.closed) {
      parts.connectionLeases.bind(acquired.holder.lease, connection);
    }
    return toReply(acquired);
  } finally {
    forget();
  }
}

function toReply({ user, holder, directories, environment }: Acquired): JsonObject {
  return {
    uid: user.uid,
    gid: user.gid,
    userName: user.name,
    unit: holder.unit,
    dynamic: user.dynamic,
    lease: holder.lease,
    directories: directories.map(({ source, preserved, aliases, leftPaths, mountPaths, ...directory }) => {
      return { ...directory, leftPaths: [...leftPaths], mountPaths: [...mountPaths] };
    }),
    environment: { ...environment },
  };
}

async function release(parts: AllocatorApiParts, { peer, parameters }: Call<Peer>): Promise<JsonObject> {
  const text = String(parameters['lease']);
  const lease = asLeaseId(text);
  if (lease === undefined) {
    const reason =
      'a lease id has 32 lower-case hexadecimal digits; "dynuserctl list --json=pretty" shows the live ones';
    throw new DynuserError('NoSuchLease', reason, { field: 'lease' });
  }
  const remains = await releaseFor(parts.release, lease, peer);
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

async function explainCall(parts: AllocatorApiParts, { parameters }: Call<Peer>): Promise<JsonObject> {
  const { userName, makesMounts, verify, ...request } = readRequest(parameters, parts.directories);
  const { candidates, handovers, ...explanation } = await explain(parts.explain, {
    ...request,
    ...(userName === undefined ? {} : { userName }),
    wishes: { makesMounts, verify },
  });
  return {
    ...explanation,
    candidates: candidates.map(candidate => ({ ...candidate })),
    handovers: handovers.map(({ source, ...handover }) => ({ ...handover })),
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
    const unwatch = parts.release.users.watch(change => {
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
  for (const user of parts.release.users.live()) {
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
