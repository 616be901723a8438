/** A varlink service on UNIX sockets: accepts peers, gives them places within the limits, and enforces their deadlines. */
import { createServer, type Server } from 'node:net';
import { type AcceptCalls, Acceptor } from './acceptor.ts';
import { ConnectionTable } from './connection-table.ts';
import type { InterfaceImplementation } from './handler.ts';
import {
  DEFAULT_SERVER_LIMITS,
  READ_BYTES_MAX,
  READ_BYTES_PRIVILEGED_MAX,
  type ServerLimits,
  SWEEP_INTERVAL_MS,
} from './limits.ts';
import { type ListenTarget, listen } from './listener.ts';
import { MethodTable, type ServiceInfo } from './method-table.ts';
import { type ConnectionHost, type Failure, type Identity, ServerConnection } from './server-connection.ts';
import type { AcceptedSocket } from './socket-handle.ts';
import { type Rank, Turns } from './turns.ts';

export type { AcceptCalls } from './acceptor.ts';
export type { Call, Connection, InterfaceImplementation, MethodHandler } from './handler.ts';

export interface ServerOptions<P> {
  /** what org.varlink.service.GetInfo says; that interface is always served */
  readonly info: ServiceInfo;
  readonly interfaces: readonly InterfaceImplementation<P>[];
  /** Says who is at the other end; called once, at accept. If it throws, the connection is closed. */
  identify(fd: number): P;
  /** whose part of maxConnectionsPerPeer a connection is */
  quotaKey(peer: P): string | number;
  /** Such peers may use the reserved places, and if all are taken, that of the connection that has been idle the longest. */
  privileged(peer: P): boolean;
  /** before whom a peer is served: privileged ones first and the others last unless given */
  rank?(peer: P): Rank;
  /** shared with other servers, so that those of all ranks are served in their order; its own unless given */
  readonly turns?: Turns;
  readonly acceptCalls?: AcceptCalls;
  /** Told of what nobody can be told of on the wire. */
  onFailure(failure: Failure): void;
  readonly limits?: Partial<ServerLimits>;
}

const DEFAULT_GRACE_MS = 5_000;

export class VarlinkServer<P> {
  readonly #options: ServerOptions<P>;
  readonly #host: ConnectionHost<P> & { draining: boolean };
  readonly #server: Server;
  readonly #acceptor: Acceptor<Identity<P>>;
  #lastId = 0;
  #sweeper: NodeJS.Timeout | undefined;

  /** @throws IdlError, TypeError if an interface's description and its methods do not fit */
  constructor(options: ServerOptions<P>) {
    const limits = { ...DEFAULT_SERVER_LIMITS, ...options.limits };
    this.#options = options;
    this.#host = {
      limits,
      methods: new MethodTable(options.info, options.interfaces),
      table: new ConnectionTable(limits),
      turns: options.turns ?? new Turns(),
      input: { privileged: Buffer.alloc(READ_BYTES_PRIVILEGED_MAX), others: Buffer.alloc(READ_BYTES_MAX) },
      draining: false,
      now: () => performance.now(),
      onFailure: options.onFailure,
    };
    this.#server = createServer();
    this.#acceptor = new Acceptor({
      turns: this.#host.turns,
      limits,
      calls: options.acceptCalls,
      now: this.#host.now,
      identify: descriptor => this.#identify(descriptor),
      admit: (accepted, identity) => this.#admit(accepted, identity),
      refused: what => this.#host.onFailure({ fault: 'peer', what: `refused: too many ${what}` }),
      failed: cause => this.#host.onFailure({ fault: 'service', what: 'cannot accept connections', cause }),
    });
  }

  /** @throws Error if the socket cannot be had; it says which and why */
  async listen(target: ListenTarget): Promise<void> {
    await listen(this.#server, target, () => this.#acceptor.start(this.#server));
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  /** Changes limits while it runs; connections that are past a new one stay. */
  adjust(limits: Partial<ServerLimits>): void {
    Object.assign(this.#host.limits, limits);
  }

  /** how many connections there are, with those that wait for their turn to be admitted */
  get connections(): number {
    return this.#host.table.size + this.#acceptor.waiting;
  }

  /** how many there have been */
  get accepted(): number {
    return this.#acceptor.accepted;
  }

  /**
   * Takes no new connections and requests, waits for calls under way, then closes all. Once this has returned, no connection is accepted:
   * one that was is in the table or closed, and others wait in a socket that somebody else has open too.
   * @param graceMs how long to wait
   */
  async close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
    this.#acceptor.close();
    // node:net calls back as soon as its last socket is destroyed, before those who wait for that socket's end are told.
    const told = this.#host.table.all().map(connection => new Promise<void>(resolve => connection.onClose(resolve)));
    this.#host.draining = true;
    for (const connection of this.#host.table.all()) {
      if (!connection.busy) {
        connection.end();
      }
    }
    const grace = setTimeout(() => {
      for (const connection of this.#host.table.all()) {
        connection.destroy();
      }
    }, graceMs);
    await Promise.all([closed, ...told]);
    clearTimeout(grace);
    clearInterval(this.#sweeper);
  }

  #admit(accepted: AcceptedSocket, identity: Identity<P>): void {
    const { table, now } = this.#host;
    this.#lastId += 1;
    const refusal = table.refusal(identity);
    if (refusal !== undefined) {
      accepted.close();
      this.#host.onFailure({ connection: this.#lastId, fault: 'peer', what: `refused: too many ${refusal}` });
      return;
    }
    const connection = new ServerConnection(this.#lastId, accepted, identity, this.#host);
    const displaced = table.admit(connection, now());
    displaced?.expel('closed as the longest idle, to make room for a privileged peer');
  }

  #identify(descriptor: number): Identity<P> | undefined {
    try {
      const peer = this.#options.identify(descriptor);
      const privileged = this.#options.privileged(peer);
      const rank = this.#options.rank?.(peer) ?? (privileged ? 'first' : 'others');
      return { peer, owner: this.#options.quotaKey(peer), privileged, rank };
    } catch (cause) {
      this.#host.onFailure({ fault: 'service', what: 'refused: a peer could not be identified', cause });
      return undefined;
    }
  }

  /** One timer for all deadlines: a timer for each connection would cost each connection. */
  #sweep(): void {
    const { table, limits } = this.#host;
    const now = this.#host.now();
    for (const connection of table.frameBegunBefore(now - limits.frameTimeoutMs)) {
      connection.expel('closed, since a request was begun and not completed in time');
    }
    for (const connection of table.idleBefore(now - limits.idleTimeoutMs)) {
      connection.destroy();
    }
    for (const connection of table.unread()) {
      connection.probe();
    }
  }
}
