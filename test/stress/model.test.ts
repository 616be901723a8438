/**
 * The model of the allocation and lock protocol, test/model/uid-lock.pml: every state of it is searched, and each of its
 * mutants, in which a step is missing or in the wrong place, is found to do harm.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { readSearch, search } from '../support/model.ts';

const MODEL = `${CHECKOUT}test/model/uid-lock.pml`;
/** The first state of a model that does nothing is one state: a search with less than this saw next to nothing. */
const STATES_MIN = 50_000;

/** A UID that has two names, or a name that has two UIDs. */
const TWO = /assertion violated\s+!\( ?!.*systemdUser/;
/** Something is ended for a UID that is systemd's. */
const ENDED = /assertion violated \( ?!\(systemdProcess\)&& !\(systemdUser\)\)/;

const MUTANTS: Readonly<Record<string, RegExp>> = {
  M_NO_RECHECK: TWO,
  M_PROBE_BEFORE_LOCK: TWO,
  M_NO_PWD_LOCK: TWO,
  M_PWD_UNLOCK_BEFORE_PUBLISH: TWO,
  M_CLOSE_BEFORE_UNLINK: TWO,
  M_STORE_AFTER_COMMIT: TWO,
  M_NO_STORE: TWO,
  M_UNLOCK_BEFORE_REAP: ENDED,
  M_STORED_NOT_CHECKED: ENDED,
  M_SWEEP_WITHOUT_LOCK: TWO,
  'M_END_WHAT_IS_LOST WITH_LOSS': ENDED,
  'M_RELOCK_NEW_FILE WITH_LOSS': ENDED,
  'M_PUBLISH_WHAT_IS_LOST WITH_LOSS': TWO,
};

describe('the protocol of allocation and locks', () => {
  /** Without a loss the stored lock is always there, so that none is taken anew. */
  const onlyAfterLoss = ['store = dynuserdFile'];
  const worlds: [string, string[], string[]][] = [
    ['two allocators and a daemon that is killed at every step', [], onlyAfterLoss],
    ['a stranger who locks files as well', ['WITH_STRANGER'], onlyAfterLoss],
    ['an account that is made meanwhile', ['WITH_USERADD'], onlyAfterLoss],
    ['stored locks that get lost', ['WITH_LOSS'], []],
  ];
  for (const [what, defines, unreached] of worlds) {
    it(`holds in every state: ${what}`, () => {
      const found = search(MODEL, defines);
      assert.deepEqual(
        { violated: found.violated, complete: found.complete, unreached: found.unreached },
        { violated: undefined, complete: true, unreached },
      );
      assert.ok(found.states >= STATES_MIN, `${found.states} states`);
    });
  }

  it('ends in no state in which a step would have to come', () => {
    const { violated, complete } = search(MODEL, [], false);
    assert.deepEqual({ violated, complete }, { violated: undefined, complete: true });
  });
});

describe('a mutant of the protocol is found out', () => {
  for (const [mutant, harm] of Object.entries(MUTANTS)) {
    it(mutant, () => {
      assert.match(search(MODEL, mutant.split(' ')).violated ?? 'nothing', harm);
    });
  }

  it('and none of them is left out here', () => {
    const named = new Set(readFileSync(MODEL, 'utf8').match(/\bM_[A-Z_]+\b/g));
    const listed = new Set(Object.keys(MUTANTS).map(mutant => mutant.split(' ')[0]));
    assert.deepEqual([...named].sort(), [...listed].sort());
  });
});

it('a search that ended early is told from one that found nothing', () => {
  const whole = 'State-vector 100 byte, depth reached 9, errors: 0\n    94217 states, stored\n';
  assert.deepEqual(readSearch(whole), { violated: undefined, complete: true, states: 94_217, unreached: [] });
  assert.equal(readSearch(`error: max search depth too small\n${whole}`).complete, false);
  assert.equal(readSearch(`pan: reached -DMEMLIM bound\n${whole}`).complete, false);
  assert.equal(
    readSearch('pan:1: invalid end state (at depth 4)\n'.concat(whole)).violated,
    'invalid end state (at depth 4)',
  );
  assert.deepEqual(readSearch(`${whole}\tm.pml:301, state 71, "u = 0"\n\tm.pml:352, state 191, "-end-"\n`).unreached, [
    'u = 0',
  ]);
  assert.throws(() => readSearch('Segmentation fault'), /not a result/);
});
