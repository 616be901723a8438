/**
 * A connection to dynuserd with bounded waits. All that can go wrong with it leaves here as a CommandFailure in words;
 * callers see replies, or nothing.
 */
import { connectToFirst, type VarlinkClient } from '../varlink/client.ts';
import { VarlinkError } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import { DaemonTimeout, describeErrorReply, describeTransportTrouble } from './error-messages.ts';
import { CommandFailure } from './failure.ts';
import { CLIENT_TIMEOUT_MS, REPLY_TIMEOUT_MS } from './limits.ts';
import type { ProcessIo } from './process-io.ts';
import { socketPaths } from './socket-path.ts';

export interface Daemon {
  /** @param timeoutMs how long to wait for the reply */
  call(method: string, parameters?: JsonObject, timeoutMs?: number): Promise<JsonObject>;
  /**
   * Calls for several replies. `wait` says before each how many milliseconds it may take at most; 'unbounded' is for a
   * stream that waits for what happens. Leaving it before its end closes the connection.
   */
  stream(method: string, parameters?: JsonObject, wait?: () => number | 'unbounded'): AsyncIterable<JsonObject>;
  close(): void;
  /** settles when the connection is gone, whoever ended it */
  readonly closed: Promise<void>;
}

/** Connects, lends the connection, and closes it in the end. @throws CommandFailure */
export async function withDaemon<T>(io: ProcessIo, use: (daemon: Daemon) => Promise<T>): Promise<T> {
  const { client, path } = await connectTo(socketPaths(io.environment));
  try {
    return await use(daemonOver(client, path));
  } finally {
    client.close();
  }
}

async function connectTo(paths: readonly string[]): Promise<{ readonly client: VarlinkClient; readonly path: string }> {
  try {
    return await connectToFirst(paths, { timeoutMs: CLIENT_TIMEOUT_MS });
  } catch (error) {
    throw new CommandFailure(describeTransportTrouble(error, paths.at(-1) ?? ''), 1, error);
  }
}

/** Whether a failure is the daemon's error reply of that qualified name. */
export function isErrorReply(failure: unknown, name: string): boolean {
  return failure instanceof CommandFailure && failure.cause instanceof VarlinkError && failure.cause.error === name;
}

function daemonOver(client: VarlinkClient, path: string): Daemon {
  return {
    call: (method, parameters = {}, timeoutMs = REPLY_TIMEOUT_MS) =>
      translated(path, method, () => within(timeoutMs, client, client.call(method, parameters))),
    stream: (method, parameters = {}, wait = () => REPLY_TIMEOUT_MS) =>
      replies(path, client, { method, parameters }, wait),
    close: () => client.close(),
    closed: client.closed,
  };
}

async function* replies(
  path: string,
  client: VarlinkClient,
  { method, parameters }: { readonly method: string; readonly parameters: JsonObject },
  wait: () => number | 'unbounded',
): AsyncGenerator<JsonObject, void, void> {
  const stream = await translated(path, method, async () => client.stream(method, parameters));
  let ended = false;
  try {
    for (;;) {
      const timeoutMs = wait();
      const result = await translated(path, method, () =>
        timeoutMs === 'unbounded' ? stream.next() : within(timeoutMs, client, stream.next()),
      );
      if (result.done) {
        ended = true;
        return;
      }
      yield result.value;
    }
  } finally {
    // Nothing can be asked on a connection on which replies of a former call are still to come.
    if (!ended) {
      client.close();
    }
  }
}

async function within<T>(timeoutMs: number, client: VarlinkClient, pending: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DaemonTimeout(timeoutMs));
      client.close();
    }, timeoutMs);
  });
  try {
    return await Promise.race([pending, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param method the qualified name, for the words of its failure */
async function translated<T>(path: string, method: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VarlinkError) {
      throw new CommandFailure(describeErrorReply(error, method), 1, error);
    }
    throw new CommandFailure(describeTransportTrouble(error, path), 1, error);
  }
}
