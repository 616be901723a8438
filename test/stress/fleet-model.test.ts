/**
 * The model of the fleet protocol, test/model/fleet.pml: every state of its larger worlds is searched, and each of its mutants, in which a
 * step is missing or in the wrong place, is found to do harm.
 */
// time limit: 900 s
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertHolds, MODEL } from '../support/fleet-model.ts';
import { search } from '../support/model.ts';

/** Each with the world in which it does harm. */
const MUTANTS: Readonly<Record<string, readonly string[]>> = {
  M_HOLD_BEFORE_RECORD: [],
  M_COLLECT_LATER: [],
  M_LEASE_STAYS: [],
  M_TRUST_BOOT: ['WITH_FENCING'],
  M_FENCE_WHAT_RUNS: ['WITH_FENCING'],
  M_RETURN_WITHOUT_LOOKING: ['WITH_FENCING'],
  M_COLLECT_WHAT_HAS_FILES: ['WITH_DIRECTORY'],
  M_DIRECTORY_OF_ANYONE: ['WITH_DIRECTORY'],
  M_CLAIM_FROM_BACKUP: ['WITH_BACKUP'],
  M_JOIN_FROM_BACKUP: ['WITH_BACKUP'],
  M_RESUME_EARLY: ['WITH_BACKUP'],
  M_RESUME_WITH_CONFLICTS: ['WITH_BACKUP'],
  M_TRUST_BACKUP: ['WITH_BACKUP', 'WITH_FENCING'],
  M_FORGET_WHAT_IS_USED: ['WITH_TASKS'],
  M_TAKE_UP_BY_THE_LIST: ['WITH_TASKS'],
  M_FORGET_WHATEVER_IS_HELD: ['WITH_TASKS'],
  M_LEAVE_WHILE_HOLDING: ['WITH_TASKS'],
  M_LEAVE_WHILE_LISTING: ['WITH_TASKS'],
};

describe('the protocol of a fleet holds in every state', () => {
  it('of hosts that boot, one that is fenced, and a shared directory', () =>
    assertHolds(['WITH_BOOTS', 'WITH_FENCING', 'WITH_DIRECTORY']));
  it('of a store that is put back from a backup', () => assertHolds(['WITH_BACKUP']));
});

describe('a mutant of the protocol is found out', () => {
  for (const [mutant, world] of Object.entries(MUTANTS)) {
    it(`${mutant} ${world.join(' ')}`, () => {
      assert.match(search(MODEL, [mutant, ...world]).violated ?? 'nothing', /assertion violated/);
    });
  }

  it('and none of them is left out here', () => {
    const named = new Set(readFileSync(MODEL, 'utf8').match(/\bM_[A-Z_]+\b/g));
    assert.deepEqual([...named].sort(), Object.keys(MUTANTS).sort());
  });
});
