/**
 * etcd as it is used here: its endpoints in turn, one deadline for a call with all its attempts, back-off with full jitter between them,
 * PING frames by which a dead connection shows, and client certificates, which are read again for each connection. It knows nothing of users.
 */
import { type ClientHttp2Stream, constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { type HeaderMessage, LEASE_GRANT, LEASE_KEEP_ALIVE, RANGE, TXN, WATCH, type WatchMessage } from './messages.ts';

/** A call with all its attempts, and one attempt, in milliseconds. */
const CALL_MS = 3_000;
const ATTEMPT_MS = 1_000;
/** Between attempts: at random up to a bound, which doubles up to another. */
const BACK_OFF_MS = 20;
const BACK_OFF_MAX_MS = 1_000;
/** etcd takes a PING every 5 s for too much (--grpc-keepalive-min-time). */
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;
/** Connections that one attempt finds ended before anything was sent. */
const CONNECTIONS_MAX = 3;
/** The longest answer: a page of keys has less. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** etcd ends a stream on a member that has lost its leader only for those who ask so (api/v3rpc, "hasleader"). */
const STREAM_HEADERS = { hasleader: 'true' };

export interface EtcdCredentials {
  /** PEM */
  readonly ca?: Buffer;
  readonly certificate?: Buffer;
  readonly key?: Buffer;
}

export interface EtcdOptions {
  /** URLs, at least one */
  readonly endpoints: readonly string[];
  /** a key that may be read, whether it is there or not */
  readonly readableKey: string;
  /** called for each connection. @throws Error that says which file cannot be read */
  credentials(): EtcdCredentials;
  readonly callMs?: number;
  readonly attemptMs?: number;
}

/** No endpoint gave an answer: what was asked may have happened. */
export class EtcdUnavailable extends Error {
  override readonly name = 'EtcdUnavailable';
}

/** etcd has understood and refused: the role lacks a right, say. */
export class EtcdRefused extends Error {
  override readonly name = 'EtcdRefused';
}

/** Codes after which another endpoint, or the same one a moment later, may give an answer. */
const PASSING: ReadonlySet<Code> = new Set([
  ...[Code.Unavailable, Code.DeadlineExceeded, Code.Internal, Code.Unknown],
  ...[Code.Canceled, Code.Aborted, Code.ResourceExhausted],
]);

/** The cluster is not the one that the transaction is for: it was put back from a backup, say. */
export class EtcdReplaced extends Error {
  override readonly name = 'EtcdReplaced';
  readonly clusterId: bigint;
  readonly revision: bigint;

  constructor({ clusterId, revision }: Pick<HeaderMessage, 'clusterId' | 'revision'>) {
    super(`the cluster is ${clusterId.toString(16)} now`);
    this.clusterId = clusterId;
    this.revision = revision;
  }
}

export class EtcdClient {
  readonly #endpoints: readonly Endpoint[];
  readonly #readableKey: Uint8Array;
  readonly #callMs: number;
  readonly #attemptMs: number;
  #current: number;
  #isClosed = false;

  constructor({ endpoints, readableKey, credentials, callMs = CALL_MS, attemptMs = ATTEMPT_MS }: EtcdOptions) {
    this.#endpoints = endpoints.map(url => new Endpoint(url, credentials));
    this.#readableKey = Buffer.from(readableKey);
    // Hosts that start at a time do not all begin with the same one.
    this.#current = Math.floor(Math.random() * endpoints.length);
    this.#callMs = callMs;
    this.#attemptMs = attemptMs;
  }

  /** @throws EtcdUnavailable, EtcdRefused; so do the others */
  range(request: MessageInitShape<typeof RANGE.input>) {
    return this.#attempts((connection, timeoutMs) => connection.call(RANGE, request, timeoutMs));
  }

  /**
   * @param clusterId the cluster that it is for
   * @throws EtcdReplaced if it is another one: then nothing was done
   */
  txn(request: MessageInitShape<typeof TXN.input>, clusterId?: bigint) {
    return this.#attempts(async (connection, timeoutMs) => {
      const header = await connection.cluster(this.#readableKey, timeoutMs);
      if (clusterId !== undefined && header !== undefined && header.clusterId !== clusterId) {
        throw new EtcdReplaced(header);
      }
      return connection.call(TXN, request, timeoutMs);
    });
  }

  leaseGrant(seconds: number) {
    return this.#attempts((connection, timeoutMs) => connection.call(LEASE_GRANT, { ttl: BigInt(seconds) }, timeoutMs));
  }

  /** @returns how many seconds the lease has now; 0 if it has run out */
  leaseKeepAlive(id: bigint): Promise<number> {
    return this.#attempts(async ({ transport }, timeoutMs) => {
      const { message } = await transport.stream(LEASE_KEEP_ALIVE, undefined, timeoutMs, STREAM_HEADERS, once({ id }));
      for await (const { ttl } of message) {
        return Number(ttl);
      }
      throw new ConnectError('no answer', Code.Unavailable);
    });
  }

  /**
   * One watch on one endpoint, until that or the signal ends it.
   * @throws EtcdUnavailable, EtcdRefused
   */
  async *watch(
    create: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array; readonly startRevision: bigint },
    signal: AbortSignal,
  ): AsyncGenerator<WatchMessage, void, undefined> {
    // A signal that was aborted before would not end the watch.
    if (signal.aborted) {
      return;
    }
    const endpoint = this.#endpoint();
    const ends = new AbortController();
    const end = () => ends.abort();
    signal.addEventListener('abort', end, { once: true });
    try {
      // Until the watch has begun, it has the deadline of an attempt.
      const late = setTimeout(end, this.#attemptMs);
      const answer = await endpoint.over(({ transport }) =>
        transport.stream(WATCH, ends.signal, undefined, STREAM_HEADERS, open(create, ends.signal)),
      );
      for await (const message of answer.message) {
        clearTimeout(late);
        yield message;
        if (message.canceled) {
          return;
        }
      }
    } catch (error) {
      if (!signal.aborted) {
        this.#next(endpoint);
        throw new (isRefusal(error) ? EtcdRefused : EtcdUnavailable)(`${endpoint.url}: ${reasonFor(error)}`, {
          cause: error,
        });
      }
    } finally {
      signal.removeEventListener('abort', end);
      ends.abort();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const endpoint of this.#endpoints) {
      endpoint.close();
    }
  }

  async #attempts<Result>(attempt: (connection: Connection, timeoutMs: number) => Promise<Result>): Promise<Result> {
    const deadline = performance.now() + this.#callMs;
    /** of each endpoint that gave no answer */
    const reasons = new Map<string, string>();
    for (let wait = BACK_OFF_MS; ; wait = Math.min(2 * wait, BACK_OFF_MAX_MS)) {
      const endpoint = this.#endpoint();
      const left = deadline - performance.now();
      try {
        const timeoutMs = Math.max(1, Math.min(this.#attemptMs, left));
        return await endpoint.over(connection => attempt(connection, timeoutMs));
      } catch (error) {
        if (error instanceof EtcdReplaced) {
          throw error;
        }
        const pause = Math.random() * wait;
        const reason = reasonFor(error);
        if (isRefusal(error)) {
          throw new EtcdRefused(`${endpoint.url}: ${reason}`, { cause: error });
        }
        // The deadline of all may just have cut an attempt off: what was known before says more.
        if (!isLate(error) || !reasons.has(endpoint.url)) {
          reasons.set(endpoint.url, reason);
        }
        if (this.#isClosed || performance.now() + pause >= deadline) {
          throw new EtcdUnavailable(listOf(reasons), { cause: error });
        }
        this.#next(endpoint);
        await sleep(pause);
      }
    }
  }

  #endpoint(): Endpoint {
    const endpoint = this.#endpoints[this.#current];
    if (endpoint === undefined || this.#isClosed) {
      throw new EtcdUnavailable('the connection to etcd was closed on this side');
    }
    return endpoint;
  }

  /** Leaves an endpoint, unless somebody else has left it already. */
  #next(endpoint: Endpoint): void {
    if (this.#endpoints[this.#current] === endpoint) {
      this.#current = (this.#current + 1) % this.#endpoints.length;
    }
  }
}

class Endpoint {
  readonly url: string;
  readonly #credentials: EtcdOptions['credentials'];
  #connection: Connection | undefined;

  constructor(url: string, credentials: EtcdOptions['credentials']) {
    this.url = url;
    this.#credentials = credentials;
  }

  /**
   * Does something over the connection that there is, or over the next one if it has ended and nothing was sent.
   * @throws Error if the credentials cannot be read, and what the call throws
   */
  async over<Result>(call: (connection: Connection) => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      if (this.#connection?.isOver !== false) {
        this.#connection = new Connection(this.url, this.#credentials());
      }
      const connection = this.#connection;
      try {
        return await call(connection);
      } catch (error) {
        if (!isLost(error) || tries === CONNECTIONS_MAX) {
          connection.doubt();
          throw error;
        }
      }
    }
  }

  close(): void {
    this.#connection?.close();
  }
}

/** The connection has ended, and nothing was sent. */
class ConnectionLost extends Error {}

type StreamRequest = Parameters<Http2SessionManager['request']>;

/**
 * One HTTP/2 connection, as long as it lasts: connect-node would open another one in its place. Who answers there may be of another
 * cluster, which a transaction cannot ask, so that it goes over no connection but the one on which the cluster was asked.
 */
class Connection {
  readonly authority: string;
  readonly transport: Transport;
  readonly #manager: Http2SessionManager;
  #session: ClientHttp2Stream['session'];
  #isEnding = false;
  /** what was said of the cluster */
  #header: HeaderMessage | undefined;

  constructor(url: string, { ca, certificate, key }: EtcdCredentials) {
    const pings = { pingIntervalMs: PING_INTERVAL_MS, pingTimeoutMs: PING_TIMEOUT_MS };
    this.#manager = new Http2SessionManager(url, pings, {
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    });
    this.authority = this.#manager.authority;
    this.transport = createGrpcTransport({
      baseUrl: url,
      sessionManager: this,
      acceptCompression: [],
      readMaxBytes: ANSWER_BYTES_MAX,
    });
  }

  get isOver(): boolean {
    const { closed = false, destroyed = false } = this.#session ?? {};
    return this.#isEnding || closed || destroyed || this.#manager.state() === 'error';
  }

  async call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M['input']>,
    timeoutMs: number,
  ): Promise<MessageShape<M['output']>> {
    const { message } = await this.transport.unary(method, undefined, timeoutMs, undefined, request);
    return message as MessageShape<M['output']>;
  }

  /** @returns what the member says of its cluster, which is asked once */
  async cluster(readableKey: Uint8Array, timeoutMs: number): Promise<HeaderMessage | undefined> {
    if (this.#header === undefined) {
      const any = { key: readableKey, limit: 1n, serializable: true };
      this.#header = (await this.call(RANGE, any, timeoutMs)).header;
    }
    return this.#header;
  }

  /** Something has failed: behind a proxy another member may answer from now on. */
  doubt(): void {
    this.#header = undefined;
  }

  close(): void {
    this.#manager.abort();
  }

  /** What createGrpcTransport() opens streams with. @throws ConnectionLost */
  async request(...[method, path, headers, options]: StreamRequest): Promise<ClientHttp2Stream> {
    const stream = await this.#manager.request(method, path, headers, options);
    if (this.#session === undefined) {
      this.#session = stream.session;
      this.#session?.once('goaway', () => {
        this.#isEnding = true;
      });
    }
    if (stream.session !== this.#session) {
      this.#isEnding = true;
      stream.on('error', () => undefined);
      stream.session?.close();
      stream.close(constants.NGHTTP2_CANCEL);
      throw new ConnectionLost();
    }
    return stream;
  }

  notifyResponseByteRead(stream: ClientHttp2Stream): void {
    this.#manager.notifyResponseByteRead(stream);
  }
}

function isLost(error: unknown): boolean {
  return error instanceof ConnectionLost || (error instanceof ConnectError && error.cause instanceof ConnectionLost);
}

async function* once<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value;
}

/** The stream of requests of a watch stays open as long as the watch. */
async function* open<T>(create: T, signal: AbortSignal): AsyncGenerator<{ create: T }, void, undefined> {
  yield { create };
  await new Promise<void>(resolve => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function isRefusal(error: unknown): boolean {
  return error instanceof ConnectError && !PASSING.has(error.code);
}

function isLate(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.DeadlineExceeded;
}

function reasonFor(error: unknown): string {
  if (!(error instanceof ConnectError)) {
    return error instanceof Error ? error.message : String(error);
  }
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return cause === '' || error.rawMessage.includes(cause) ? error.rawMessage : `${error.rawMessage}: ${cause}`;
}

/** @returns each reason once, behind the endpoints that it is of */
function listOf(reasons: ReadonlyMap<string, string>): string {
  const all = [...reasons].toSorted();
  return [...new Set(all.map(([, reason]) => reason))]
    .map(reason => `${all.flatMap(([url, each]) => (each === reason ? [url] : [])).join(', ')}: ${reason}`)
    .join('; ');
}
