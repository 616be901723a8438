/**
 * Acquire and Release as every interface offers them: raw parameters, whose types alone were checked, and who asks, as
 * the kernel or the bus says. Binds the lease to what it lasts as long as.
 */

import type { Allocator } from '../allocator/allocate.ts';
import type { Directories, HandoverProgress } from '../allocator/directory-ports.ts';
import type { Acquired } from '../allocator/lease.ts';
import type { Lifetimes } from '../allocator/lifetimes.ts';
import type { PeerPinOutcome, PinnedProcess } from '../allocator/ports.ts';
import type { ClaimedLease, Claims } from '../allocator/reclaim.ts';
import { type ReleaseDeps, releaseFor } from '../allocator/release.ts';
import { ROOT } from '../core/access.ts';
import { DynuserError } from '../core/errors.ts';
import { asLeaseId, asPid, type Gid, type LeaseId } from '../core/ids.ts';
import type { Lifetime } from '../core/lease.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import type { JsonObject } from '../varlink/json.ts';
import { type Authorization, checkAcquire, checkDirectories, type PeerIdentity } from './authorization.ts';
import type { ClosableConnection, ConnectionLeases } from './connection-leases.ts';
import type { Peer } from './peer.ts';
import { readCleanup, readLifetime, readRequest } from './request.ts';

export interface AcquisitionDeps {
  readonly allocator: Allocator;
  readonly release: ReleaseDeps;
  readonly authorization: Authorization;
  readonly directories: Pick<Directories, 'requested'>;
  readonly lifetimes: Lifetimes;
  readonly claims: Claims;
  readonly connectionLeases: ConnectionLeases;
}

/** Who asks, and over what. */
export interface Caller {
  readonly peer: Peer;
  readonly connection: ClosableConnection;
  /** false where nobody will see the answer: without it nobody can know the lease, so nobody could release it */
  readonly answered: boolean;
  /** whether it could claim a lease from the next daemon: who asks over a bus cannot */
  readonly mayClaim: boolean;
  /** the process at the other end; to be called in the tick of the call */
  readonly pin: () => PeerPinOutcome;
  readonly onProgress?: (progress: HandoverProgress) => void;
}

/** What a launch asks for beside the parameters of Acquire. */
export interface LaunchWishes {
  readonly staticOnly: boolean;
  readonly missing: readonly string[];
  /** the group of the directories, where it is not the user's own */
  readonly directoryGid: () => Promise<Gid | undefined>;
}

export class Acquisition {
  readonly #deps: AcquisitionDeps;

  constructor(deps: AcquisitionDeps) {
    this.#deps = deps;
  }

  /** @throws DynuserError any; VarlinkError InvalidParameter */
  async acquire(parameters: JsonObject, asker: Caller, wishes?: LaunchWishes): Promise<Acquired> {
    const { authorization, lifetimes, connectionLeases } = this.#deps;
    const { peer, connection } = asker;
    const request = readRequest(parameters, this.#deps.directories);
    const lifetime = readLifetime(parameters);
    // Before anything is waited for: later the connection may be another's.
    const caller = authorization.identify(peer);
    const process = this.#pin(parameters, lifetime, asker, caller);
    const identity = process?.identity ?? this.#claimant(lifetime, asker);
    const gone = new AbortController();
    const forget = connection.onClose(() => gone.abort());
    if (!asker.answered) {
      gone.abort();
    }
    let bound = false;
    try {
      const rights = await authorization.rightsOf(caller);
      checkAcquire(rights);
      checkDirectories(rights, request.directories);
      if (lifetime === 'unit') {
        await lifetimes.checkUnit(request.unit);
      }
      const { onProgress } = asker;
      const directoryGid = await wishes?.directoryGid();
      const acquired = await this.#deps.allocator.acquire({
        ...request,
        lifetime,
        pid: peer.pid,
        ...(identity === undefined ? {} : { process: identity }),
        owner: peer.uid,
        isRoot: caller.requester.isRoot,
        cleanup: readCleanup(parameters),
        // Objects of an account are the host's: only who says so has them removed.
        removesAccountIpc: parameters['removeIPC'] === true,
        signal: gone.signal,
        ...(wishes === undefined ? {} : { staticOnly: wishes.staticOnly, missing: wishes.missing }),
        ...(directoryGid === undefined ? {} : { directoryGid }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
      if (lifetime === 'connection' || connection.closed) {
        connectionLeases.bind(acquired.lease.id, connection);
      }
      bound = true;
      lifetimes.bind(acquired.lease, process);
      return acquired;
    } finally {
      forget();
      if (!bound) {
        process?.close();
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

  /** Who may claim a lease of lifetime `connection` from the next daemon. */
  #claimant(lifetime: Lifetime, { peer, pin, mayClaim }: Caller): ProcessIdentity | undefined {
    return lifetime === 'connection' && mayClaim ? this.#deps.lifetimes.identityOf(pin, peer.pid) : undefined;
  }

  #pin(
    parameters: JsonObject,
    lifetime: Lifetime,
    { peer, pin }: Caller,
    { requester }: PeerIdentity,
  ): PinnedProcess | undefined {
    if (lifetime !== 'process') {
      return undefined;
    }
    const { lifetimes } = this.#deps;
    const pid = asPid(Number(parameters['pid'] ?? Number.NaN));
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
