import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scope } from '../../../src/core/scope.ts';

test('what is held is let go of in reverse order, one after the other, and once', async () => {
  const log: string[] = [];
  const scope = new Scope();
  const first = { [Symbol.dispose]: () => void log.push('first') };
  assert.equal(scope.use(first), first);
  scope.use({
    async [Symbol.asyncDispose]() {
      log.push('second begins');
      await Promise.resolve();
      log.push('second ends');
    },
  });
  scope.defer(() => void log.push('third'));
  await scope[Symbol.asyncDispose]();
  assert.deepEqual(log, ['third', 'second begins', 'second ends', 'first']);
  await scope[Symbol.asyncDispose]();
  assert.equal(log.length, 4);
});

test('what is handed on is held by the next scope alone', async () => {
  const log: string[] = [];
  const scope = new Scope();
  scope.defer(() => void log.push('first'));
  scope.defer(() => void log.push('second'));
  const next = scope.move();
  await scope[Symbol.asyncDispose]();
  assert.deepEqual(log, []);
  await next[Symbol.asyncDispose]();
  assert.deepEqual(log, ['second', 'first']);
});
