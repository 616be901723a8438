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

export interface Wait {
  /** aborted when it has ended, however it ended: what was begun for it alone may stop */
  readonly signal: AbortSignal;
  /** The time begins anew. */
  restart(): void;
}

/** @throws DynuserError Timeout, the reason of a signal, or what the work throws */
export async function within<T>({ what, timeoutMs, signals }: Deadline, work: (wait: Wait) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  let reject: (reason: unknown) => void = () => {};
  const ended = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  // Nobody may be racing it when it ends.
  ended.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const restart = (): void => {
    clearTimeout(timer);
    if (timeoutMs !== undefined && !ending.signal.aborted) {
      const expire = () => reject(new DynuserError('Timeout', `${what}: no answer within ${timeoutMs} ms`));
      timer = setTimeout(expire, timeoutMs);
    }
  };
  const abort = (): void => {
    const aborted = signals.find(signal => signal.aborted);
    if (aborted !== undefined) {
      reject(aborted.reason);
    }
  };
  for (const signal of signals) {
    // Any number of calls may share a signal: that is not a leak, of which Node would warn from the eleventh on.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', abort, { once: true, signal: ending.signal });
  }
  abort();
  restart();
  try {
    return await Promise.race([ended, work({ signal: ending.signal, restart })]);
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}
