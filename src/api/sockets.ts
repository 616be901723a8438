/**
 * The two sockets that the daemon serves the same interfaces on: that of everybody, and that of those who may acquire, to which nobody
 * else can connect. Each has its own places for connections. Root is served first on both, then the second socket, then the first.
 */
import { isRootOfHost } from '../core/access.ts';
import { DEFAULT_SERVER_LIMITS, type ServerLimits } from '../varlink/limits.ts';
import type { ListenTarget } from '../varlink/listener.ts';
import { type ServerOptions, VarlinkServer } from '../varlink/server.ts';
import type { Rank } from '../varlink/turns.ts';
import type { Peer } from './peer.ts';

/** The limits are those of each of the two. */
type SocketsOptions = Omit<ServerOptions<Peer>, 'quotaKey' | 'privileged' | 'rank'>;

/** How many new connections may wait, as a share of the places. Together with those of nscd's protocol, a place costs 4 descriptors. */
const NEW_SHARE = 0.75;

/** @returns the limits of a server that has so many connections at most: if there are few, half of them are root's */
export function limitsFor(
  maxConnections: number,
): Pick<ServerLimits, 'maxConnections' | 'reservedConnections' | 'maxNewConnections'> {
  const { reservedConnections, maxNewConnections } = DEFAULT_SERVER_LIMITS;
  return {
    maxConnections,
    reservedConnections: Math.min(reservedConnections, Math.floor(maxConnections / 2)),
    maxNewConnections: Math.min(maxNewConnections, Math.floor(maxConnections * NEW_SHARE)),
  };
}

/** A peer as it is seen when it connects. */
interface ConnectedPeer extends Peer {
  /** root of this host, for whom places are kept: root of a container is nobody's but its own */
  readonly isRoot: boolean;
}

/** @returns whether a peer is root of this host; asked only of one whose UID is root's, since the answer is read from /proc */
export function isRoot(peer: Pick<Peer, 'uid' | 'standing'>): boolean {
  if (peer.uid !== 0) {
    return false;
  }
  try {
    return isRootOfHost({ uid: peer.uid, standing: peer.standing() });
  } catch {
    // It cannot be looked at, for example for want of descriptors: then it is served as everybody is.
    return false;
  }
}

/** @returns how many descriptors the connections of both sockets may take, if each has so many connections at most */
export function socketDescriptors(maxConnections: number): number {
  return 2 * (maxConnections + limitsFor(maxConnections).maxNewConnections);
}

export class Sockets {
  readonly #everybody: VarlinkServer<ConnectedPeer>;
  readonly #allocator: VarlinkServer<ConnectedPeer>;

  constructor(options: SocketsOptions) {
    const server = (rank: Rank): VarlinkServer<ConnectedPeer> =>
      new VarlinkServer<ConnectedPeer>({
        ...options,
        identify: descriptor => {
          const peer = options.identify(descriptor);
          return { ...peer, isRoot: isRoot(peer) };
        },
        quotaKey: peer => peer.uid,
        privileged: peer => peer.isRoot,
        rank: peer => (peer.isRoot ? 'first' : rank),
      });
    this.#everybody = server('others');
    this.#allocator = server('preferred');
  }

  /** @throws Error if one of the sockets cannot be had; it says which and why */
  async listen(targets: { readonly everybody: ListenTarget; readonly allocator: ListenTarget }): Promise<void> {
    // In this order: whoever finds the second socket has been able to find the first.
    await this.#allocator.listen(targets.allocator);
    await this.#everybody.listen(targets.everybody);
  }

  /** Has other limits from now on, as VarlinkServer.adjust(). */
  adjust(limits: Parameters<VarlinkServer<ConnectedPeer>['adjust']>[0]): void {
    this.#everybody.adjust(limits);
    this.#allocator.adjust(limits);
  }

  get connections(): number {
    return this.#everybody.connections + this.#allocator.connections;
  }

  /** how many there have been */
  get accepted(): number {
    return this.#everybody.accepted + this.#allocator.accepted;
  }

  /** As VarlinkServer.close(), both at a time: none is accepted on either once this has returned. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([this.#everybody.close(graceMs), this.#allocator.close(graceMs)]);
  }
}
