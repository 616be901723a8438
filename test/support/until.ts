/** The one way in which a test waits for something that nobody announces. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Ample for what takes milliseconds on a quiet machine: several tests share its processors. */
const LIMIT_MS = 30_000;
const POLL_MS = 10;

/**
 * Polls until the condition holds.
 *
 * @param what names the condition in the error, such as 'the user is gone'; a function is called if it does not hold in time
 * @param limitMs how long to wait
 * @throws Error if the condition does not hold in time
 */
export async function until(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  limitMs = LIMIT_MS,
): Promise<void> {
  for (const deadline = Date.now() + limitMs; !(await condition()); await sleep(POLL_MS)) {
    if (Date.now() > deadline) {
      throw new Error(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    }
  }
}
