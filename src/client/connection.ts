/** Where the daemon's sockets are, how this package gets a connection to its interfaces, and how long it keeps trying. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ALLOCATOR_INTERFACE } from '../api/generated/io-dynuser-allocator.ts';
import { ALLOCATOR_SOCKET, RUNTIME_DIRECTORY, RUNTIME_DIRECTORY_VARIABLE, SOCKET } from '../core/paths.ts';
import { ClientInterfaces, connectToFirst, type VarlinkClient } from '../varlink/client.ts';
import type { JsonObject } from '../varlink/json.ts';
import { SOCKET_PATH_MAX } from '../varlink/limits.ts';
import { SERVICE_DESCRIPTION } from '../varlink/service-description.ts';
import { DynuserError, toDynuserError } from './errors.ts';
import { LEASE_CONNECTION_TIMEOUT_MS, RETRY_FIRST_MS, RETRY_LONGEST_MS } from './limits.ts';

/**
 * Parameters are written, and replies checked, as the interfaces declare. A reply may have fields that are not declared: a
 * newer daemon says more, and a program need not be built anew for that.
 */
const INTERFACES = new ClientInterfaces([ALLOCATOR_INTERFACE, SERVICE_DESCRIPTION], 'drop');

export type Method =
  | 'Acquire'
  | 'Claim'
  | 'Release'
  | 'List'
  | 'Explain'
  | 'Watch'
  | 'Reload'
  | 'FleetStatus'
  | 'FleetForget'
  | 'FleetLeave';

export function qualified(method: Method): string {
  return `io.dynuser.Allocator.${method}`;
}

/** @returns the parameters without those that are undefined. @throws TypeError that names one that is not as declared */
export function checkParameters(method: Method, parameters: { readonly [key: string]: unknown }): JsonObject {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  // What is not JSON is not a value of the interface either, and is named below.
  const object = Object.fromEntries(given) as JsonObject;
  INTERFACES.encodeParameters(qualified(method), object);
  return object;
}

/** @param signal aborted if the connection is wanted no more. @throws DynuserError ConnectionFailed */
export type Opener = (signal: AbortSignal) => Promise<VarlinkClient>;

/**
 * One attempt. connect(2) to a UNIX socket does not wait: it fails if the queue is full (unix(7)).
 * @param paths of the daemon's sockets, in the order in which they are tried
 */
export async function open(paths: readonly string[]): Promise<VarlinkClient> {
  try {
    return await connectToFirst(paths, { timeoutMs: LEASE_CONNECTION_TIMEOUT_MS, interfaces: INTERFACES });
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
  // Many programs may wait for one daemon: they must not all try at the same moment.
  const spread = delay * (0.5 + Math.random() / 2);
  await sleep(spread, undefined, { signal }).catch(() => {});
}

/** @param error of open() */
export function isUnreachable(error: unknown): boolean {
  return error instanceof DynuserError && error.code === 'ConnectionFailed';
}

/** In the order in which they are tried: that of those who may acquire, which may be closed to us, and that of everybody. */
const SOCKETS = [ALLOCATOR_SOCKET, SOCKET];

/**
 * @param path the one that the caller wants
 * @returns it alone, or those below DYNUSER_RUNTIME_DIRECTORY, in the order in which they are to be tried, at least one
 * @throws DynuserError ConnectionFailed if one of them cannot be the path of a socket
 */
export function socketPaths(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  // An empty variable is as good as none, for the daemon too.
  const directory = (environment[RUNTIME_DIRECTORY_VARIABLE] || RUNTIME_DIRECTORY).replace(/(?<=.)\/+$/, '');
  return (path === undefined ? SOCKETS.map(name => `${directory}/${name}`) : [path]).map(checked);
}

function checked(chosen: string): string {
  if (!chosen.startsWith('/') || chosen.includes('\0')) {
    throw new DynuserError('ConnectionFailed', `${JSON.stringify(chosen)} must be the absolute path of a socket`);
  }
  // Node would cut a longer path and connect to another.
  if (Buffer.byteLength(chosen) > SOCKET_PATH_MAX) {
    const reason = `${chosen} has more than the ${SOCKET_PATH_MAX} bytes of a socket's path`;
    throw new DynuserError('ConnectionFailed', reason);
  }
  return chosen;
}
