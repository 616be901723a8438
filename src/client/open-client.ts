/** A client of the daemon at one of several sockets, after the daemon has said who it is. */
import { Client, type DaemonInfo } from './client.ts';
import { open } from './connection.ts';
import { within } from './deadline.ts';
import { toDynuserError } from './errors.ts';

export interface OpenOptions {
  /** of the daemon's sockets, in the order in which they are tried, at least one */
  readonly paths: readonly string[];
  readonly timeoutMs: number;
  readonly reconnect: boolean;
  readonly signals: readonly AbortSignal[];
}

/** @throws DynuserError ConnectionFailed, Timeout or UnexpectedReply; the reason of a signal */
export async function openClient({ paths, timeoutMs, reconnect, signals }: OpenOptions): Promise<Client> {
  const deadline = { what: `the daemon at ${paths.at(-1)}`, timeoutMs, signals };
  const daemon = await within(deadline, wait => greet(paths, wait.signal));
  return new Client({ paths, timeoutMs, reconnect, daemon });
}

async function greet(paths: readonly string[], signal: AbortSignal): Promise<DaemonInfo> {
  const connection = await open(paths);
  signal.addEventListener('abort', () => connection.close(), { once: true });
  try {
    // The reply has been checked against the interface.
    const info = await connection.call('org.varlink.service.GetInfo');
    const { vendor, product, version } = info as unknown as DaemonInfo;
    return { vendor, product, version };
  } catch (error) {
    throw toDynuserError(error);
  } finally {
    connection.close();
  }
}
