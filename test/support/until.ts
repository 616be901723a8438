/** The one way in which a test waits for something that nobody announces. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Ample for what takes milliseconds on a quiet machine: several tests share its processors. */
const LIMIT_MS = 30_000;
/** Between two looks, at least, in milliseconds. */
const POLL_MS = 10;

/**
 * Polls until the condition holds. It waits twice as long as a look takes before the next one: many looks start a program, and
 * what the test waits for needs the processor.
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
  const deadline = Date.now() + limitMs;
  for (let looked = performance.now(); !(await condition()); looked = performance.now()) {
    if (Date.now() > deadline) {
      throw new Error(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(Math.max(POLL_MS, 2 * (performance.now() - looked)));
  }
}
