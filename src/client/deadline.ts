/** Waits that end in time, or when the caller is no longer interested. */
import { setMaxListeners } from 'node:events';
import { DynuserError } from './errors.ts';

export interface Deadline {
  /** what is waited for, for the words of the error */
  readonly what: string;
  /** milliseconds; absent for a wait for what may never happen, which its signals alone end */
  readonly timeoutMs?: number;
  /** any of them ends the wait, with its reason */
  readonly signals: readonly AbortSignal[];
}

export class Wait {
  /** aborted when it has ended, however it ended: what was begun for it alone may stop */
  readonly signal: AbortSignal;
  readonly #deadline: Deadline;
  readonly #ending = new AbortController();
  readonly #ended: Promise<never>;
  #reject: (reason: unknown) => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(deadline: Deadline) {
    this.#deadline = deadline;
    this.signal = this.#ending.signal;
    this.#ended = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // Nobody may be racing it when it ends.
    this.#ended.catch(() => {});
    for (const signal of deadline.signals) {
      // Any number of calls may share a signal: that is not a leak, of which Node would warn from the eleventh on.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', this.#abort, { once: true, signal: this.signal });
    }
    this.#abort();
    this.restart();
  }

  /** The time begins anew. */
  restart(): void {
    const { timeoutMs, what } = this.#deadline;
    clearTimeout(this.#timer);
    if (timeoutMs !== undefined && !this.signal.aborted) {
      const expire = () => this.#reject(new DynuserError('Timeout', `${what}: no answer within ${timeoutMs} ms`));
      this.#timer = setTimeout(expire, timeoutMs);
    }
  }

  /** @throws DynuserError Timeout, or the reason of a signal */
  for<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#ended, promise]);
  }

  /** Must be called in the end. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#ending.abort();
  }

  readonly #abort = (): void => {
    const aborted = this.#deadline.signals.find(signal => signal.aborted);
    if (aborted !== undefined) {
      this.#reject(aborted.reason);
    }
  };
}

/** @throws DynuserError Timeout, the reason of a signal, or what the work throws */
export async function within<T>(deadline: Deadline, work: (wait: Wait) => Promise<T>): Promise<T> {
  const wait = new Wait(deadline);
  try {
    return await wait.for(work(wait));
  } finally {
    wait.dispose();
  }
}
