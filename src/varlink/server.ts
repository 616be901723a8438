/** A varlink service on UNIX sockets: accepts peers, gives them places within the limits, and sees to their deadlines. */
import { createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { ConnectionTable } from './connection-table.ts';
import type { InterfaceImplementation } from './handler.ts';
import { DEFAULT_SERVER_LIMITS, OUTPUT_HIGH_WATER_BYTES, type ServerLimits, SWEEP_INTERVAL_MS } from './limits.ts';
import { type ListenTarget, listen } from './listener.ts';
import { MethodTable } from './method-table.ts';
import { OutputBudget } from './output-budget.ts';
import { type ConnectionHost, type Failure, type Identity, ServerConnection } from './server-connection.ts';
import type { ServiceInfo } from './service-interface.ts';
import { socketDescriptor } from './socket-handle.ts';

export type { Call, Connection, InterfaceImplementation, MethodHandler } from './handler.ts';

export interface ServerOptions<P> {
  /** what org.varlink.service.GetInfo says; that interface is always served */
  readonly info: ServiceInfo;
  readonly interfaces: readonly InterfaceImplementation<P>[];
  /** Says who is at the other end; called once, at accept. Where it throws, the connection is closed. */
  identify(fd: number): P;
  /** whose part of maxConnectionsPerPeer a connection is */
  quotaKey(peer: P): string | number;
  /** Such peers may use the reserved places, and where all are taken, the one that has been idle the longest. */
  privileged(peer: P): boolean;
  /** Told of what has nobody to be told on the wire. */
  onFailure(failure: Failure): void;
  readonly limits?: Partial<ServerLimits>;
  /** the qualified name of the error, without parameters, that answers a call whose handler failed */
  readonly internalError?: string;
}

const DEFAULT_INTERNAL_ERROR = 'org.varlink.service.InternalError';
const DEFAULT_GRACE_MS = 5_000;

export class VarlinkServer<P> {
  readonly #options: ServerOptions<P>;
  readonly #host: ConnectionHost<P> & { draining: boolean };
  readonly #server: Server;
  #lastId = 0;
  #sweeper: NodeJS.Timeout | undefined;

  /** @throws IdlError, TypeError where an interface's description and its methods do not fit */
  constructor(options: ServerOptions<P>) {
    const limits = { ...DEFAULT_SERVER_LIMITS, ...options.limits };
    this.#options = options;
    this.#host = {
      limits,
      methods: new MethodTable(options.info, options.interfaces),
      internalError: options.internalError ?? DEFAULT_INTERNAL_ERROR,
      table: new ConnectionTable(limits),
      budget: new OutputBudget(limits.maxQueuedBytesInAll),
      draining: false,
      now: () => performance.now(),
      onFailure: options.onFailure,
    };
    // A peer that shuts down its sending still gets its replies. The high-water mark is the one of the output queue.
    const settings = { allowHalfOpen: true, highWaterMark: OUTPUT_HIGH_WATER_BYTES };
    this.#server = createServer(settings, socket => this.#accept(socket));
  }

  /** @throws Error where the socket cannot be had; it says which and why */
  async listen(target: ListenTarget): Promise<void> {
    await listen(this.#server, target);
    this.#server.on('error', (cause: Error) =>
      this.#host.onFailure({ fault: 'service', what: 'cannot accept connections', cause }),
    );
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  /** Changes limits while it runs; connections that are past a new one stay. */
  adjust(limits: Partial<ServerLimits>): void {
    Object.assign(this.#host.limits, limits);
  }

  /** the path that it listens on, where it listens on one */
  get address(): string | undefined {
    const address = this.#server.address();
    return typeof address === 'string' ? address : undefined;
  }

  /** how many connections there are */
  get connections(): number {
    return this.#host.table.size;
  }

  /** how many there have been */
  get accepted(): number {
    return this.#lastId;
  }

  /**
   * Takes no new connections and requests, waits for calls under way, then closes all. Once this has returned, no connection is accepted:
   * one that was is in the table, and others wait in a socket that somebody else has open too.
   * @param graceMs how long to wait
   */
  async close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()));
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

  #accept(socket: Socket): void {
    const identity = this.#identify(socket);
    if (identity === undefined) {
      socket.destroy();
      return;
    }
    this.#lastId += 1;
    const connection = new ServerConnection(this.#lastId, socket, identity, this.#host);
    const admission = this.#host.table.admit(connection, this.#host.now());
    if (!admission.admitted) {
      socket.destroy();
      this.#host.onFailure({ connection: connection.id, fault: 'peer', what: `refused: too many ${admission.reason}` });
      return;
    }
    admission.displaced?.expel('closed as the longest idle, to make room for a privileged peer');
    connection.start();
  }

  #identify(socket: Socket): Identity<P> | undefined {
    try {
      const descriptor = socketDescriptor(socket);
      if (descriptor === undefined) {
        return undefined;
      }
      const peer = this.#options.identify(descriptor);
      return { peer, quotaKey: this.#options.quotaKey(peer), privileged: this.#options.privileged(peer) };
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
