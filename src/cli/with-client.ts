/** A client of the daemon with bounded waits. All that can go wrong with it leaves here as a CommandFailure in words. */
import type { Client } from '../client/client.ts';
import { DynuserError } from '../client/errors.ts';
import { openClient } from '../client/open-client.ts';
import { socketPaths } from '../client/socket-path.ts';
import { RUNTIME_DIRECTORY_VARIABLE } from '../core/paths.ts';
import { describeError } from './error-messages.ts';
import { CommandFailure } from './failure.ts';
import { REPLY_TIMEOUT_MS } from './limits.ts';
import type { ProcessIo } from './process-io.ts';
import { printable } from './render/text.ts';

/** Connects, lends the client, and closes it in the end, with all leases that last as long as it. @throws CommandFailure */
export async function withClient<T>(io: ProcessIo, use: (client: Client) => Promise<T>): Promise<T> {
  const paths = daemonSockets(io.environment);
  let client: Client | undefined;
  try {
    client = await openClient({ paths, timeoutMs: REPLY_TIMEOUT_MS, reconnect: true, signals: [] });
    return await use(client);
  } catch (error) {
    throw error instanceof DynuserError
      ? new CommandFailure(describeError(error, paths.at(-1) ?? ''), 1, error)
      : error;
  } finally {
    await client?.close();
  }
}

/** @returns the socket that everybody can connect to. @throws CommandFailure if the environment names none */
export function publicSocket(environment: ProcessIo['environment']): string {
  return daemonSockets(environment).at(-1) ?? '';
}

function daemonSockets(environment: ProcessIo['environment']): readonly string[] {
  try {
    return socketPaths(undefined, environment);
  } catch (error) {
    const words = error instanceof DynuserError ? error.reason : String(error);
    throw new CommandFailure(`${RUNTIME_DIRECTORY_VARIABLE}: ${printable(words)}`, 2, error);
  }
}
