/** dynuserctl acquire UNIT: allocates, says so, and where the lease lasts as long as this command waits. */

import type { JsonObject } from '../../varlink/json.ts';
import { type Acquired, checkAcquireReply } from '../acquire-replies.ts';
import type { Invocation } from '../command-line.ts';
import type { Handler } from '../commands.ts';
import { type Daemon, withDaemon } from '../daemon.ts';
import { CommandFailure, type ExitStatus } from '../failure.ts';
import { hold } from '../holding.ts';
import { layoutOf } from '../layout.ts';
import { ALLOCATION_TIMEOUT_MS } from '../limits.ts';
import type { ProcessIo } from '../process-io.ts';
import { type ProgressLine, progressLine } from '../progress-line.ts';
import { renderHandovers, renderLeftAlone } from '../render/handovers.ts';
import { renderJson } from '../render/json.ts';
import { renderProgress } from '../render/progress.ts';
import { printable } from '../render/text.ts';
import { acquireParameters } from '../request.ts';

export const acquire: Handler = async (invocation, io) => {
  const parameters = acquireParameters(invocation);
  // From the start: an interruption has to take the line of progress with it. And before the UID is printed: who reads
  // it may interrupt at once, and that is the proper end of a lease that lasts as long as this command.
  const interruption = io.listenForInterruption();
  try {
    return await withDaemon<ExitStatus>(io, async daemon => {
      const line = progressLine(io.errors, io.environment);
      const acquired = await ask(daemon, parameters, line, interruption.signal);
      await io.errors.write(renderLeftAlone(acquired.directories));
      await io.output.write(answer(acquired, parameters, invocation, io));
      if (parameters['lifetime'] === 'connection') {
        await hold(io, daemon, acquired, interruption.signal);
      }
      return 0;
    });
  } finally {
    interruption.dispose();
  }
};

async function ask(
  daemon: Daemon,
  parameters: ReturnType<typeof acquireParameters>,
  line: ProgressLine,
  interruption: AbortSignal,
): Promise<Acquired> {
  interruption.addEventListener('abort', daemon.close, { once: true });
  let acquired: Acquired | undefined;
  try {
    const replies = daemon.stream('io.dynuser.Allocator.Acquire', parameters, () => ALLOCATION_TIMEOUT_MS);
    for await (const reply of replies) {
      const checked = checkAcquireReply(reply);
      if ('progress' in checked) {
        await line.show(columns => renderProgress(checked.progress, columns));
      } else {
        acquired = checked.acquired;
      }
    }
  } catch (error) {
    // Closing the connection is how an interruption ends the call; the daemon gives nothing to who has left.
    throw interruption.aborted ? new CommandFailure(INTERRUPTED, 1, error) : error;
  } finally {
    interruption.removeEventListener('abort', daemon.close);
    await line.clear();
  }
  if (acquired === undefined) {
    throw new CommandFailure(
      'the answer cannot be understood: its end is missing: is the daemon of the same version as this command?',
    );
  }
  return acquired;
}

const INTERRUPTED =
  'interrupted: no lease is held; a directory that was changing hands is finished by the next acquire';

function answer(acquired: Acquired, parameters: JsonObject, invocation: Invocation, io: ProcessIo): string {
  if (invocation.json !== 'off') {
    return renderJson(acquired, invocation.json);
  }
  return io.output.terminal === undefined
    ? `${acquired.uid}\n`
    : describe(acquired, parameters) + renderHandovers(acquired.directories, layoutOf(invocation, io).style);
}

function describe(acquired: Acquired, { lifetime, pid }: JsonObject): string {
  const kind = acquired.dynamic ? 'dynamic user' : 'user of this host';
  const who = `${printable(acquired.unit)} has the ${kind} ${printable(acquired.userName)}, UID ${acquired.uid}.`;
  return `${who}\n${endOf(acquired, String(lifetime), String(pid))}\n`;
}

function endOf({ lease, unit }: Acquired, lifetime: string, pid: string): string {
  switch (lifetime) {
    case 'connection':
      return 'It is held until this command is interrupted.';
    case 'process':
      return `It is held until the process ${pid} ends.`;
    case 'unit':
      return `It is held until systemd says that ${printable(unit)} is inactive.`;
    default:
      return `'dynuserctl release ${lease}' releases it.`;
  }
}
