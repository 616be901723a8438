/**
 * Decides who gets a place and who loses one: it knows which connections there are, whose they are, how long each has been idle, and how
 * much output waits for it. It knows no socket. Every operation takes the same time however many connections there are, but for the
 * search for the one with the most output.
 */
import type { OwnerKey } from './fair-queue.ts';
import type { ServerLimits } from './limits.ts';

/** What the table has to know of a connection. */
export interface Placed {
  readonly owner: OwnerKey;
  readonly privileged: boolean;
}

/** What there are too many of. */
export type Refusal = 'connections' | 'connections of one peer';

type TableLimits = Pick<
  ServerLimits,
  'maxConnections' | 'maxConnectionsPerPeer' | 'reservedConnections' | 'maxQueuedBytesInAll'
>;

export class ConnectionTable<C extends Placed> {
  readonly #limits: TableLimits;
  readonly #all = new Set<C>();
  readonly #perPeer = new Map<OwnerKey, number>();
  /** a Map keeps the order in which keys came: the first has been idle the longest */
  readonly #idleSince = new Map<C, number>();
  /** likewise, for connections on which a frame has begun and not ended */
  readonly #frameSince = new Map<C, number>();
  readonly #unread = new Set<C>();
  /** bytes of output that wait for peers who do not read */
  readonly #output = new Map<C, number>();
  #outputInAll = 0;

  constructor(limits: TableLimits) {
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
  refusal({ privileged, owner }: Placed): Refusal | undefined {
    const { maxConnections, maxConnectionsPerPeer, reservedConnections } = this.#limits;
    if (privileged) {
      return this.#all.size >= maxConnections && this.#longestIdle() === undefined ? 'connections' : undefined;
    }
    if ((this.#perPeer.get(owner) ?? 0) >= maxConnectionsPerPeer) {
      return 'connections of one peer';
    }
    return this.#all.size >= maxConnections - reservedConnections ? 'connections' : undefined;
  }

  /**
   * Gives a connection that is not refused a place, as idle.
   * @returns the one that it displaced, which is out of the table already, and is to be closed
   */
  admit(connection: C, now: number): C | undefined {
    const displaced = this.#all.size >= this.#limits.maxConnections ? this.#longestIdle() : undefined;
    if (displaced !== undefined) {
      this.remove(displaced);
    }
    this.#all.add(connection);
    this.#perPeer.set(connection.owner, (this.#perPeer.get(connection.owner) ?? 0) + 1);
    this.#idleSince.set(connection, now);
    return displaced;
  }

  remove(connection: C): void {
    if (!this.#all.delete(connection)) {
      return;
    }
    this.#idleSince.delete(connection);
    this.#frameSince.delete(connection);
    this.#unread.delete(connection);
    this.accountOutput(connection, 0);
    const left = (this.#perPeer.get(connection.owner) ?? 0) - 1;
    if (left > 0) {
      this.#perPeer.set(connection.owner, left);
    } else {
      this.#perPeer.delete(connection.owner);
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

  /**
   * @param bytes how much output waits for the connection now; 0 ends the account
   * @returns the connection with the most, if all together have more than they may: whoever takes them past the bound, this one pays
   */
  accountOutput(connection: C, bytes: number): C | undefined {
    this.#outputInAll += bytes - (this.#output.get(connection) ?? 0);
    if (bytes === 0) {
      this.#output.delete(connection);
    } else {
      this.#output.set(connection, bytes);
    }
    return this.#outputInAll > this.#limits.maxQueuedBytesInAll ? this.#withMostOutput() : undefined;
  }

  #withMostOutput(): C | undefined {
    let greatest: C | undefined;
    let most = 0;
    for (const [connection, bytes] of this.#output) {
      if (bytes > most) {
        most = bytes;
        greatest = connection;
      }
    }
    return greatest;
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
