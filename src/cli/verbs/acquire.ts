/** dynuserctl acquire UNIT: acquires a lease, prints it, and holds it if it lasts as long as this command. */

import type { AcquireParameters } from '../../api/generated/io-dynuser-allocator.ts';
import type { Client } from '../../client/client.ts';
import type { HeldLease } from '../../client/held-lease.ts';
import type { Handler, Invocation } from '../command.ts';
import { CommandFailure, type ExitStatus } from '../failure.ts';
import { endOf } from '../lifetimes.ts';
import { ALLOCATION_TIMEOUT_MS, RETURN_DEADLINE_MS } from '../limits.ts';
import { layoutOf } from '../print.ts';
import type { ProcessIo } from '../process-io.ts';
import { progressLine } from '../progress-line.ts';
import { renderHandovers, renderLeftAlone } from '../render/handovers.ts';
import { renderJson } from '../render/json.ts';
import { printable } from '../render/text.ts';
import { acquireParameters } from '../request.ts';
import { withClient } from '../with-client.ts';

export const acquire: Handler = async (invocation, io) => {
  const parameters = acquireParameters(invocation);
  // From the start: an interruption has to take the line of progress with it. And before the UID is printed: who reads
  // it may interrupt at once, and that is the proper end of a lease that lasts as long as this command.
  using interruption = io.listenForInterruption();
  return await withClient<ExitStatus>(io, async client => {
    const lease = await acquireLease(client, parameters, io, interruption.signal);
    await io.errors.write(renderLeftAlone(lease.directories));
    await io.output.write(answer(lease, parameters, invocation, io));
    if (lease.lifetime === 'connection') {
      await holdLease(client, lease, interruption.signal);
    }
    return 0;
  });
};

async function acquireLease(
  client: Client,
  parameters: AcquireParameters,
  io: ProcessIo,
  interruption: AbortSignal,
): Promise<HeldLease> {
  const line = progressLine(io.errors, io.environment);
  let written = Promise.resolve();
  try {
    return await client.acquire(parameters, {
      timeoutMs: ALLOCATION_TIMEOUT_MS,
      signal: interruption,
      onProgress: ({ publicPath, inodes, changed }) => {
        written = line.show(publicPath, `${inodes} inodes inspected, ${changed} changed`);
      },
    });
  } catch (error) {
    // The daemon gives nothing to who has left.
    throw interruption.aborted ? new CommandFailure(INTERRUPTED, { cause: error }) : error;
  } finally {
    await written;
    await line.clear();
  }
}

const INTERRUPTED = 'interrupted: no lease is held; the next acquire finishes a handover that was interrupted';

function answer(lease: HeldLease, parameters: AcquireParameters, invocation: Invocation, io: ProcessIo): string {
  if (invocation.json !== 'off') {
    return renderJson(lease.acquired, invocation.json);
  }
  return io.output.terminal === undefined
    ? `${lease.uid}\n`
    : describe(lease, parameters) + renderHandovers(lease.directories, layoutOf(invocation, io).style);
}

function describe(lease: HeldLease, parameters: AcquireParameters): string {
  const kind = lease.dynamic ? 'dynamic user' : 'user of this host';
  const who = `${printable(lease.unit)} has the ${kind} ${printable(lease.userName)}, UID ${lease.uid}.`;
  const groups = lease.groups.map(({ name, gid }) => `It is in the group ${printable(name)}, GID ${gid}.\n`).join('');
  return `${who}\n${groups}${endOf(lease, parameters)}\n`;
}

/**
 * Holds a lease that lasts as long as this command, over restarts of the daemon too: the client claims it from the next.
 * @returns at the interruption
 * @throws CommandFailure if the lease is lost, or the daemon went away and does not come back in time
 */
async function holdLease(client: Client, lease: HeldLease, interruption: AbortSignal): Promise<void> {
  const who = `the lease ${printable(lease.id)} of ${printable(lease.userName)}`;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (words: string): void => reject(new CommandFailure(`the daemon went away: ${words}`));
      if (interruption.aborted) {
        resolve();
        return;
      }
      interruption.addEventListener('abort', () => resolve(), { once: true });
      client.on('lost', () => fail(`${who} has ended`));
      client.on('reconnected', () => clearTimeout(timer));
      client.on('disconnected', () => {
        const words = `it is not back after ${RETURN_DEADLINE_MS / 1_000} s, and ${who} ends when it comes back`;
        timer = setTimeout(() => fail(words), RETURN_DEADLINE_MS);
      });
    });
  } finally {
    clearTimeout(timer);
  }
}
