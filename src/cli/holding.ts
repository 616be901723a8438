/**
 * A lease that lasts as long as this command: held until an interruption, over restarts of the daemon too, since the next
 * one gives it back to the process that acquired it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Acquired } from './acquire-replies.ts';
import { type Daemon, isErrorReply, withDaemon } from './daemon.ts';
import { CommandFailure } from './failure.ts';
import { RETURN_DEADLINE_MS, RETURN_RETRY_MS } from './limits.ts';
import type { ProcessIo } from './process-io.ts';
import { printable } from './render/text.ts';

type Held = Pick<Acquired, 'lease' | 'userName'>;

/** @throws CommandFailure where the lease has ended, or the daemon does not come back */
export async function hold(io: ProcessIo, daemon: Daemon, held: Held, interruption: AbortSignal): Promise<void> {
  const interrupted = new Promise<void>(resolve => {
    interruption.addEventListener('abort', () => resolve(), { once: true });
  });
  if (!interruption.aborted) {
    await Promise.race([interrupted, daemon.closed]);
  }
  if (!interruption.aborted) {
    await takeBack(io, held, interruption);
  }
}

async function takeBack(io: ProcessIo, held: Held, interruption: AbortSignal): Promise<void> {
  const deadline = performance.now() + RETURN_DEADLINE_MS;
  const who = `the lease ${held.lease} of ${printable(held.userName)}`;
  while (!interruption.aborted) {
    let claimed = false;
    try {
      await withDaemon(io, async next => {
        await next.call('io.dynuser.Allocator.Claim', { lease: held.lease });
        claimed = true;
        await hold(io, next, held, interruption);
      });
      return;
    } catch (error) {
      if (claimed) {
        throw error;
      }
      if (isErrorReply(error, 'io.dynuser.Allocator.NoSuchLease')) {
        throw new CommandFailure(`the daemon went away: ${who} has ended`, 1, error);
      }
      if (performance.now() > deadline) {
        const seconds = RETURN_DEADLINE_MS / 1000;
        const words = `the daemon went away and is not back after ${seconds} s: ${who} ends when it comes back`;
        throw new CommandFailure(words, 1, error);
      }
    }
    await sleep(RETURN_RETRY_MS);
  }
}
