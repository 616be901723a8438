/** The client's side of one connection. Calls are answered in their order, and each waits for a bounded time. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { ConnectionError, ReplyMismatch, VarlinkError } from './errors.ts';
import { FrameReader } from './framing.ts';
import { checkStruct, Mismatch, type UnknownFields } from './idl/check.ts';
import { encodeStruct } from './idl/encode.ts';
import type { IdlInterface, IdlMethod } from './idl/model.ts';
import { parseInterface } from './idl/parse.ts';
import { type JsonObject, writeJson } from './json.ts';
import { CLIENT_CALLS_MAX, CLIENT_FRAME_BYTES_MAX, CLIENT_TIMEOUT_MS } from './limits.ts';
import { type MethodReply, readReply, writeCall } from './message.ts';
import { ReplyStream } from './reply-stream.ts';

export interface ClientOptions {
  /** how long to wait for the connection and for the reply to a call, in milliseconds; a stream may take its time */
  readonly timeoutMs?: number;
  /** the longest reply to take */
  readonly maxFrameBytes?: number;
  /** calls to these are written and their replies checked as declared */
  readonly interfaces?: ClientInterfaces;
}

/** Whoever waits for replies. */
interface Waiting {
  /** @throws VarlinkError for an error reply, ConnectionError if it must not be like this */
  reply(reply: MethodReply): void;
  /** no more replies come */
  failed(error: unknown): void;
}

/**
 * @param path of the server's socket
 * @throws ConnectionError if there is no connection within the time
 */
export async function connect(path: string, options: ClientOptions = {}): Promise<VarlinkClient> {
  const { timeoutMs = CLIENT_TIMEOUT_MS, maxFrameBytes = CLIENT_FRAME_BYTES_MAX } = options;
  const interfaces = options.interfaces ?? new ClientInterfaces([]);
  return new VarlinkClient(await connectSocket(path, timeoutMs), interfaces, { timeoutMs, maxFrameBytes });
}

/** @returns the connection alone, for VarlinkClient. @throws ConnectionError if there is none within the time */
export async function connectSocket(path: string, timeoutMs: number): Promise<Socket> {
  const socket = createConnection({ path });
  const late = new ConnectionError(`no connection to ${path} within ${timeoutMs} ms`);
  const timer = setTimeout(() => socket.destroy(late), timeoutMs);
  try {
    await once(socket, 'connect');
  } catch (error) {
    throw error === late
      ? late
      : new ConnectionError(`cannot connect to ${path}: ${error instanceof Error ? error.message : error}`, error);
  } finally {
    clearTimeout(timer);
  }
  return socket;
}

/** Errors of connect(2) that say that a socket does not exist, that we may not use it, or that nobody listens on it. */
const PASSED_OVER: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EPERM', 'ECONNREFUSED']);

/**
 * Connects to the first of several sockets of one service that exists and that we may use.
 * @param paths in the order of preference, at least one
 * @throws ConnectionError of the last, or of one that exists and did not answer in time
 */
export async function connectToFirst(paths: readonly string[], options: ClientOptions = {}): Promise<VarlinkClient> {
  const [path = '', ...others] = paths;
  try {
    return await connect(path, options);
  } catch (error) {
    if (others.length > 0 && isPassedOver(error)) {
      return connectToFirst(others, options);
    }
    throw error;
  }
}

function isPassedOver(error: unknown): boolean {
  const cause = error instanceof ConnectionError ? error.cause : undefined;
  return cause instanceof Error && PASSED_OVER.has(Reflect.get(cause, 'code'));
}

export class VarlinkClient {
  /** settles when the connection is gone, whoever ended it */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #interfaces: ClientInterfaces;
  readonly #timeoutMs: number;
  readonly #frames: FrameReader;
  readonly #waiting: Waiting[] = [];
  #lost: ConnectionError | undefined;

  /** @param socket connected; connect() makes these */
  constructor(socket: Socket, interfaces: ClientInterfaces, limits: { timeoutMs: number; maxFrameBytes: number }) {
    this.#socket = socket;
    this.#interfaces = interfaces;
    this.#timeoutMs = limits.timeoutMs;
    this.#frames = new FrameReader(limits.maxFrameBytes);
    socket.on('data', (chunk: Buffer) => {
      this.#frames.push(chunk);
      this.#read();
    });
    socket.on('error', error => this.#lose(new ConnectionError(`the connection failed: ${error.message}`, error)));
    socket.on('end', () => this.#lose(new ConnectionError('the other side closed the connection')));
    this.closed = new Promise(resolve => socket.once('close', () => resolve()));
  }

  /** @throws VarlinkError for an error reply, ConnectionError if there is none or it breaks the protocol */
  call(method: string, parameters: JsonObject = {}): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      this.#send(method, parameters, 'once');
      const timer = setTimeout(
        () => this.#lose(new ConnectionError(`no reply to ${method} within ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      );
      this.#waiting.push({
        reply: reply => {
          clearTimeout(timer);
          if (reply.continues) {
            throw new ConnectionError(`${method} was answered with "continues", which it was not asked for`);
          }
          resolve(this.#interfaces.checkReply(method, reply));
        },
        failed: error => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  /**
   * Calls with `more`. The iteration ends after the final reply, which is one of its values; leaving it before closes
   * the connection, since nothing else ends such a call. Its next() throws as call() does.
   */
  stream(method: string, parameters: JsonObject = {}): ReplyStream {
    const stream = new ReplyStream({
      pause: () => this.#socket.pause(),
      resume: () => this.#socket.resume(),
      abandon: () => this.close(),
    });
    try {
      this.#send(method, parameters, 'more');
      this.#waiting.push({
        reply: reply => stream.push(this.#interfaces.checkReply(method, reply), !reply.continues),
        failed: error => stream.fail(error),
      });
    } catch (error) {
      stream.fail(error);
    }
    return stream;
  }

  /** Asks for no reply. @returns when the call has been handed to the kernel. @throws ConnectionError */
  oneway(method: string, parameters: JsonObject = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#send(method, parameters, 'oneway', error => {
        if (error) {
          reject(new ConnectionError(`cannot send ${method}: ${error.message}`, error));
        } else {
          resolve();
        }
      });
    });
  }

  /** Closes at once; calls under way are rejected. */
  close(): void {
    this.#lose(new ConnectionError('the connection was closed on this side'));
  }

  #send(
    method: string,
    parameters: JsonObject,
    mode: 'once' | 'more' | 'oneway',
    sent?: (error?: Error | null) => void,
  ): void {
    if (this.#lost !== undefined) {
      throw this.#lost;
    }
    if (this.#waiting.length >= CLIENT_CALLS_MAX) {
      throw new ConnectionError(`${CLIENT_CALLS_MAX} calls are under way on one connection: wait for some of them`);
    }
    const text = this.#interfaces.encodeParameters(method, parameters);
    this.#socket.write(writeCall({ method, parameters: text, more: mode === 'more', oneway: mode === 'oneway' }), sent);
  }

  #read(): void {
    while (this.#lost === undefined) {
      const frame = this.#frames.next();
      if (frame === undefined) {
        return;
      }
      const reply = frame === 'too long' ? 'is longer than allowed' : readReply(frame);
      if (typeof reply === 'string') {
        this.#lose(new ConnectionError(`a reply ${reply}`));
      } else {
        this.#deliver(reply);
      }
    }
  }

  #deliver(reply: MethodReply): void {
    const waiting = this.#waiting[0];
    if (waiting === undefined) {
      this.#lose(new ConnectionError('there came a reply that nobody asked for'));
      return;
    }
    if (!reply.continues) {
      this.#waiting.shift();
    }
    try {
      waiting.reply(reply);
    } catch (error) {
      waiting.failed(error);
      if (reply.continues) {
        // Nobody takes the replies that are still to come.
        this.#lose(new ConnectionError('the connection was closed after a reply that broke the protocol', error));
      }
    }
  }

  /** The first reason is the one that is told. */
  #lose(error: ConnectionError): void {
    if (this.#lost !== undefined) {
      return;
    }
    this.#lost = error;
    this.#socket.destroy();
    for (const waiting of this.#waiting.splice(0)) {
      waiting.failed(error);
    }
  }
}

/** What a client knows of the interfaces that it calls: parameters are written, and replies checked, as they declare. */
export class ClientInterfaces {
  readonly #methods = new Map<string, { readonly idl: IdlInterface; readonly definition: IdlMethod }>();

  readonly #unknown: UnknownFields;

  /**
   * @param descriptions interface definitions
   * @param unknown what becomes of fields of a reply that its interface does not declare
   * @throws IdlError
   */
  constructor(descriptions: readonly string[], unknown: UnknownFields = 'refuse') {
    this.#unknown = unknown;
    for (const idl of descriptions.map(parseInterface)) {
      for (const definition of idl.methods.values()) {
        this.#methods.set(`${idl.name}.${definition.name}`, { idl, definition });
      }
    }
  }

  /** @returns the text of an object. @throws TypeError if the interface is known and does not declare them so */
  encodeParameters(method: string, parameters: JsonObject): string {
    const known = this.#methods.get(method);
    return known === undefined
      ? writeJson(parameters, 1)
      : encodeStruct(known.idl, known.definition.parameters, parameters);
  }

  /** @throws VarlinkError for an error reply, ReplyMismatch for one that is not as declared */
  checkReply(method: string, { error, parameters }: MethodReply): JsonObject {
    if (error !== undefined) {
      throw new VarlinkError(error, parameters);
    }
    const known = this.#methods.get(method);
    if (known === undefined) {
      return parameters;
    }
    const checked = checkStruct(known.idl, known.definition.reply, parameters, this.#unknown);
    if (checked instanceof Mismatch) {
      throw new ReplyMismatch(method, checked);
    }
    return checked;
  }
}
