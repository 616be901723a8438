/** Independent calls: each has its own connection, which is closed when it ends. */
import type { AcquireReply, Progress } from '../api/generated/io-dynuser-allocator.ts';
import type { VarlinkClient } from '../varlink/client.ts';
import type { JsonObject } from '../varlink/json.ts';
import { type Method, type Opener, qualified } from './connection.ts';
import { type Deadline, type Wait, within } from './deadline.ts';
import { DynuserError, toDynuserError } from './errors.ts';
import type { Acquired } from './held-lease.ts';

/**
 * @template Reply the generated type of the method's reply: the connection has checked the reply against the same text
 * @throws DynuserError, or the reason of a signal
 */
export async function callOnce<Reply>(
  open: Opener,
  method: Method,
  parameters: JsonObject,
  deadline: Deadline,
): Promise<Reply> {
  try {
    const reply = await within(deadline, wait =>
      withConnection(open, wait, connection => connection.call(qualified(method), parameters)),
    );
    return reply as Reply;
  } catch (error) {
    throw toDynuserError(error);
  }
}

/**
 * The reader may take its time between replies.
 * @param deadline asked before each wait: for the connection, and for each reply
 * @throws as callOnce() does
 */
export async function* streamOnce<Reply>(
  open: Opener,
  method: Method,
  deadline: () => Deadline,
): AsyncGenerator<Reply, void, void> {
  const connection = await within(deadline(), wait => openFor(open, wait));
  try {
    const stream = connection.stream(qualified(method));
    for (;;) {
      const ready = stream.take();
      if (ready !== undefined) {
        yield ready as Reply;
        continue;
      }
      const result = await within(deadline(), () => stream.next());
      if (result.done) {
        return;
      }
      yield result.value as Reply;
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
 * Lends a connection, and closes it in the end, or when the wait ends: the daemon sees a caller that is gone before its
 * answer, and takes back what it gave.
 */
export async function withConnection<T>(
  open: Opener,
  wait: Wait,
  use: (connection: VarlinkClient) => Promise<T>,
): Promise<T> {
  const connection = await openFor(open, wait);
  const close = () => connection.close();
  wait.signal.addEventListener('abort', close, { once: true });
  try {
    return await use(connection);
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
    const { progress, ...answer } = value as AcquireReply;
    if (progress === undefined) {
      return completeAnswer(answer);
    }
    onProgress(progress);
  }
  throw new DynuserError('UnexpectedReply', 'the daemon ended Acquire without an answer');
}

/** Further fields of the interface are handed on as they are. */
function completeAnswer(answer: Omit<AcquireReply, 'progress'>): Acquired {
  const { uid, gid, userName, unit, dynamic, lease } = answer;
  if ([uid, gid, userName, unit, dynamic, lease].includes(undefined)) {
    throw new DynuserError('UnexpectedReply', 'the answer to Acquire does not say whose user it is');
  }
  return { directories: [], environment: {}, ...answer } as Acquired;
}
