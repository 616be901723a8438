/**
 * When V8 optimizes what is called often. By itself it waits for thousands of calls, as suits a program whose start is its work. The first
 * launches would wait for the optimizing compiler, which takes processors from the services that they start: it begins later with
 * them. Afterwards it begins sooner (benchmarks/README.md).
 */
import { setFlagsFromString } from 'node:v8';

/** In milliseconds: the first launches, for which the daemon was started, are over, and so is the start of the host. */
export const DELAY_MS = 60_000;

interface TierUpFlags {
  readonly node: number;
  readonly first: readonly string[];
  readonly later: readonly string[];
}

/** Flags are V8's own, and change with it: an unknown one is no more than a line in the log, yet each version gets its own. */
const FLAGS_SINCE: readonly TierUpFlags[] = [
  { node: 22, first: [], later: ['--invocation-count-for-maglev=50', '--invocation-count-for-turbofan=200'] },
  // In bytes of bytecode that a function runs through: eight times the usual 67,584, then a thirteenth.
  { node: 20, first: ['--interrupt-budget=540672'], later: ['--interrupt-budget=5000'] },
];

/** To be called before the daemon starts. */
export function tierUpLate(): void {
  set(flagsOfThisNode()?.first);
}

export function tierUpSooner(): void {
  set(flagsOfThisNode()?.later);
}

/** To be called when the daemon is ready. */
export function tierUpSoonerLater(): void {
  setTimeout(tierUpSooner, DELAY_MS).unref();
}

function flagsOfThisNode(): TierUpFlags | undefined {
  const major = Number.parseInt(process.versions.node, 10);
  return FLAGS_SINCE.find(({ node }) => major >= node);
}

function set(flags: readonly string[] = []): void {
  for (const flag of flags) {
    setFlagsFromString(flag);
  }
}
