/**
 * Acquire, Claim and Release, as every interface offers them. They get a typed request and the caller, as the kernel or the bus names it,
 * check the rights of the caller, and bind the lease to its lifetime.
 */

import type { HandoverProgress } from '../allocator/directory-ports.ts';
import type { LeaseEvents } from '../allocator/events.ts';
import type { ClaimedLease, Lifetimes } from '../allocator/lifetimes.ts';
import type { PinnedProcess } from '../allocator/ports.ts';
import { type ReleaseDeps, releaseFor } from '../allocator/release.ts';
import type { AcquireRequest } from '../allocator/request.ts';
import type { AcquiredInGroups, SharedGroups } from '../allocator/shared-groups.ts';
import { type Requester, ROOT } from '../core/access.ts';
import { DynuserError, firstFailure, reasonOf } from '../core/errors.ts';
import { asLeaseId, type LeaseId } from '../core/ids.ts';
import { keptProcess } from '../core/lease.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import { VarlinkError } from '../varlink/errors.ts';
import type { Call } from '../varlink/handler.ts';
import { type Authorization, checkAcquire, checkDirectories, type PeerIdentity } from './authorization.ts';
import type { ClosableConnection, ConnectionLeases } from './connection-leases.ts';
import type { AcquireParameters } from './generated/io-dynuser-allocator.ts';
import type { Peer } from './peer.ts';
import { type DirectoryReader, readAcquire } from './request.ts';

/** How many characters of a name that was refused are told: it may have any length. */
const ASKED_NAME_MAX = 256;

export interface AcquisitionDeps {
  readonly sharedGroups: Pick<SharedGroups, 'acquire'>;
  readonly events: LeaseEvents;
  readonly directories: DirectoryReader;
  readonly release: ReleaseDeps;
  readonly authorization: Authorization;
  readonly lifetimes: Lifetimes;
  readonly connectionLeases: ConnectionLeases;
}

/** Who asks, and over which connection. */
export interface Caller {
  readonly peer: Peer;
  readonly connection: ClosableConnection;
  /** false if nobody will see the answer: then nobody would know the lease, and nobody could release it */
  readonly answered: boolean;
  /** whether it could claim a lease from the next daemon: who asks over a bus cannot */
  readonly mayClaim: boolean;
  readonly onProgress?: (progress: HandoverProgress) => unknown;
}

/** The caller of a varlink method. To be called in the tick of the call. */
export function callerOf(call: Call<Peer>): Caller {
  const { peer, connection } = call;
  const onProgress = (progress: HandoverProgress): unknown => call.send({ progress: { ...progress } });
  const caller = { peer, connection, answered: !call.oneway, mayClaim: true };
  return call.more ? { ...caller, onProgress } : caller;
}

export class Acquisition {
  readonly #deps: AcquisitionDeps;

  constructor(deps: AcquisitionDeps) {
    this.#deps = deps;
  }

  /** As acquire(), for what an interface was asked. @throws DynuserError any; VarlinkError InvalidParameter */
  async acquireAsked(parameters: AcquireParameters, caller: Caller): Promise<AcquiredInGroups> {
    let request: AcquireRequest;
    try {
      request = readAcquire(parameters, this.#deps.directories);
    } catch (error) {
      this.#tellRefusal(parameters, caller, error);
      throw error;
    }
    return this.acquire(request, caller);
  }

  /**
   * To be called in the tick of the call, while the connection is open.
   * @param known what was read of the peer in the tick of its call, if it was
   * @throws DynuserError any
   */
  async acquire(request: AcquireRequest, caller: Caller, known?: PeerIdentity): Promise<AcquiredInGroups> {
    try {
      return await this.#acquire(request, caller, known);
    } catch (error) {
      this.#tellRefusal(request, caller, error);
      throw error;
    }
  }

  async #acquire(request: AcquireRequest, caller: Caller, known?: PeerIdentity): Promise<AcquiredInGroups> {
    const { authorization, lifetimes, connectionLeases, sharedGroups } = this.#deps;
    const { peer, connection, onProgress } = caller;
    // Before anything is waited for: later the connection may be another's.
    const identity = known ?? authorization.identify(peer);
    const bound = this.#pinBound(request, peer, identity.requester);
    const process = bound?.identity ?? this.#whoMayClaim(request, caller);
    const gone = new AbortController();
    const forget = connection.onClose(() => gone.abort());
    if (!caller.answered) {
      gone.abort();
    }
    let isBound = false;
    try {
      const rights = await authorization.rightsOf(identity);
      checkAcquire(rights);
      checkDirectories(rights, request.directories);
      if (request.lifetime === 'unit') {
        await lifetimes.checkUnit(request.unit);
      }
      const acquired = await sharedGroups.acquire(request, {
        requester: identity.requester,
        pid: peer.pid,
        signal: gone.signal,
        ...(process === undefined ? {} : { process }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
      if (request.lifetime === 'connection' || connection.closed) {
        connectionLeases.bind(acquired.lease.id, connection);
      }
      isBound = true;
      lifetimes.bind(acquired.lease, bound);
      return acquired;
    } finally {
      forget();
      if (!isBound) {
        bound?.close();
      }
    }
  }

  /**
   * @returns what keeps the UID reserved for now, in words
   * @throws DynuserError NoSuchLease, NotPermitted, DirectoryFailed, LimitReached
   */
  async release(text: string, peer: Peer): Promise<string | undefined> {
    const { requester } = this.#deps.authorization.identify(peer);
    return releaseFor(this.#deps.release, readLease(text), requester);
  }

  /** Takes back a lease of which its peer was not told. @throws DynuserError as release() does */
  async drop(lease: LeaseId): Promise<void> {
    await releaseFor(this.#deps.release, lease, ROOT);
  }

  /**
   * Gives a lease whose connection was to a former daemon to the process that acquired it, for as long as this connection.
   * @throws DynuserError NoSuchLease; LimitReached, HostFailed
   */
  claim(text: string, { peer, connection }: Caller): ClaimedLease {
    const lease = readLease(text);
    const { lifetimes } = this.#deps;
    const claimed = lifetimes.claim(
      lease,
      peer.uid,
      lifetimes.identityOf(() => peer.pin(), peer.pid),
    );
    this.#deps.connectionLeases.bind(lease, connection);
    return claimed;
  }

  /** @param asked what was asked for, as it came or as it was read */
  #tellRefusal(asked: Pick<AcquireParameters, 'unit' | 'userName'>, { peer }: Caller, error: unknown): void {
    const cause = firstFailure(error);
    if (cause instanceof VarlinkError) {
      // No request: the call itself is wrong.
      return;
    }
    const { unit, userName } = asked;
    this.#deps.events.tell({
      kind: 'refused',
      unit: unit.slice(0, ASKED_NAME_MAX),
      ...(userName === undefined ? {} : { userName: userName.slice(0, ASKED_NAME_MAX) }),
      requester: this.#requesterOf(peer),
      pid: peer.pid,
      code: cause instanceof DynuserError ? cause.code : 'Internal',
      reason: reasonOf(cause),
    });
  }

  #requesterOf(peer: Peer): Requester {
    try {
      return this.#deps.authorization.identify(peer).requester;
    } catch {
      return { uid: peer.uid, isRoot: false };
    }
  }

  /** Who may claim the lease from the next daemon. */
  #whoMayClaim({ lifetime }: AcquireRequest, { peer, mayClaim }: Caller): ProcessIdentity | undefined {
    return keptProcess(lifetime) === 'mayClaim' && mayClaim
      ? this.#deps.lifetimes.identityOf(() => peer.pin(), peer.pid)
      : undefined;
  }

  /** The process that the lease ends with. */
  #pinBound({ lifetime, pid }: AcquireRequest, peer: Peer, requester: Requester): PinnedProcess | undefined {
    if (keptProcess(lifetime) !== 'bound') {
      return undefined;
    }
    const { lifetimes } = this.#deps;
    return pid === undefined ? lifetimes.callerOf(() => peer.pin(), peer.pid) : lifetimes.processOf(pid, requester);
  }
}

function readLease(text: string): LeaseId {
  const lease = asLeaseId(text);
  if (lease === undefined) {
    const reason =
      'a lease id has 32 lower-case hexadecimal digits; "dynuserctl list --json=pretty" shows the live ones';
    throw new DynuserError('NoSuchLease', reason, { field: 'lease' });
  }
  return lease;
}
