import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdleWatch } from '../../../src/allocator/idle.ts';

/** A watch over a minute, whose looks the test makes. */
function watched() {
  const state = { now: 0, busy: false, begun: 0, idle: 0 };
  const watch = new IdleWatch({
    clock: { monotonic: () => state.now },
    idleMs: 60_000,
    busy: () => state.busy,
    begun: () => state.begun,
    onIdle: () => {
      state.idle++;
    },
  });
  const lookAt = (now: number) => {
    state.now = now;
    watch.poll();
    return state.idle;
  };
  return { state, watch, lookAt };
}

test('a daemon is idle after the whole time, and that is said once', () => {
  const { lookAt } = watched();
  assert.equal(lookAt(59_999), 0);
  assert.equal(lookAt(60_000), 1);
});

test('what is under way, and what was over between two looks, begins the time anew', () => {
  const { state, watch, lookAt } = watched();
  state.busy = true;
  assert.equal(lookAt(60_000), 0);
  state.busy = false;
  assert.equal(lookAt(119_999), 0);
  state.begun++;
  assert.equal(lookAt(120_000), 0);
  assert.equal(lookAt(179_999), 0);
  assert.equal(lookAt(180_000), 1);
  watch.stop();
});
