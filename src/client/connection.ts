/** How this package gets a connection, and how long it keeps trying. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectToFirst, type VarlinkClient } from '../varlink/client.ts';
import { DynuserError, toDynuserError } from './errors.ts';
import { INTERFACES } from './interface.ts';
import { LEASE_CONNECTION_TIMEOUT_MS, RETRY_FIRST_MS, RETRY_LONGEST_MS } from './limits.ts';

/** @param signal aborted if the connection is wanted no more. @throws DynuserError ConnectionFailed */
export type Opener = (signal: AbortSignal) => Promise<VarlinkClient>;

/**
 * One attempt. connect(2) to a UNIX socket does not wait: it fails where the queue is full (unix(7)).
 * @param paths of the daemon's sockets, in the order in which they are tried
 */
export async function open(paths: readonly string[]): Promise<VarlinkClient> {
  try {
    return (await connectToFirst(paths, { timeoutMs: LEASE_CONNECTION_TIMEOUT_MS, interfaces: INTERFACES })).client;
  } catch (error) {
    throw toDynuserError(error);
  }
}

/** @param retry whether to try again while the daemon is away, which it is while it restarts */
export function opener(paths: readonly string[], retry: boolean): Opener {
  return async signal => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await open(paths);
      } catch (error) {
        if (!retry || signal.aborted || !isUnreachable(error)) {
          throw error;
        }
      }
      await pause(attempt, signal);
      signal.throwIfAborted();
    }
  };
}

/** Waits before another attempt: longer each time, up to a bound. @param attempt how many there were, beginning with 0 */
export async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  const delay = Math.min(RETRY_FIRST_MS * 2 ** attempt, RETRY_LONGEST_MS);
  // Not all at the same moment, where many programs wait for one daemon.
  const spread = delay * (0.5 + Math.random() / 2);
  await sleep(spread, undefined, { signal }).catch(() => {});
}

/** @param error of open() */
export function isUnreachable(error: unknown): boolean {
  return error instanceof DynuserError && error.code === 'ConnectionFailed';
}
