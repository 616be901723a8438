/** Fuzzes one target in this process: mutates what is known, keeps what has a new outcome, and stops at the first promise that is broken. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { mutate, Random } from './mutate.ts';
import type { Target } from './targets/types.ts';
import { Watchdog } from './watchdog.ts';

export const FOUND_DIRECTORY = `${CHECKOUT}dist/fuzz/found`;
/** Inputs with a new outcome that are kept: past that they replace others. */
const POOL_MAX = 4_096;

export interface Effort {
  /** 0 … 2^32-1 */
  readonly seed: number;
  /** when to stop, whichever comes first */
  readonly seconds: number;
  readonly runs: number;
}

export interface Findings {
  readonly runs: number;
  readonly outcomes: number;
  /** the file of the input that broke a promise, and how */
  readonly found?: { readonly file: string; readonly error: unknown };
}

/** @returns the inputs of a target that are kept in the repository, by their paths */
export function corpusOf(name: string): Map<string, Buffer> {
  const directory = `${CHECKOUT}test/fuzz/corpus/${name}`;
  return new Map(
    readdirSync(directory)
      .sort()
      .map(file => [`${directory}/${file}`, readFileSync(`${directory}/${file}`)]),
  );
}

/** @returns the file that an input was written to */
export function keepFound(target: string, input: Buffer): string {
  mkdirSync(FOUND_DIRECTORY, { recursive: true });
  const file = `${FOUND_DIRECTORY}/${target}-${createHash('sha256').update(input).digest('hex').slice(0, 16)}`;
  writeFileSync(file, input);
  return file;
}

export async function fuzz(target: Target, { seed, seconds, runs: runsMax }: Effort): Promise<Findings> {
  const random = new Random(seed);
  const pool = [...corpusOf(target.name).values()];
  const pieces = target.pieces.map(piece => Buffer.from(piece, /[\x80-\xff]/.test(piece) ? 'latin1' : 'utf8'));
  const outcomes = new Set<string>();
  const trial = await target.start();
  const watchdog = new Watchdog(target.name, target.bytesMax);
  const end = Date.now() + seconds * 1_000;
  let runs = 0;
  // What an event throws reaches nobody who waits, and would end this process without a word of the input.
  const thrown: unknown[] = [];
  let fail = (_error: unknown): void => {};
  const uncaught = (error: unknown): void => {
    thrown.push(error);
    fail(error);
  };
  process.on('uncaughtException', uncaught);
  try {
    while (runs < runsMax && Date.now() < end) {
      const input = pool[runs] ?? mutate(pool, pieces, random, target.bytesMax);
      const fresh = runs >= pool.length;
      watchdog.begin(input);
      runs++;
      let outcome: string;
      try {
        const failed = new Promise<never>((_, reject) => {
          fail = reject;
        });
        outcome = await Promise.race([trial.run(input), failed]);
        // What comes late has time to come before the next input.
        await new Promise(setImmediate);
        if (thrown.length > 0) {
          throw thrown[0];
        }
      } catch (error) {
        return { runs, outcomes: outcomes.size, found: { file: keepFound(target.name, input), error } };
      }
      if (!outcomes.has(outcome) && fresh) {
        const at = pool.length < POOL_MAX ? pool.length : random.below(POOL_MAX);
        pool[at] = Buffer.from(input);
      }
      outcomes.add(outcome);
    }
    return { runs, outcomes: outcomes.size };
  } finally {
    process.off('uncaughtException', uncaught);
    await watchdog.stop();
    trial.close?.();
  }
}
