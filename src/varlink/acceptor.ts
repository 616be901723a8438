/**
 * Accepts the connections that wait at a listening socket: in each turn of the event loop all of them, up to a bound. Each peer is
 * identified at once. Peers of the first rank are admitted at once, too; the others wait for their turn, as with their requests.
 * connection-table.ts decides who gets a place.
 */
import type { Server } from 'node:net';
import type { OwnerKey } from './fair-queue.ts';
import { ACCEPT_MS_MAX, ACCEPTS_PER_TURN_MAX, type ServerLimits } from './limits.ts';
import { type AcceptedSocket, acceptedDescriptor, socketDescriptor, takeConnections } from './socket-handle.ts';
import type { Rank, Task, Turns } from './turns.ts';

/** System calls that Node lacks. Without them one connection is accepted in each turn of the event loop. */
export interface AcceptCalls {
  /** Prepares a socket that has begun to listen. Never throws */
  listens?(listening: number): void;
  /** Told of each connection that somebody has opened, before it is admitted. Never throws */
  hasTaken?(descriptor: number): void;
  /** @returns a connected socket, non-blocking and close-on-exec, or undefined if none waits. @throws Error the system's */
  accept(listening: number): number | undefined;
  /** @returns whether the peer has closed the connection, or its sending, without having sent anything */
  hasLeft(descriptor: number): boolean;
}

export interface Newcomer {
  readonly owner: OwnerKey;
  readonly rank: Rank;
}

/** The admission of a connection, as work that waits for its turn. */
interface Admission extends Task {
  readonly accepted: AcceptedSocket;
}

export interface AcceptorOptions<N extends Newcomer> {
  readonly turns: Turns;
  readonly limits: Pick<ServerLimits, 'maxNewConnections' | 'maxNewConnectionsPerPeer'>;
  readonly calls: AcceptCalls | undefined;
  now(): number;
  /** @returns who it is; undefined if that cannot be said, which it has reported: the connection is closed */
  identify(descriptor: number): N | undefined;
  /** Opens the connection, or closes it. */
  admit(accepted: AcceptedSocket, newcomer: N): void;
  /** a connection was closed, since too many are waiting to be admitted */
  refused(what: 'new connections' | 'new connections of one peer'): void;
  failed(cause: Error): void;
}

export class Acceptor<N extends Newcomer> {
  readonly #options: AcceptorOptions<N>;
  readonly #waiting = new Set<Admission>();
  readonly #waitingOf = new Map<OwnerKey, number>();
  /** how many connections there have been */
  accepted = 0;

  constructor(options: AcceptorOptions<N>) {
    this.#options = options;
  }

  /** how many wait for their turn to be admitted */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @param server one that listens; its own event for connections is not emitted any more */
  start(server: Server): void {
    const { calls, failed } = this.#options;
    const prepared = socketDescriptor(server);
    if (prepared !== undefined) {
      calls?.listens?.(prepared);
    }
    takeConnections(server, first => {
      if (first instanceof Error) {
        failed(first);
        return;
      }
      this.#take(first);
      const listening = socketDescriptor(server);
      if (calls !== undefined && listening !== undefined) {
        this.#takeMore(calls, listening);
      }
    });
  }

  /** Closes those that wait. */
  close(): void {
    for (const admission of this.#waiting) {
      this.#options.turns.cancel(admission);
      admission.accepted.close();
    }
    this.#waiting.clear();
    this.#waitingOf.clear();
  }

  #takeMore(calls: AcceptCalls, listening: number): void {
    const end = this.#options.now() + ACCEPT_MS_MAX;
    for (let count = 1; count < ACCEPTS_PER_TURN_MAX && this.#options.now() < end; count++) {
      let descriptor: number | undefined;
      try {
        descriptor = calls.accept(listening);
      } catch {
        // libuv meets the same error in the next turn, and makes room if descriptors have run out.
        return;
      }
      if (descriptor === undefined) {
        return;
      }
      this.#take(acceptedDescriptor(descriptor));
    }
  }

  #take(accepted: AcceptedSocket): void {
    const { identify, admit, refused, limits, turns, calls } = this.#options;
    this.accepted += 1;
    const newcomer = calls?.hasLeft(accepted.descriptor) === true ? undefined : identify(accepted.descriptor);
    if (newcomer === undefined) {
      accepted.close();
      return;
    }
    calls?.hasTaken?.(accepted.descriptor);
    if (newcomer.rank === 'first') {
      admit(accepted, newcomer);
      return;
    }
    const ofOwner = this.#waitingOf.get(newcomer.owner) ?? 0;
    if (this.#waiting.size >= limits.maxNewConnections || ofOwner >= limits.maxNewConnectionsPerPeer) {
      accepted.close();
      refused(ofOwner >= limits.maxNewConnectionsPerPeer ? 'new connections of one peer' : 'new connections');
      return;
    }
    const admission: Admission = {
      level: `${newcomer.rank}-new`,
      owner: newcomer.owner,
      accepted,
      step: () => {
        this.#leave(admission);
        admit(accepted, newcomer);
        return false;
      },
    };
    this.#waiting.add(admission);
    this.#waitingOf.set(newcomer.owner, ofOwner + 1);
    turns.run(admission);
  }

  #leave(admission: Admission): void {
    this.#waiting.delete(admission);
    const left = (this.#waitingOf.get(admission.owner) ?? 0) - 1;
    if (left > 0) {
      this.#waitingOf.set(admission.owner, left);
    } else {
      this.#waitingOf.delete(admission.owner);
    }
  }
}
