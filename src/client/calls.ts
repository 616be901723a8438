/** Calls that need nothing of each other: each has a connection of its own, which ends with it. */
import type { AcquireReply, Progress } from '../api/generated/io-dynuser-allocator.ts';
import type { VarlinkClient } from '../varlink/client.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Acquired } from './acquired.ts';
import type { Opener } from './connection.ts';
import { type Deadline, type Wait, within } from './deadline.ts';
import { DynuserError, toDynuserError } from './errors.ts';
import { type Method, qualified, readReply, writeParameters } from './wire.ts';

/**
 * @template Reply the generated type of the reply
 * @throws DynuserError, or the reason of a signal
 */
export async function callOnce<Reply>(
  open: Opener,
  method: Method,
  parameters: JsonObject,
  deadline: Deadline,
): Promise<Reply> {
  let connection: VarlinkClient | undefined;
  try {
    return await within(deadline, async wait => {
      connection = await openFor(open, wait);
      return readReply<Reply>(method, await connection.call(qualified(method), parameters));
    });
  } catch (error) {
    throw toDynuserError(error);
  } finally {
    connection?.close();
  }
}

/** What the two waits of a stream may take: for the connection, and for each reply. */
export interface StreamDeadlines {
  readonly connection: Deadline;
  readonly reply: Deadline;
}

/** The reader may take its time between replies. @throws as callOnce() does */
export async function* streamOnce<Reply>(
  open: Opener,
  method: Method,
  deadline: StreamDeadlines,
): AsyncGenerator<Reply, void, void> {
  const connection = await within(deadline.connection, wait => openFor(open, wait));
  try {
    const stream = connection.stream(qualified(method), writeParameters(method, {}));
    for (;;) {
      const result = await within(deadline.reply, () => stream.next());
      if (result.done) {
        return;
      }
      yield readReply<Reply>(method, result.value);
    }
  } catch (error) {
    throw toDynuserError(error);
  } finally {
    connection.close();
  }
}

/** A connection that comes after the wait for it is closed at once. */
async function openFor(open: Opener, wait: Wait): Promise<VarlinkClient> {
  const connection = await open(wait.signal);
  if (wait.signal.aborted) {
    connection.close();
  }
  return connection;
}

/**
 * Acquires on a connection of its own, which the lease does not need.
 * @param onProgress may give the wait more time
 */
export async function acquireOnce(
  open: Opener,
  parameters: JsonObject,
  wait: Wait,
  onProgress: (progress: Progress) => void,
): Promise<Acquired> {
  const connection = await openFor(open, wait);
  // The daemon sees a caller that is gone before its answer, and takes the lease back.
  const close = () => connection.close();
  wait.signal.addEventListener('abort', close, { once: true });
  try {
    return await requestUser(connection, parameters, onProgress);
  } finally {
    close();
  }
}

/** Asks for a user on a connection that is the caller's. @throws what the connection throws */
export async function requestUser(
  connection: VarlinkClient,
  parameters: JsonObject,
  onProgress: (progress: Progress) => void,
): Promise<Acquired> {
  for await (const value of connection.stream(qualified('Acquire'), parameters)) {
    const { progress, ...rest } = readReply<AcquireReply>('Acquire', value);
    if (progress === undefined) {
      return completeAnswer(rest);
    }
    onProgress(progress);
  }
  throw new DynuserError('UnexpectedReply', 'the daemon ended Acquire without an answer');
}

function completeAnswer(reply: Omit<AcquireReply, 'progress'>): Acquired {
  const { uid, gid, userName, unit, dynamic, lease, directories = [], environment = {} } = reply;
  if (
    uid === undefined ||
    gid === undefined ||
    userName === undefined ||
    unit === undefined ||
    dynamic === undefined ||
    lease === undefined
  ) {
    throw new DynuserError('UnexpectedReply', 'the answer to Acquire does not say whose user it is');
  }
  return { uid, gid, userName, unit, dynamic, lease, directories, environment };
}
