/** dynuserctl acquire UNIT: acquires a lease, prints it, and holds it if it lasts as long as this command. */

import type { AcquireParameters } from '../../api/generated/io-dynuser-allocator.ts';
import type { Client } from '../../client/client.ts';
import type { HeldLease } from '../../client/held-lease.ts';
import type { Handler, Invocation } from '../command.ts';
import { CommandFailure, type ExitStatus } from '../failure.ts';
import { holdLease } from '../hold-lease.ts';
import { layoutOf } from '../layout.ts';
import { ALLOCATION_TIMEOUT_MS } from '../limits.ts';
import type { ProcessIo } from '../process-io.ts';
import { progressLine } from '../progress-line.ts';
import { renderHandovers, renderLeftAlone } from '../render/handovers.ts';
import { renderJson } from '../render/json.ts';
import { renderProgress } from '../render/progress.ts';
import { printable } from '../render/text.ts';
import { acquireParameters } from '../request.ts';
import { withClient } from '../with-client.ts';

export const acquire: Handler = async (invocation, io) => {
  const parameters = acquireParameters(invocation);
  // From the start: an interruption has to take the line of progress with it. And before the UID is printed: who reads
  // it may interrupt at once, and that is the proper end of a lease that lasts as long as this command.
  const interruption = io.listenForInterruption();
  try {
    return await withClient<ExitStatus>(io, async client => {
      const lease = await acquireLease(client, parameters, io, interruption.signal);
      await io.errors.write(renderLeftAlone(lease.directories));
      await io.output.write(answer(lease, parameters, invocation, io));
      if (lease.lifetime === 'connection') {
        await holdLease(client, lease, interruption.signal);
      }
      return 0;
    });
  } finally {
    interruption.dispose();
  }
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
      onProgress: progress => {
        written = line.show(columns => renderProgress(progress, columns));
      },
    });
  } catch (error) {
    // The daemon gives nothing to who has left.
    throw interruption.aborted ? new CommandFailure(INTERRUPTED, 1, error) : error;
  } finally {
    await written;
    await line.clear();
  }
}

const INTERRUPTED =
  'interrupted: no lease is held; a directory that was changing hands is finished by the next acquire';

function answer(lease: HeldLease, parameters: AcquireParameters, invocation: Invocation, io: ProcessIo): string {
  if (invocation.json !== 'off') {
    return renderJson(lease.acquired, invocation.json);
  }
  return io.output.terminal === undefined
    ? `${lease.uid}\n`
    : describe(lease, parameters) + renderHandovers(lease.directories, layoutOf(invocation, io).style);
}

function describe(lease: HeldLease, { pid }: AcquireParameters): string {
  const kind = lease.dynamic ? 'dynamic user' : 'user of this host';
  const who = `${printable(lease.unit)} has the ${kind} ${printable(lease.userName)}, UID ${lease.uid}.`;
  return `${who}\n${endOf(lease, pid)}\n`;
}

function endOf({ lifetime, id, unit }: HeldLease, pid: number | undefined): string {
  switch (lifetime) {
    case 'connection':
      return 'It is held until this command is interrupted.';
    case 'process':
      return `It is held until the process ${pid} ends.`;
    case 'unit':
      return `It is held until systemd says that ${printable(unit)} is inactive.`;
    case 'explicit':
      return `'dynuserctl release ${printable(id)}' releases it.`;
  }
}
