/** Which directories a lease has to see to the end of, since another one of its user has left and they are above its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inheritDirectories, isPart, isTransient, type LeasedDirectory } from '../../../src/core/directory.ts';

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

test('nothing is inherited that is not a directory above, or goes with another', () => {
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

test('a directory goes with its last lease unless it is preserved, and an exposed one is unpublished', () => {
  const ways = [false, true].flatMap(preserved => [false, true].map(exposed => ({ preserved, exposed })));
  assert.deepEqual(
    ways.map(way => [way.preserved, way.exposed, isTransient({ ...runtime('a'), ...way })]),
    [
      [false, false, true],
      [false, true, true],
      [true, false, false],
      [true, true, true],
    ],
  );
});

test('a part of a directory is below it, and of its kind', () => {
  assert.equal(isPart(runtime('a/b'), runtime('a')), true);
  assert.equal(isPart(runtime('a'), runtime('a')), false);
  assert.equal(isPart(runtime('ab'), runtime('a')), false);
  assert.equal(isPart(runtime('a'), runtime('a/b')), false);
  assert.equal(isPart({ kind: 'state', source: 'a/b' }, runtime('a')), false);
});

test('parts that are preserved stay apart from a directory that is inherited', () => {
  const held = [runtime('nab/c'), runtime('nab/d', true), runtime('nab/c/e')];
  const inherited = inheritDirectories(held, [runtime('nab'), runtime('nab/c/x')]);
  assert.deepEqual(sources(inherited), ['nab', 'nab/d', 'nab/c/e']);
});
