/**
 * Any number of listeners for one AbortSignal. Node warns of a leak from the eleventh listener of a signal on, and a
 * hundred calls at once may share one: so each signal gets a single listener, which calls all others.
 */

const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * @param listener called once, when the signal is aborted after this call; never if it is aborted already
 * @returns a function that removes the listener
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const listeners = listenersOf.get(signal) ?? listen(signal);
  // Wrapped, so that the same function may be given twice.
  const entry = () => listener();
  listeners.add(entry);
  return () => {
    listeners.delete(entry);
  };
}

/** The listener stays with its signal, and holds nothing but the set, which is empty when nobody waits. */
function listen(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  listenersOf.set(signal, listeners);
  signal.addEventListener(
    'abort',
    () => {
      const current = [...listeners];
      listeners.clear();
      for (const listener of current) {
        listener();
      }
    },
    { once: true },
  );
  return listeners;
}
