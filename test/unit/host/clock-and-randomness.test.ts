import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { asLeaseId } from '../../../src/core/ids.ts';
import { CLOCK, freshName, RANDOMNESS, RandomBytes } from '../../../src/host/clock-and-randomness.ts';

test('no bytes are given out twice, however many are taken, and who has some cannot change what others get', () => {
  const random = new RandomBytes();
  const taken = Array.from({ length: 2_000 }, (_, at) => random.take(at % 2 === 0 ? 16 : 24));
  assert.equal(new Set(taken.map(bytes => bytes.toString('hex').slice(0, 32))).size, 2_000);
  assert.ok(taken.every(({ length }, at) => length === (at % 2 === 0 ? 16 : 24)));
  const before = taken.map(bytes => bytes.toString('hex'));
  taken[0]?.fill(0);
  assert.equal(taken[1]?.toString('hex'), before[1]);
  assert.equal(random.take(4_096).length, 4_096);
});

test('all bytes are random, the first and the last of each draw from the kernel, too', () => {
  const random = new RandomBytes();
  for (let draw = 0; draw < 4; draw++) {
    const whole = random.take(4_096);
    // That 64 random bytes are all 0 does not happen.
    for (const part of [whole.subarray(0, 64), whole.subarray(-64)]) {
      assert.notDeepEqual(part, Buffer.alloc(64));
    }
  }
});

test('numbers use all of 32 bits, and ids and names are as long as they have to be, and never the same', () => {
  const numbers = Array.from({ length: 200 }, () => RANDOMNESS.uint32());
  assert.ok(numbers.every(number => Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff));
  // Of 200 random numbers, some have the highest bit, and some have it not: anything else does not happen.
  assert.ok(numbers.some(number => number >= 0x8000_0000) && numbers.some(number => number < 0x8000_0000));
  const ids = Array.from({ length: 200 }, () => RANDOMNESS.leaseId());
  assert.ok(ids.every(id => asLeaseId(id) !== undefined));
  assert.equal(new Set(ids).size, 200);
  const names = Array.from({ length: 200 }, freshName);
  assert.ok(names.every(name => /^[0-9a-f]{16}$/.test(name)));
  assert.equal(new Set(names).size, 200);
});

test('the clock says the time of day, and one that never goes back', () => {
  const before = [Date.now(), performance.now()] as const;
  const [now, monotonic] = [CLOCK.now(), CLOCK.monotonic()];
  assert.ok(now >= before[0] && now <= Date.now());
  assert.ok(monotonic >= before[1] && monotonic <= performance.now());
});

test('the time since the boot is the same in all processes', () => {
  const other = () => Number(execFileSync('python3', ['-c', 'import time; print(time.clock_gettime(1))'])) * 1_000;
  const before = other();
  const ours = CLOCK.sinceBoot();
  assert.ok(Number.isInteger(ours));
  assert.ok(ours >= Math.floor(before) && ours <= other(), `${before} ${ours}`);
});
