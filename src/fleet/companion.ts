/**
 * The connection to dynuser-fleetd, which has the store of the fleet. It runs without rights, so nothing that it says is believed here: a
 * reply that does not have the form of the interface, or does not come in time, is a failure. fleet.ts decides whether it can be true.
 */
import { FLEET_INTERFACE } from '../api/generated/io-dynuser-fleet.ts';
import { Semaphore } from '../core/semaphore.ts';
import { ClientInterfaces, connectSocket, VarlinkClient } from '../varlink/client.ts';
import { ConnectionError, VarlinkError } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { ReplyStream } from '../varlink/reply-stream.ts';
import { socketDescriptor } from '../varlink/socket-handle.ts';

const INTERFACE = 'io.dynuser.Fleet';
/** One call, in milliseconds: the companion gives its store about 5 s. */
const CALL_DEADLINE_MS = 8_000;
/** A batch of 500 changes has about 50 kB. */
const REPLY_BYTES_MAX = 256 * 1024;
/** Calls at a time, each by its own connection: replies of one connection wait for each other. */
const CALLS_MAX = 16;
/** Connections that are kept for the next calls, and for how long, in milliseconds: the companion ends them after a minute. */
const KEPT_MAX = 2;
const KEPT_MS = 30_000;

export interface CompanionDeps {
  /** the path of its socket */
  readonly path: string;
  /** @param descriptor of a connected socket @returns why whoever listens there is not the companion; undefined if it is */
  readonly problemOf: (descriptor: number) => string | undefined;
}

export class Companion {
  readonly #deps: CompanionDeps;
  readonly #calls = new Semaphore(CALLS_MAX);
  readonly #clients = new Set<VarlinkClient>();
  /** clients that no call uses now, each with the timer that ends it; the one that was used last is at the end */
  readonly #kept = new Map<VarlinkClient, NodeJS.Timeout>();
  readonly #interfaces = new ClientInterfaces([FLEET_INTERFACE], 'drop');

  constructor(deps: CompanionDeps) {
    this.#deps = deps;
  }

  /** @throws VarlinkError an error of the interface; ConnectionError if it is away, is somebody else, or answers nonsense */
  async call<Fields>(method: string, parameters: JsonObject): Promise<Fields> {
    return await this.#calls.run(async () => {
      const client = [...this.#kept.keys()].at(-1) ?? (await this.connect());
      this.#unkeep(client);
      try {
        const reply = await client.call(`${INTERFACE}.${method}`, parameters);
        this.#keep(client);
        // It was checked against the interface that the type was made from.
        return reply as Fields;
      } catch (error) {
        if (error instanceof VarlinkError) {
          this.#keep(client);
        } else {
          client.close();
        }
        throw error;
      }
    });
  }

  /** The replies to a call with "more", each within the deadline after the one before. The last one ends the iteration. @throws as call() */
  async *list<Fields>(method: string, parameters: JsonObject): AsyncGenerator<Fields, void, undefined> {
    const client = await this.connect();
    try {
      const stream = streamOf(client, method, parameters);
      for (;;) {
        const timer = setTimeout(() => client.close(), CALL_DEADLINE_MS);
        const { value, done } = await stream.next().finally(() => clearTimeout(timer));
        if (done === true || value === undefined) {
          return;
        }
        yield value as Fields;
      }
    } finally {
      client.close();
    }
  }

  #keep(client: VarlinkClient): void {
    if (this.#kept.size >= KEPT_MAX) {
      client.close();
      return;
    }
    const timer = setTimeout(() => client.close(), KEPT_MS);
    timer.unref();
    this.#kept.set(client, timer);
  }

  #unkeep(client: VarlinkClient): void {
    clearTimeout(this.#kept.get(client));
    this.#kept.delete(client);
  }

  /** Ends all calls: whoever waits for one is told so. */
  close(): void {
    for (const client of this.#clients) {
      client.close();
    }
  }

  /** @returns another connection, which the caller closes */
  async connect(): Promise<VarlinkClient> {
    const socket = await connectSocket(this.#deps.path, CALL_DEADLINE_MS);
    const descriptor = socketDescriptor(socket);
    const problem = descriptor === undefined ? 'the connection is closed' : this.#deps.problemOf(descriptor);
    if (problem !== undefined) {
      socket.destroy();
      throw new ConnectionError(`${this.#deps.path} is not served by dynuser-fleetd: ${problem}`);
    }
    const limits = { timeoutMs: CALL_DEADLINE_MS, maxFrameBytes: REPLY_BYTES_MAX };
    const client = new VarlinkClient(socket, this.#interfaces, limits);
    this.#clients.add(client);
    void client.closed.then(() => {
      this.#clients.delete(client);
      this.#unkeep(client);
    });
    return client;
  }
}

/** A call with "more" on a connection. */
export function streamOf(client: VarlinkClient, method: string, parameters: JsonObject): ReplyStream {
  return client.stream(`${INTERFACE}.${method}`, parameters);
}
