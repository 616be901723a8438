/**
 * The connection that leases of the lifetime `connection` last as long as. It is open while one is held or being acquired, and keeps the
 * process alive meanwhile. If it is lost with the daemon, it is opened again, and the leases are claimed.
 */
import type { ClaimReply, Progress } from '../api/generated/io-dynuser-allocator.ts';
import type { VarlinkClient } from '../varlink/client.ts';
import type { JsonObject } from '../varlink/json.ts';
import { requestUser } from './calls.ts';
import { isUnreachable, open, pause, qualified } from './connection.ts';
import { DynuserError, toDynuserError } from './errors.ts';
import type { Acquired, HeldLease } from './held-lease.ts';
import { CLAIM_ATTEMPTS_MAX } from './limits.ts';

interface LeaseConnectionListener {
  /** leases are held, and the connection is gone */
  disconnected(reason: DynuserError): void;
  /** it is there again, and these are still held */
  reconnected(leases: readonly HeldLease[]): void;
  lost(lease: HeldLease, reason: DynuserError): void;
}

export class LeaseConnection {
  readonly #options: { readonly paths: readonly string[]; readonly reconnect: boolean };
  readonly #listener: LeaseConnectionListener;
  readonly #held = new Set<HeldLease>();
  readonly #closing = new AbortController();
  #connection: VarlinkClient | undefined;
  #opening: Promise<VarlinkClient> | undefined;
  /** those that need the connection */
  readonly #requests = new Set<object>();

  constructor(options: { paths: readonly string[]; reconnect: boolean }, listener: LeaseConnectionListener) {
    this.#options = options;
    this.#listener = listener;
  }

  /**
   * @param make makes the lease of an answer; it lasts as long as the connection from then on
   * @param signal aborted if the caller waits no longer: an answer that comes later is given back
   */
  async acquire(
    parameters: JsonObject,
    signal: AbortSignal,
    make: (acquired: Acquired) => HeldLease,
    onProgress: (progress: Progress) => void,
  ): Promise<HeldLease> {
    const done = this.#begin();
    // Whoever waits no longer must not keep a connection, or the attempts to get one, alive.
    signal.addEventListener('abort', done, { once: true });
    try {
      const lease = make(await this.#request(parameters, signal, onProgress));
      this.#held.add(lease);
      return lease;
    } finally {
      signal.removeEventListener('abort', done);
      done();
    }
  }

  /**
   * The lease is no longer claimed. The connection stays until the work is done: with its end the daemon would end the
   * lease by itself, and tell nobody what remains.
   */
  async untrack<T>(lease: HeldLease, work: () => Promise<T>): Promise<T> {
    this.#held.delete(lease);
    const done = this.#begin();
    try {
      return await work();
    } finally {
      done();
    }
  }

  /** Ends the connection, and with it every lease that hangs on it. */
  async close(): Promise<void> {
    this.#closing.abort(new DynuserError('Closed', 'the client was closed'));
    this.#held.clear();
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
    await connection?.closed;
  }

  /**
   * Asks once more if the connection was lost before the answer: what it may have been given there ends with the
   * connection, or unclaimed. Not more often: it may be this very request that no daemon survives.
   */
  async #request(
    parameters: JsonObject,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<Acquired> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#ready();
      signal.throwIfAborted();
      try {
        const acquired = await requestUser(connection, parameters, onProgress);
        if (signal.aborted) {
          await connection.call(qualified('Release'), { lease: acquired.lease });
          signal.throwIfAborted();
        }
        if (this.#connection === connection) {
          return acquired;
        }
        throw new DynuserError('ConnectionFailed', 'the connection was lost, and the new lease with it');
      } catch (thrown) {
        const error = toDynuserError(thrown);
        if (attempt > 1 || !this.#options.reconnect || signal.aborted || !isUnreachable(error)) {
          throw error;
        }
      }
      await connection.closed;
    }
  }

  /** A request begins. @returns to be called at its end; again does not matter */
  #begin(): () => void {
    const request = {};
    this.#requests.add(request);
    return () => {
      this.#requests.delete(request);
      this.#closeIfUnused();
    };
  }

  #closeIfUnused(): void {
    if (this.#held.size === 0 && this.#requests.size === 0) {
      const connection = this.#connection;
      this.#connection = undefined;
      connection?.close();
    }
  }

  async #ready(): Promise<VarlinkClient> {
    this.#closing.signal.throwIfAborted();
    if (this.#connection !== undefined) {
      return this.#connection;
    }
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Tries until there is a connection, as long as somebody wants one. */
  async #open(): Promise<VarlinkClient> {
    for (let attempt = 0; ; attempt++) {
      try {
        const connection = await open(this.#options.paths);
        for (const lease of [...this.#held]) {
          await this.#claim(connection, lease);
        }
        return this.#adopt(connection);
      } catch (error) {
        const wanted = this.#held.size > 0 || this.#requests.size > 0;
        if (!this.#options.reconnect || !wanted || this.#closing.signal.aborted) {
          throw this.#closing.signal.aborted ? this.#closing.signal.reason : toDynuserError(error);
        }
      }
      await pause(attempt, this.#closing.signal);
    }
  }

  #adopt(connection: VarlinkClient): VarlinkClient {
    if (this.#closing.signal.aborted) {
      connection.close();
      throw this.#closing.signal.reason;
    }
    this.#connection = connection;
    connection.closed.then(() => {
      if (this.#connection === connection) {
        this.#connection = undefined;
        this.#reconnect();
      }
    });
    this.#closeIfUnused();
    return connection;
  }

  #reconnect(): void {
    if (this.#held.size === 0) {
      return;
    }
    const gone = new DynuserError('ConnectionFailed', 'the connection to dynuserd was lost');
    this.#listener.disconnected(gone);
    if (!this.#options.reconnect) {
      this.#loseAll(gone);
      return;
    }
    this.#ready().then(
      () => this.#listener.reconnected([...this.#held]),
      (error: unknown) => this.#loseAll(error),
    );
  }

  #loseAll(cause: unknown): void {
    for (const lease of this.#held) {
      this.#lose(lease, cause);
    }
  }

  #lose(lease: HeldLease, cause: unknown): void {
    if (this.#held.delete(lease)) {
      const why = cause instanceof DynuserError ? cause.reason : String(cause);
      this.#listener.lost(lease, new DynuserError('LeaseLost', `the lease ${lease.id} is lost: ${why}`, { cause }));
    }
  }

  /** @throws ConnectionError if the connection is lost meanwhile: then all of it is done again */
  async #claim(connection: VarlinkClient, lease: HeldLease): Promise<void> {
    for (let attempt = 1; this.#held.has(lease); attempt++) {
      try {
        const reply = await connection.call(qualified('Claim'), { lease: lease.id });
        const { uid } = reply as ClaimReply;
        if (uid !== lease.uid) {
          this.#lose(lease, new DynuserError('UnexpectedReply', `it has the UID ${uid} now, and had ${lease.uid}`));
        }
        return;
      } catch (thrown) {
        const error = toDynuserError(thrown);
        if (isUnreachable(error)) {
          throw error;
        }
        if (attempt === CLAIM_ATTEMPTS_MAX || !isTransient(error)) {
          this.#lose(lease, error);
          return;
        }
      }
      await pause(attempt, this.#closing.signal);
    }
  }
}

/** Whether the daemon may do a moment later what it could not do now. */
function isTransient(error: unknown): boolean {
  return error instanceof DynuserError && (error.code === 'ProbeFailed' || error.code === 'LimitReached');
}
