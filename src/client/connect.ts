/**
 * The entry of the package `dynuser`: connect(), and the types of what it gives. Programs import this file alone, as
 * 'dynuser'. It loads nothing but Node's own modules and the varlink library next to it.
 */

import { type Client, openClient } from './client.ts';
import { socketPaths } from './connection.ts';
import { CALL_TIMEOUT_MS, TIMEOUT_MAX_MS } from './limits.ts';

export type {
  AcquireParameters,
  Candidate,
  Directory,
  ExpectedHandover,
  ExplainParameters,
  ExplainReply,
  Handover,
  Lease,
  Lifetime,
  Progress,
  WatchReply,
} from '../api/generated/io-dynuser-allocator.ts';
export type { AcquireOptions, CallOptions, Client, ClientEvents } from './client.ts';
export { DynuserError, type DynuserErrorCode } from './errors.ts';
export type { HeldLease, Released } from './held-lease.ts';

export interface ConnectOptions {
  /**
   * of the daemon's socket; in DYNUSER_RUNTIME_DIRECTORY or /run/dynuser unless given: io.dynuser.Allocator if this process may
   * connect to it, else io.dynuser.DynamicUser
   */
  readonly path?: string;
  /** how long to wait for an answer, in milliseconds; 60,000 unless given */
  readonly timeoutMs?: number;
  /** ends the attempt to connect */
  readonly signal?: AbortSignal;
  /**
   * Whether the client waits for a daemon that restarts, and claims its leases there: true unless given. With false
   * leases are lost with the connection.
   */
  readonly reconnect?: boolean;
}

/**
 * Asks the daemon who it is, so that a missing one shows here. There is no connection afterwards: one is made for each
 * call, and one stays open while leases are held that last as long as it.
 * @throws DynuserError ConnectionFailed, Timeout or UnexpectedReply; RangeError for a wait that cannot be
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const { timeoutMs = CALL_TIMEOUT_MS, reconnect = true, signal } = options;
  if (!(timeoutMs > 0 && timeoutMs <= TIMEOUT_MAX_MS)) {
    throw new RangeError(`timeoutMs must be more than 0 and at most ${TIMEOUT_MAX_MS}, not ${timeoutMs}`);
  }
  const paths = socketPaths(options.path, process.env);
  return openClient({ paths, timeoutMs, reconnect }, signal === undefined ? [] : [signal]);
}
