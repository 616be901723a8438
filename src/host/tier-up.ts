/**
 * Has V8 optimize sooner what is called often: by itself it waits for thousands of calls, as suits a program whose start is its
 * work. But not from the start: the first launches would wait for the optimizing compiler (benchmarks/README.md).
 */
import { setFlagsFromString } from 'node:v8';

/** In milliseconds: the first launches, for which the daemon was started, are over. */
export const DELAY_MS = 10_000;

/** Flags are V8's own, and change with it: an unknown one is no more than a line in the log, yet each version gets its own. */
const FLAGS_SINCE: readonly { readonly node: number; readonly flags: readonly string[] }[] = [
  { node: 22, flags: ['--invocation-count-for-maglev=50', '--invocation-count-for-turbofan=200'] },
  // In bytes of bytecode that a function runs through, a thirteenth of what is usual.
  { node: 20, flags: ['--interrupt-budget=5000'] },
];

export function tierUpSooner(): void {
  const major = Number.parseInt(process.versions.node, 10);
  for (const flag of FLAGS_SINCE.find(({ node }) => major >= node)?.flags ?? []) {
    setFlagsFromString(flag);
  }
}

/** To be called when the daemon is ready. */
export function tierUpLater(): void {
  setTimeout(tierUpSooner, DELAY_MS).unref();
}
