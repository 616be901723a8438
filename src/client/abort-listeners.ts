/**
 * Who waits for an AbortSignal. Node warns of a leak from the eleventh listener of one signal on, and a hundred calls at
 * once may share one: so each signal gets a single listener, which tells all that wait.
 */

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * @param told called once, when the signal is aborted after this call; one that is aborted already calls nobody
 * @returns takes the listener back
 */
export function onAbort(signal: AbortSignal, told: () => void): () => void {
  const listeners = waiting.get(signal) ?? listen(signal);
  // A function of its own for each, so that the same one may be given twice.
  const listener = () => told();
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** The listener stays with its signal, without holding anything but the set, which is empty when nobody waits. */
function listen(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  waiting.set(signal, listeners);
  signal.addEventListener(
    'abort',
    () => {
      const told = [...listeners];
      listeners.clear();
      for (const listener of told) {
        listener();
      }
    },
    { once: true },
  );
  return listeners;
}
