import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloseListeners } from '../../../src/varlink/close-listeners.ts';

test('each is told once, in the order of their coming, and who took itself back is not', () => {
  const told: string[] = [];
  const listeners = new CloseListeners(cause => assert.fail(String(cause)));
  const same = () => told.push('same');
  listeners.add(() => told.push('first'));
  listeners.add(same);
  const takeBack = listeners.add(same);
  listeners.add(() => told.push('last'));
  takeBack();
  listeners.tell();
  listeners.tell();
  assert.deepEqual(told, ['first', 'same', 'last']);
});

test('one that fails is reported and keeps no other from being told', () => {
  const causes: unknown[] = [];
  const told: string[] = [];
  const listeners = new CloseListeners(cause => causes.push(cause));
  const failure = new Error('a slip');
  listeners.add(() => {
    throw failure;
  });
  listeners.add(() => told.push('other'));
  listeners.tell();
  assert.deepEqual([causes, told], [[failure], ['other']]);
});

test('who comes after the end is told, once it can take itself back', async () => {
  const told: string[] = [];
  const listeners = new CloseListeners(cause => assert.fail(String(cause)));
  listeners.tell();
  listeners.add(() => told.push('late'));
  const takeBack = listeners.add(() => told.push('never'));
  assert.deepEqual(told, []);
  takeBack();
  await new Promise(resolve => setImmediate(resolve));
  assert.deepEqual(told, ['late']);
});
