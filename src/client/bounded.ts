/** Waits that end: with their time, or when the caller loses interest. */
import { onAbort } from './abort-listeners.ts';
import { DynuserError } from './errors.ts';

export interface Patience {
  /** what is waited for, for the words of the error */
  readonly what: string;
  /** milliseconds; absent for a wait for what may never happen, which its signals alone end */
  readonly timeoutMs?: number;
  /** any of them ends the wait, with its reason */
  readonly signals: readonly AbortSignal[];
}

export class Wait {
  /** aborted when the wait is over, however it ended: what was begun for it alone may stop */
  readonly over: AbortSignal;
  readonly #patience: Patience;
  readonly #over = new AbortController();
  readonly #ended: Promise<never>;
  #reject: (reason: unknown) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  readonly #unlisten: readonly (() => void)[];

  constructor(patience: Patience) {
    this.#patience = patience;
    this.over = this.#over.signal;
    this.#ended = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // Nobody may be racing it when it ends.
    this.#ended.catch(() => {});
    this.#unlisten = patience.signals.map(signal => onAbort(signal, this.#abort));
    this.#abort();
    this.restart();
  }

  /** The time begins anew. */
  restart(): void {
    const { timeoutMs, what } = this.#patience;
    clearTimeout(this.#timer);
    if (timeoutMs !== undefined && !this.over.aborted) {
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
    for (const unlisten of this.#unlisten) {
      unlisten();
    }
    this.#over.abort();
  }

  readonly #abort = (): void => {
    const aborted = this.#patience.signals.find(signal => signal.aborted);
    if (aborted !== undefined) {
      this.#reject(aborted.reason);
    }
  };
}

/** @throws DynuserError Timeout, the reason of a signal, or what the work throws */
export async function within<T>(patience: Patience, work: (wait: Wait) => Promise<T>): Promise<T> {
  const wait = new Wait(patience);
  try {
    return await wait.for(work(wait));
  } finally {
    wait.dispose();
  }
}
