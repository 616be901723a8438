/** Runs a bounded number of jobs at a time; the others wait in the order in which they came. */
export function slots(count: number): <T>(job: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async job => {
    if (free > 0) {
      free--;
    } else {
      // The slot is handed on by whoever ends, so nobody who comes meanwhile gets it.
      await new Promise<void>(resolve => waiting.push(resolve));
    }
    try {
      return await job();
    } finally {
      const next = waiting.shift();
      if (next === undefined) {
        free++;
      } else {
        next();
      }
    }
  };
}
