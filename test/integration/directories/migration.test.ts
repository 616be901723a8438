/** A tree with everything in it, static → dynamic → static → dynamic, by new owners and mapped: data intact each time, nothing outside touched. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { test } from 'node:test';
import { contents, owners, shell } from '../../native/tree/fixture.ts';
import { makeTorture, stateOf } from '../../native/tree/torture.ts';
import { skipUnless } from '../../support/host.ts';
import { NEW, OLD, openSetup, userOf } from './fixture.ts';

const FIRST = userOf(1_234, false);
/** On disk, of a tree that is mapped. */
const MAPPED = 65_534;
const SECOND = userOf(1_235, false);

test('migrates a tree of every kind of inode from its public to its private path and back', {
  skip: skipUnless('id-mapped mounts'),
}, async context => {
  const setup = openSetup(context);
  const { tree, outside } = makeTorture(setup.root, FIRST.uid);
  // Bits that are taken away at the first handover.
  shell(tree, 'chmod u-s setuid; chmod g-s setgid setgid-directory; setfacl -Rb a open');
  const before = contents(tree);
  const outsideBefore = stateOf(outside);
  renameSync(tree, `${setup.root}/lib/foo`);
  const total = [...owners(`${setup.root}/lib/foo`).values()].reduce((sum, count) => sum + count, 0);

  const steps = [
    { user: userOf(OLD), handover: 'chown', owner: OLD },
    { user: SECOND, handover: 'chown', owner: SECOND.uid },
    { user: userOf(NEW), handover: 'map', owner: MAPPED },
    { user: userOf(OLD), handover: 'chown', owner: OLD },
    { user: userOf(NEW), handover: 'map', owner: MAPPED },
    { user: FIRST, handover: 'chown', owner: FIRST.uid },
    { user: userOf(OLD), handover: 'chown', owner: OLD },
  ];
  for (const { user, handover, owner } of steps) {
    const [prepared] = (await setup.prepare(user, ['foo'], { makesMounts: handover === 'map' })).directories;
    const place = `${setup.root}/lib/${user.dynamic ? 'private/foo' : 'foo'}`;
    assert.equal(prepared?.realPath, place);
    assert.deepEqual(
      [prepared?.handover, prepared?.changed, prepared?.leftPaths],
      [handover, total - 2, ['a/foreign']],
    );
    assert.deepEqual(owners(place).get(`${owner}:${owner}`), total - 1);
    assert.ok(contents(place).equals(before));
    assert.equal(stateOf(outside), outsideBefore);
  }
});
