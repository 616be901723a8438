import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HandoverProgress } from '../../../src/allocator/directory-ports.ts';
import { heartbeat } from '../../../src/directories/apply/heartbeat.ts';

test('progress is told at once, and the last of it again in every silence', context => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const told: HandoverProgress[] = [];
  const beat = heartbeat('/var/lib/web', progress => told.push(progress), 5_000);
  const start = { publicPath: '/var/lib/web', inodes: 0, changed: 0 };
  const further = { publicPath: '/var/lib/web', inodes: 7, changed: 3 };
  context.mock.timers.tick(4_999);
  assert.deepEqual(told, []);
  context.mock.timers.tick(5_001);
  assert.deepEqual(told.splice(0), [start, start]);
  context.mock.timers.tick(2_500);
  beat.onProgress(further);
  assert.deepEqual(told.splice(0), [further]);
  context.mock.timers.tick(4_999);
  assert.deepEqual(told, []);
  context.mock.timers.tick(1);
  assert.deepEqual(told.splice(0), [further]);
  beat.stop();
  context.mock.timers.tick(60_000);
  assert.deepEqual(told, []);
});
