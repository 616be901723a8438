/**
 * `npm run fuzz -- TARGET|all SECONDS [--seed=N] [--runs=N]`: gives a target, or each of all, so many seconds. Exit status 0 if nothing was
 * found. What was found is written to dist/fuzz/found; `npm run fuzz -- TARGET --replay FILE` tries it again.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { buildNative, fuzzNative, NATIVE_TARGETS, replayNative } from './native.ts';
import { TARGETS } from './target.ts';
import type { Target } from './targets/types.ts';

const NAMES: readonly string[] = [...TARGETS.map(target => target.name), ...NATIVE_TARGETS];
const SECONDS_MAX = 86_400;
const USAGE = `usage: npm run fuzz -- TARGET SECONDS [--seed=N] [--runs=N]
       npm run fuzz -- TARGET --replay FILE
targets: all, ${NAMES.join(', ')}`;

function usage(reason: string): never {
  process.stderr.write(`fuzz: ${reason}\n${USAGE}\n`);
  process.exit(2);
}

function numberOf(text: string | undefined, what: string, most: number, otherwise?: number): number {
  if (text === undefined && otherwise !== undefined) {
    return otherwise;
  }
  const number = /^\d{1,15}$/.test(text ?? '') ? Number(text) : Number.NaN;
  return number <= most ? number : usage(`${what} must be a number from 0 to ${most}`);
}

async function fuzzOne(target: Target, effort: { seed: number; seconds: number; runs: number }): Promise<boolean> {
  const { runs, outcomes, found } = await fuzz(target, effort);
  process.stdout.write(`${target.name}: seed ${effort.seed}, ${runs} executions, ${outcomes} outcomes\n`);
  if (found === undefined) {
    return true;
  }
  const words = found.error instanceof Error ? found.error.stack : String(found.error);
  process.stdout.write(`${words}\nfound by ${found.file}: npm run fuzz -- ${target.name} --replay ${found.file}\n`);
  return false;
}

async function replay(name: string, file: string): Promise<boolean> {
  const target = TARGETS.find(known => known.name === name);
  if (target === undefined) {
    buildNative();
    return replayNative(name, file);
  }
  const trial = await target.start();
  try {
    process.stdout.write(`${name}: ${await trial.run(readFileSync(file))}\n`);
    return true;
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return false;
  } finally {
    trial.close?.();
  }
}

async function fuzzAll(
  names: readonly string[],
  effort: { seed: number; seconds: number; runs: number },
): Promise<boolean> {
  if (names.some(name => !TARGETS.some(target => target.name === name))) {
    buildNative();
  }
  let sound = true;
  for (const name of names) {
    const target = TARGETS.find(known => known.name === name);
    process.stdout.write(`${name}: ${effort.seconds} s\n`);
    sound = (target === undefined ? fuzzNative(name, effort) : await fuzzOne(target, effort)) && sound;
  }
  return sound;
}

const { values, positionals } = parseArgs({
  options: { seed: { type: 'string' }, runs: { type: 'string' }, replay: { type: 'string' } },
  allowPositionals: true,
});
const [name = '', seconds] = positionals;
if (name !== 'all' && !NAMES.includes(name)) {
  usage(name === '' ? 'which target?' : `there is no target ${name}`);
}
const seed = numberOf(values.seed, '--seed', 0xffff_ffff, randomInt(1, 0x7fff_ffff));
const runs = numberOf(values.runs, '--runs', Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY);
const sound =
  values.replay === undefined
    ? await fuzzAll(name === 'all' ? NAMES : [name], { seed, runs, seconds: numberOf(seconds, 'SECONDS', SECONDS_MAX) })
    : await replay(name, values.replay);
process.exitCode = sound ? 0 : 1;
