/**
 * Acquire, Claim and Release as every interface offers them: a typed request, and who asks, as the kernel or the bus
 * says. Checks the caller's rights, and binds the lease to its lifetime.
 */

import type { Allocator } from '../allocator/allocate.ts';
import type { HandoverProgress } from '../allocator/directory-ports.ts';
import type { Acquired } from '../allocator/lease.ts';
import type { Lifetimes } from '../allocator/lifetimes.ts';
import type { PeerPinOutcome, PinnedProcess } from '../allocator/ports.ts';
import type { ClaimedLease, Claims } from '../allocator/reclaim.ts';
import { type ReleaseDeps, releaseFor } from '../allocator/release.ts';
import type { AcquireRequest } from '../allocator/request.ts';
import { ROOT } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import { asLeaseId, type LeaseId } from '../core/ids.ts';
import { keptProcess } from '../core/lifetime.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import { type Authorization, checkAcquire, checkDirectories, type PeerIdentity } from './authorization.ts';
import type { ClosableConnection, ConnectionLeases } from './connection-leases.ts';
import type { Peer } from './peer.ts';

export interface AcquisitionDeps {
  readonly allocator: Allocator;
  readonly release: ReleaseDeps;
  readonly authorization: Authorization;
  readonly lifetimes: Lifetimes;
  readonly claims: Claims;
  readonly connectionLeases: ConnectionLeases;
}

/** Who asks, and over what. */
export interface Caller {
  readonly peer: Peer;
  readonly connection: ClosableConnection;
  /** false if nobody will see the answer: then nobody would know the lease, and nobody could release it */
  readonly answered: boolean;
  /** whether it could claim a lease from the next daemon: who asks over a bus cannot */
  readonly mayClaim: boolean;
  /** the process at the other end; to be called in the tick of the call */
  readonly pin: () => PeerPinOutcome;
  readonly onProgress?: (progress: HandoverProgress) => void;
}

export class Acquisition {
  readonly #deps: AcquisitionDeps;

  constructor(deps: AcquisitionDeps) {
    this.#deps = deps;
  }

  /** To be called in the tick of the call, while the connection is open. @throws DynuserError any */
  async acquire(request: AcquireRequest, caller: Caller): Promise<Acquired> {
    const { authorization, lifetimes, connectionLeases, allocator } = this.#deps;
    const { peer, connection, onProgress } = caller;
    // Before anything is waited for: later the connection may be another's.
    const identity = authorization.identify(peer);
    const bound = this.#pinBound(request, caller, identity);
    const process = bound?.identity ?? this.#claimant(request, caller);
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
      const acquired = await allocator.acquire(request, {
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
  claim(text: string, { peer, connection, pin }: Pick<Caller, 'peer' | 'connection' | 'pin'>): ClaimedLease {
    const lease = readLease(text);
    const identity = this.#deps.lifetimes.identityOf(pin, peer.pid);
    const claimed = this.#deps.claims.claim(lease, peer.uid, identity);
    this.#deps.connectionLeases.bind(lease, connection);
    return claimed;
  }

  /** Who may claim the lease from the next daemon. */
  #claimant({ lifetime }: AcquireRequest, { peer, pin, mayClaim }: Caller): ProcessIdentity | undefined {
    return keptProcess(lifetime) === 'claimant' && mayClaim
      ? this.#deps.lifetimes.identityOf(pin, peer.pid)
      : undefined;
  }

  /** The process that the lease ends with. */
  #pinBound(
    { lifetime, pid }: AcquireRequest,
    { peer, pin }: Caller,
    { requester }: PeerIdentity,
  ): PinnedProcess | undefined {
    if (keptProcess(lifetime) !== 'bound') {
      return undefined;
    }
    const { lifetimes } = this.#deps;
    return pid === undefined ? lifetimes.callerOf(pin, peer.pid) : lifetimes.processOf(pid, requester);
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
