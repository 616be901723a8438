import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryKind } from '../../../src/core/directory.ts';
import { Activity } from '../../../src/directories/observe/activity.ts';

const at = (source: string, kind: DirectoryKind = 'state') => ({ kind, source });

test('a watch holds while nobody is at work on its trees', () => {
  const activity = new Activity();
  const before = activity.begin([at('foo')]);
  before();
  const watch = activity.watch([at('foo')]);
  activity.begin([at('bar'), at('foobar'), at('foo', 'cache')]);
  assert.equal(watch.isUndisturbed, true);
});

for (const [what, worked, watched] of [
  ['on the tree', 'foo', 'foo'],
  ['above it', 'foo', 'foo/bar/deep'],
  ['below it', 'foo/bar', 'foo'],
] as const) {
  test(`a watch that begins during work ${what} does not hold, also when that is over`, () => {
    const activity = new Activity();
    const end = activity.begin([at('other'), at(worked)]);
    const watch = activity.watch([at(watched)]);
    end();
    assert.equal(watch.isUndisturbed, false);
    assert.equal(activity.watch([at(watched)]).isUndisturbed, true);
  });

  test(`a watch during which work begins ${what} does not hold, also when that is over`, () => {
    const activity = new Activity();
    const watch = activity.watch([at('other'), at(watched)]);
    const end = activity.begin([at(worked)]);
    assert.equal(watch.isUndisturbed, false);
    end();
    assert.equal(watch.isUndisturbed, false);
  });
}

test('work on the same list twice is over when both are', () => {
  const activity = new Activity();
  const trees = [at('foo')];
  const [first, second] = [activity.begin(trees), activity.begin(trees)];
  first();
  assert.equal(activity.watch(trees).isUndisturbed, false);
  second();
  assert.equal(activity.watch(trees).isUndisturbed, true);
});

test('work that begins once a watch has ended does not reach it', () => {
  const activity = new Activity();
  const watch = activity.watch([at('foo')]);
  watch.end();
  activity.begin([at('foo')]);
  assert.equal(watch.isUndisturbed, true);
});
