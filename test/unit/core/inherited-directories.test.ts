/** Which directories a lease has to see to the end of, since another one of its user has left and they are above its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inheritDirectories, type LeasedDirectory } from '../../../src/core/directory.ts';

function runtime(source: string, preserved = false): LeasedDirectory {
  const publicPath = `/run/${source}`;
  return { kind: 'runtime', source, publicPath, handover: 'none', preserved, exposed: false, aliases: [] };
}

const sources = (directories: readonly LeasedDirectory[]) => directories.map(({ source }) => source);

test('a directory is inherited by the lease that has a part of it', () => {
  assert.deepEqual(sources(inheritDirectories([runtime('nab/c')], [runtime('nab')])), ['nab', 'nab/c']);
  assert.deepEqual(sources(inheritDirectories([runtime('x'), runtime('nab/c/d')], [runtime('y'), runtime('nab')])), [
    'nab',
    'x',
    'nab/c/d',
  ]);
});

test('nothing is inherited that is no directory above, or goes with another', () => {
  const held = [runtime('nab/c')];
  for (const left of [[], [runtime('na')], [runtime('nab/c')], [runtime('nab/c/d')], [runtime('nabs')]]) {
    assert.equal(inheritDirectories(held, left), held);
  }
  assert.equal(inheritDirectories(held, [{ ...runtime('nab'), kind: 'state' }]), held, 'of another class');
  assert.equal(inheritDirectories(held, [runtime('nab', true)]), held, 'one that stays');
  const both = [runtime('nab'), runtime('nab/c')];
  assert.equal(inheritDirectories(both, [runtime('nab')]), both, 'one that it has');
  assert.equal(inheritDirectories(both, [runtime('nab/x')]), both, 'a part of one that it has');
  const kept = [runtime('nab/c', true)];
  assert.equal(inheritDirectories(kept, [runtime('nab')]), kept, 'a part that stays would go with it');
});

test('the list does not grow with each lease that leaves', () => {
  const left = ['a/b/c/d', 'a/b/c', 'a/b', 'a'].map(source => runtime(source));
  let held: readonly LeasedDirectory[] = [runtime('a/b/c/d/e'), runtime('a/f')];
  for (const one of left) {
    held = inheritDirectories(held, [one]);
  }
  assert.deepEqual(sources(held), ['a', 'a/b/c/d/e', 'a/f']);
  const atOnce = inheritDirectories([runtime('a/b/c/d/e'), runtime('a/f')], left);
  assert.deepEqual(sources(atOnce), ['a', 'a/b/c/d/e', 'a/f']);
});
