/** The fuzz targets in C (test/native/fuzz/): built and run with libFuzzer, ASan and UBSan. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { FOUND_DIRECTORY } from './fuzz.ts';

export const NATIVE_TARGETS = ['nss-reply', 'json-reader', 'launch-plan', 'helper-protocol', 'fleet-snapshot'] as const;

/** Bounds on one input: bytes, seconds, MiB. */
const INPUT_BYTES_MAX = 4_096;
const INPUT_TIME_MAX_SEC = 30;
const MEMORY_MAX_MIB = 2_048;

/** @returns the file name of a target's program */
export function programOf(target: string): string {
  return target.replaceAll('-', '_');
}

export function buildNative(): void {
  execFileSync('make', ['-s', '-C', `${CHECKOUT}native`, 'fuzz-targets'], { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Runs libFuzzer, which says itself what it does. @returns whether nothing was found */
export function fuzzNative(target: string, effort: { seed: number; seconds: number; runs: number }): boolean {
  // Kept from run to run on this machine; what is in the repository is read beside it.
  const grown = `${CHECKOUT}dist/fuzz/corpus/${target}`;
  mkdirSync(grown, { recursive: true });
  mkdirSync(FOUND_DIRECTORY, { recursive: true });
  const options = [
    `-seed=${effort.seed}`,
    `-max_total_time=${effort.seconds}`,
    `-runs=${Number.isFinite(effort.runs) ? effort.runs : -1}`,
    ...[`-max_len=${INPUT_BYTES_MAX}`, `-timeout=${INPUT_TIME_MAX_SEC}`, `-rss_limit_mb=${MEMORY_MAX_MIB}`],
    ...[`-artifact_prefix=${FOUND_DIRECTORY}/${target}-`, '-print_final_stats=1', '-verbosity=0'],
  ];
  return run(target, [...options, grown, `${CHECKOUT}test/fuzz/corpus/${target}`]);
}

/** Tries one input. @returns whether nothing is found with it */
export function replayNative(target: string, file: string): boolean {
  return run(target, [file]);
}

function run(target: string, args: readonly string[]): boolean {
  const program = `${CHECKOUT}dist/fuzz/${programOf(target)}`;
  return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
