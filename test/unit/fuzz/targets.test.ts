/** The fuzz targets hold for all inputs of their corpora, and for some that are made of these, the same in each run. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { corpusOf, fuzz } from '../../fuzz/fuzz.ts';
import { mutate, Random } from '../../fuzz/mutate.ts';
import { TARGETS } from '../../fuzz/target.ts';
import type { Target } from '../../fuzz/targets/types.ts';

const SEED = 20_261_127;
const MUTATIONS = 150;
const SECONDS_MAX = 30;
const CORPUS_MIN = 5;

for (const target of TARGETS) {
  it(`${target.name} holds`, async () => {
    const known = corpusOf(target.name);
    assert.ok(known.size >= CORPUS_MIN, `${known.size} inputs`);
    const { found, runs, outcomes } = await fuzz(target, {
      ...{ seed: SEED, seconds: SECONDS_MAX, runs: known.size + MUTATIONS },
    });
    assert.deepEqual(found, undefined, 'npm run fuzz tells more');
    assert.ok(runs >= known.size, `${runs} of ${known.size} inputs were tried within ${SECONDS_MAX} s`);
    // Were all inputs the same to the target, it would see nothing of them.
    assert.ok(outcomes >= 4, `${outcomes} outcomes`);
  });
}

describe('the fuzzer', () => {
  const broken = (run: (input: Buffer) => string): Target => ({
    ...{ name: 'json', pieces: ['needle'], bytesMax: 64, start: () => ({ run }) },
  });

  it('finds a promise that is broken, and writes down by which input', async () => {
    const target = broken(input => {
      assert.ok(!input.includes('needle'), 'found');
      return 'nothing';
    });
    const { found } = await fuzz(target, { seed: 1, seconds: SECONDS_MAX, runs: 10_000 });
    assert.ok(found !== undefined);
    assert.match(String(found.error), /found/);
    assert.ok(readFileSync(found.file).includes('needle'));
    rmSync(found.file);
  });

  it('keeps what has a new outcome, and changes it further', async () => {
    // Each of four steps is hit by chance; all four at once never are.
    const target = broken(input => {
      const steps = ['1', '12', '123', '1234'].filter(step => input.includes(`needle${step}`)).length;
      assert.notEqual(steps, 4);
      return String(steps);
    });
    const patient = { ...target, pieces: ['needle', '1', '2', '3', '4'] };
    const { found } = await fuzz(patient, { seed: 2, seconds: SECONDS_MAX, runs: 200_000 });
    assert.ok(found !== undefined);
    rmSync(found.file);
  });

  it('makes the same inputs of the same seed, within the bound', () => {
    const pool = [Buffer.from('abc'), Buffer.alloc(0)];
    const pieces = [Buffer.from('piece')];
    const inputs = (seed: number): string[] => {
      const random = new Random(seed);
      return Array.from({ length: 200 }, () => mutate(pool, pieces, random, 16).toString('latin1'));
    };
    assert.deepEqual(inputs(7), inputs(7));
    assert.notDeepEqual(inputs(7), inputs(8));
    assert.ok(new Set(inputs(7)).size > 50 && inputs(7).every(input => input.length <= 16));
  });
});
