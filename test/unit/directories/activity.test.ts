import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryKind } from '../../../src/core/directory.ts';
import { TreeWork } from '../../../src/directories/observe/activity.ts';

const at = (source: string, kind: DirectoryKind = 'state') => ({ kind, source });

test('a look holds while nobody is at work on its trees', () => {
  const work = new TreeWork();
  const before = work.begin([at('foo')]);
  before();
  const look = work.look([at('foo')]);
  work.begin([at('bar'), at('foobar'), at('foo', 'cache')]);
  assert.equal(look.holds, true);
});

for (const [what, worked, looked] of [
  ['on the tree', 'foo', 'foo'],
  ['above it', 'foo', 'foo/bar/deep'],
  ['below it', 'foo/bar', 'foo'],
] as const) {
  test(`a look that begins during work ${what} does not hold, also when that is over`, () => {
    const work = new TreeWork();
    const end = work.begin([at('other'), at(worked)]);
    const look = work.look([at(looked)]);
    end();
    assert.equal(look.holds, false);
    assert.equal(work.look([at(looked)]).holds, true);
  });

  test(`a look during which work begins ${what} does not hold, also when that is over`, () => {
    const work = new TreeWork();
    const look = work.look([at('other'), at(looked)]);
    const end = work.begin([at(worked)]);
    assert.equal(look.holds, false);
    end();
    assert.equal(look.holds, false);
  });
}

test('work on the same list twice is over when both are', () => {
  const work = new TreeWork();
  const trees = [at('foo')];
  const [first, second] = [work.begin(trees), work.begin(trees)];
  first();
  assert.equal(work.look(trees).holds, false);
  second();
  assert.equal(work.look(trees).holds, true);
});

test('work that begins once a look has ended does not reach it', () => {
  const work = new TreeWork();
  const look = work.look([at('foo')]);
  look.end();
  work.begin([at('foo')]);
  assert.equal(look.holds, true);
});
