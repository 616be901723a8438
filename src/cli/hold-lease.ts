/** Holds a lease that lasts as long as this command, over restarts of the daemon too: the client claims it from the next. */
import type { Client } from '../client/client.ts';
import type { HeldLease } from '../client/held-lease.ts';
import { CommandFailure } from './failure.ts';
import { RETURN_DEADLINE_MS } from './limits.ts';
import { printable } from './render/text.ts';

/**
 * @returns at the interruption
 * @throws CommandFailure if the lease is lost, or the daemon went away and does not come back in time
 */
export async function holdLease(client: Client, lease: HeldLease, interruption: AbortSignal): Promise<void> {
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
