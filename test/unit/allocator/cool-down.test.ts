/** UIDs that were freed a moment ago, and whom they are kept from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoolDown } from '../../../src/allocator/cool-down.ts';
import { COOLING_MAX } from '../../../src/core/limits.ts';
import { uid, userName } from './fakes.ts';

const [ONE, OTHER] = [uid(61_200), uid(61_201)];
const [WEB, MAIL] = [userName('web'), userName('mail')];

function coolDown(durationMs: number) {
  const clock = { time: 0, now: () => 0, monotonic: () => clock.time };
  const settings = { durationMs };
  return { clock, settings, cooling: new CoolDown(clock, settings) };
}

test('a UID is kept from other names for its time, and from its own never', () => {
  const { clock, cooling } = coolDown(1_000);
  cooling.freed(ONE, WEB);
  for (const time of [0, 999]) {
    clock.time = time;
    assert.equal(cooling.formerUser(ONE, MAIL), WEB);
    assert.equal(cooling.formerUser(ONE, WEB), undefined);
    assert.equal(cooling.formerUser(OTHER, MAIL), undefined);
    assert.equal(cooling.isCooling, true);
  }
  clock.time = 1_000;
  assert.equal(cooling.isCooling, false);
  assert.equal(cooling.formerUser(ONE, MAIL), undefined);
});

test('a UID that is freed again cools down anew, for whoever had it last', () => {
  const { clock, cooling } = coolDown(1_000);
  cooling.freed(ONE, WEB);
  clock.time = 600;
  cooling.freed(ONE, MAIL);
  clock.time = 1_200;
  assert.equal(cooling.formerUser(ONE, WEB), MAIL);
  assert.equal(cooling.formerUser(ONE, MAIL), undefined);
});

test('as long as one of several cools down, something does', () => {
  const { clock, cooling } = coolDown(1_000);
  cooling.freed(ONE, WEB);
  clock.time = 500;
  cooling.freed(OTHER, MAIL);
  clock.time = 1_000;
  assert.equal(cooling.isCooling, true);
  clock.time = 1_500;
  assert.equal(cooling.isCooling, false);
});

test('the time may change: what is freed from then on has the new one, and with 0 nothing cools down', () => {
  const { clock, settings, cooling } = coolDown(0);
  cooling.freed(ONE, WEB);
  assert.deepEqual([cooling.isCooling, cooling.formerUser(ONE, MAIL)], [false, undefined]);
  settings.durationMs = 10;
  cooling.freed(ONE, WEB);
  settings.durationMs = 0;
  clock.time = 9;
  assert.equal(cooling.formerUser(ONE, MAIL), WEB, 'it keeps the time that it was given');
});

test('what has cooled down is forgotten when others are freed, and of too many the first', () => {
  const { clock, cooling } = coolDown(1_000);
  const first = 100_000;
  for (let index = 0; index <= COOLING_MAX; index++) {
    cooling.freed(uid(first + index), WEB);
  }
  assert.deepEqual(
    [0, 1, COOLING_MAX].map(index => cooling.formerUser(uid(first + index), MAIL)),
    [undefined, WEB, WEB],
  );
  clock.time = 1_000;
  cooling.freed(ONE, WEB);
  clock.time = 500;
  assert.equal(cooling.formerUser(uid(first + COOLING_MAX), MAIL), undefined, 'it was forgotten, not only over');
});
