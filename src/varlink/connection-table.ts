/**
 * Which connections there are, whose they are, and for how long each has had nothing to do: who gets a place, and who
 * loses one. Knows no socket; every operation takes the same time however many connections there are.
 */
import type { ServerLimits } from './limits.ts';

/** What the table has to know of a connection. */
export interface Placed {
  readonly quotaKey: string | number;
  readonly privileged: boolean;
}

/** Of what there are too many. */
export type Refusal = 'connections' | 'connections of one peer';

export type Admission<C> =
  | { readonly admitted: true; readonly displaced?: C }
  | { readonly admitted: false; readonly reason: Refusal };

type PlaceLimits = Pick<ServerLimits, 'maxConnections' | 'maxConnectionsPerPeer' | 'reservedConnections'>;

export class ConnectionTable<C extends Placed> {
  readonly #limits: PlaceLimits;
  readonly #all = new Set<C>();
  readonly #perPeer = new Map<string | number, number>();
  /** a Map keeps the order in which keys came: the first has been idle the longest */
  readonly #idleSince = new Map<C, number>();
  /** likewise, for connections on which a frame has begun and not ended */
  readonly #frameSince = new Map<C, number>();
  readonly #unread = new Set<C>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /** from how many peers there are connections */
  get peers(): number {
    return this.#perPeer.size;
  }

  all(): readonly C[] {
    return [...this.#all];
  }

  /** @returns why there is no place for such a connection now, or undefined if there is one */
  refusal({ privileged, quotaKey }: Placed): Refusal | undefined {
    const { maxConnections, maxConnectionsPerPeer, reservedConnections } = this.#limits;
    if (privileged) {
      return this.#all.size >= maxConnections && this.#longestIdle() === undefined ? 'connections' : undefined;
    }
    if ((this.#perPeer.get(quotaKey) ?? 0) >= maxConnectionsPerPeer) {
      return 'connections of one peer';
    }
    return this.#all.size >= maxConnections - reservedConnections ? 'connections' : undefined;
  }

  /** Gives a connection a place, as idle. A displaced one is out of the table already, and is to be closed. */
  admit(connection: C, now: number): Admission<C> {
    const reason = this.refusal(connection);
    if (reason !== undefined) {
      return { admitted: false, reason };
    }
    const displaced = this.#all.size >= this.#limits.maxConnections ? this.#longestIdle() : undefined;
    if (displaced !== undefined) {
      this.remove(displaced);
    }
    this.#all.add(connection);
    this.#perPeer.set(connection.quotaKey, (this.#perPeer.get(connection.quotaKey) ?? 0) + 1);
    this.#idleSince.set(connection, now);
    return displaced === undefined ? { admitted: true } : { admitted: true, displaced };
  }

  remove(connection: C): void {
    if (!this.#all.delete(connection)) {
      return;
    }
    this.#idleSince.delete(connection);
    this.#frameSince.delete(connection);
    this.#unread.delete(connection);
    const left = (this.#perPeer.get(connection.quotaKey) ?? 0) - 1;
    if (left > 0) {
      this.#perPeer.set(connection.quotaKey, left);
    } else {
      this.#perPeer.delete(connection.quotaKey);
    }
  }

  /** From now on the connection may be displaced, and closed when it stays so. */
  markIdle(connection: C, now: number): void {
    if (this.#all.has(connection)) {
      this.#idleSince.delete(connection);
      this.#idleSince.set(connection, now);
    }
  }

  markBusy(connection: C): void {
    this.#idleSince.delete(connection);
  }

  /** A frame has begun; how often this is said until frameEnded() does not matter. */
  frameBegun(connection: C, now: number): void {
    if (this.#all.has(connection) && !this.#frameSince.has(connection)) {
      this.#frameSince.set(connection, now);
    }
  }

  frameEnded(connection: C): void {
    this.#frameSince.delete(connection);
  }

  /** Its input is not being read, so that no event tells of its peer's end. */
  markUnread(connection: C): void {
    if (this.#all.has(connection)) {
      this.#unread.add(connection);
    }
  }

  markRead(connection: C): void {
    this.#unread.delete(connection);
  }

  unread(): readonly C[] {
    return [...this.#unread];
  }

  idleBefore(time: number): C[] {
    return before(this.#idleSince, time);
  }

  frameBegunBefore(time: number): C[] {
    return before(this.#frameSince, time);
  }

  #longestIdle(): C | undefined {
    return this.#idleSince.keys().next().value;
  }
}

function before<C>(since: ReadonlyMap<C, number>, time: number): C[] {
  const found: C[] = [];
  for (const [connection, began] of since) {
    if (began >= time) {
      break;
    }
    found.push(connection);
  }
  return found;
}
