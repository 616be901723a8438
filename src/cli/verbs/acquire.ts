/** dynuserctl acquire UNIT: allocates, says so, and where the lease lasts as long as this command waits. */
import type { AcquireReply } from '../../api/generated/io-dynuser-allocator.ts';
import { type Invocation, lastValue } from '../command-line.ts';
import type { Handler } from '../commands.ts';
import { type Daemon, withDaemon } from '../daemon.ts';
import { CommandFailure, type ExitStatus } from '../failure.ts';
import { ALLOCATION_TIMEOUT_MS } from '../limits.ts';
import { renderJson } from '../render/json.ts';
import { printable } from '../render/text.ts';
import { checkAcquireReply } from '../replies.ts';
import { requestParameters } from '../request.ts';
import type { Surroundings } from '../surroundings.ts';

export const acquire: Handler = async (invocation, surroundings) =>
  withDaemon<ExitStatus>(surroundings, async daemon => {
    const lifetime = lastValue(invocation.options, 'lifetime') ?? 'explicit';
    const parameters = { ...requestParameters(invocation), lifetime };
    const reply = await daemon.call('io.dynuser.Allocator.Acquire', parameters, ALLOCATION_TIMEOUT_MS);
    const acquired = checkAcquireReply(reply);
    // Before the UID is printed: who reads it may interrupt at once, and that is the proper end.
    const interruption = lifetime === 'connection' ? surroundings.listenForInterruption() : undefined;
    try {
      await surroundings.output.write(answer(acquired, lifetime, invocation, surroundings));
      if (interruption !== undefined) {
        await hold(daemon, acquired, interruption.signal);
      }
      return 0;
    } finally {
      interruption?.dispose();
    }
  });

function answer(acquired: AcquireReply, lifetime: string, { json }: Invocation, { output }: Surroundings): string {
  if (json !== 'off') {
    return renderJson(acquired, json);
  }
  return output.terminal === undefined ? `${acquired.uid}\n` : describe(acquired, lifetime);
}

function describe(acquired: AcquireReply, lifetime: string): string {
  const kind = acquired.dynamic ? 'dynamic user' : 'user of this host';
  const who = `${printable(acquired.unit)} has the ${kind} ${printable(acquired.userName)}, UID ${acquired.uid}.`;
  const end =
    lifetime === 'connection'
      ? 'It is held until this command is interrupted.'
      : `'dynuserctl release ${acquired.lease}' releases it.`;
  return `${who}\n${end}\n`;
}

/** Waits until the operator interrupts. @throws CommandFailure where the connection is gone first, and the lease with it */
async function hold(daemon: Daemon, { lease, userName }: AcquireReply, interruption: AbortSignal): Promise<void> {
  const interrupted = new Promise<void>(resolve => {
    interruption.addEventListener('abort', () => resolve(), { once: true });
  });
  if (!interruption.aborted) {
    await Promise.race([interrupted, daemon.closed]);
  }
  if (!interruption.aborted) {
    throw new CommandFailure(`the daemon went away: the lease ${lease} of ${printable(userName)} has ended`);
  }
}
