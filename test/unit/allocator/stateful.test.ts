/**
 * Whatever happens, in whatever order: requests, alone and at the same time, releases, claims, kills at any step, strangers, a full
 * registry, and time. What failed is printed as the shortest sequence that does, with the seed that finds it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { actions } from './stateful/actions.ts';
import { World } from './stateful/world.ts';

/** The stress tier sets DYNUSER_STATEFUL_RUNS; a seed that was printed goes into DYNUSER_STATEFUL_SEED. */
const RUNS = Number(process.env['DYNUSER_STATEFUL_RUNS'] ?? 150);
const SEED = process.env['DYNUSER_STATEFUL_SEED'];
const ACTIONS_MAX = 40;

test(`the allocator holds in ${RUNS} random histories`, async () => {
  const history = fc.asyncProperty(actions(ACTIONS_MAX), async list => {
    const world = new World();
    try {
      for (const action of list) {
        await world.carryOut(action);
      }
    } finally {
      world.stop();
    }
  });
  const result = await fc.check(history, { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) });
  if (result.failed) {
    const { seed, counterexample, errorInstance: error } = result;
    const list = (counterexample?.[0] ?? []).map(action => JSON.stringify(action)).join('\n');
    assert.fail(`seed ${seed}:\n${list}\n${error instanceof Error ? error.stack : String(error)}`);
  }
});
