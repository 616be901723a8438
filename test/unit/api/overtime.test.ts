/** Which services have ended because their time was over: until their next start, and whatever runs by name meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeaseEvent } from '../../../src/allocator/events.ts';
import { Overtime } from '../../../src/api/overtime.ts';
import { phaseDescription } from '../../../src/launch/plan/phases.ts';
import { leaseEvents } from '../allocator/fakes.ts';

function setup() {
  const events = leaseEvents();
  const tell = (kind: 'overtime' | 'allocated', unit: string, description?: string) =>
    events.tell({ kind, lease: { unit, description } } as unknown as LeaseEvent);
  return { tell, overtime: new Overtime(events) };
}

test('a service is known until it is started again', () => {
  const { tell, overtime } = setup();
  tell('allocated', 'a.service');
  assert.ok(!overtime.has('a.service'));
  tell('overtime', 'a.service');
  assert.ok(overtime.has('a.service'));
  assert.ok(!overtime.has('b.service'));
  tell('allocated', 'b.service');
  tell('allocated', 'a.service', phaseDescription('stopPost'));
  assert.ok(overtime.has('a.service'), 'a command by name is not a start');
  tell('allocated', 'a.service', 'what somebody says');
  assert.ok(!overtime.has('a.service'));
});

test('of many, the last ones are known', () => {
  const { tell, overtime } = setup();
  tell('overtime', 'first.service');
  tell('overtime', 'second.service');
  tell('overtime', 'first.service');
  for (let count = 0; count < 1_023; count++) {
    tell('overtime', `${count}.service`);
  }
  assert.deepEqual([overtime.has('first.service'), overtime.has('second.service')], [true, false]);
});
