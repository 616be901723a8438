import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusyPoll } from '../../../src/host/busy-poll.ts';

/** Time and turns of an event loop that the test makes. */
function loop() {
  const state: { now: number; turn: (() => void) | undefined; yields: number } = { now: 0, turn: undefined, yields: 0 };
  const poll = new BusyPoll({
    now: () => state.now,
    soon: turn => {
      assert.equal(state.turn, undefined, 'one turn at a time');
      state.turn = turn;
    },
    yieldProcessor: () => {
      state.yields++;
    },
  });
  /** @returns whether the loop is awake after a request at that time */
  const askAt = (now: number): boolean => {
    state.now = now;
    poll.asked();
    return state.turn !== undefined;
  };
  /** @returns whether it still is after a turn at that time */
  const turnAt = (now: number): boolean => {
    state.now = now;
    const { turn } = state;
    state.turn = undefined;
    turn?.();
    return state.turn !== undefined;
  };
  return { state, askAt, turnAt };
}

test('a request alone, and one long after another, let the loop sleep', () => {
  const { askAt } = loop();
  assert.equal(askAt(0), false);
  assert.equal(askAt(1.01), false);
});

test('after one that came soon after another, the loop stays awake for a short time, and yields in each turn', () => {
  const { state, askAt, turnAt } = loop();
  askAt(0);
  assert.equal(askAt(1), true);
  assert.equal(turnAt(1.05), true);
  assert.equal(turnAt(1.09), true);
  assert.equal(state.yields, 2);
  assert.equal(turnAt(1.1), false);
  assert.equal(state.yields, 2);
});

test('the time begins anew with each request that comes meanwhile', () => {
  const { askAt, turnAt } = loop();
  askAt(0);
  askAt(1);
  askAt(1.08);
  assert.equal(turnAt(1.17), true);
  askAt(1.17);
  assert.equal(turnAt(1.26), true);
  assert.equal(turnAt(1.28), false);
});

/** Requests a millisecond apart, of which the loop finds none by staying awake. @returns the time of the last */
function inVain(on: ReturnType<typeof loop>, from: number, count: number): number {
  let now = from;
  for (let look = 0; look < count; look++) {
    now += 1;
    assert.equal(on.askAt(now), true, `look ${look} in vain`);
    assert.equal(on.turnAt(now + 0.1), false);
  }
  return now;
}

test('after eight looks in vain the loop sleeps for a while, however many requests come', () => {
  const on = loop();
  on.askAt(0);
  const last = inVain(on, 0, 8);
  for (let after = 0.5; after < 10; after += 0.5) {
    assert.equal(on.askAt(last + after), false, `${after} ms after the last`);
  }
  assert.equal(on.askAt(last + 10.2), true);
});

test('a look that found something makes up for those before it', () => {
  const on = loop();
  on.askAt(0);
  const before = inVain(on, 0, 7) + 1;
  on.askAt(before);
  on.askAt(before + 0.05);
  assert.equal(on.turnAt(before + 0.2), false);
  inVain(on, before, 7);
});
