/** Searches of test/model/fleet.pml. */
import assert from 'node:assert/strict';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { search } from './model.ts';

export const MODEL = `${CHECKOUT}test/model/fleet.pml`;

/** A search with less than this saw next to nothing. */
const STATES_MIN = 50_000;

/** Statements that no state leads to in a world whose hosts are never off, and in one that looks only as it returns. */
const UNREACHED_WITHOUT_OFF = ['hasEnded[h] = 1', '(isUp[h])'];
const UNREACHED_WITHOUT_LOOK = ['(!(isUp[h]))', 'hasLooked[h] = 1'];

/** @throws AssertionError unless no state of a world violates the claim, every state was seen, and every statement was reached */
export function assertHolds(world: readonly string[]): void {
  const { violated, complete, states, unreached } = search(MODEL, world);
  const isOff = world.includes('WITH_BOOTS') || world.includes('WITH_FENCING');
  const missing = [
    ...(isOff ? [] : UNREACHED_WITHOUT_OFF),
    ...(world.includes('WITH_BOOTS') ? [] : UNREACHED_WITHOUT_LOOK),
  ];
  assert.deepEqual(
    { violated, complete, unreached: [...new Set(unreached)].filter(statement => !missing.includes(statement)) },
    { violated: undefined, complete: true, unreached: [] },
  );
  assert.ok(states >= STATES_MIN, `${states} states`);
}
