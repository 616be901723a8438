/** A handover of a tree that is larger in every direction than what is held open or under way at a time. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { chown, NEW, owners, runVerb, shell, temporaryDirectory } from '../native/tree/fixture.ts';

test('hands over more directories, deeper and wider, than are open or under way at a time', context => {
  const parent = temporaryDirectory(context);
  const tree = `${parent}/tree`;
  for (let one = 0; one < 700; one++) {
    mkdirSync(`${tree}/${one}/x/y`, { recursive: true });
    writeFileSync(`${tree}/${one}/x/y/f`, '');
    writeFileSync(`${tree}/${one}/f`, '');
  }
  mkdirSync(`${tree}/wide`);
  for (let one = 0; one < 5_000; one++) {
    writeFileSync(`${tree}/wide/${'long-name-'.repeat(10)}${one}`, '');
  }
  assert.match(chown(tree, NEW).last, /^done \d+ \d+ 0 0$/);
  assert.deepEqual([...owners(tree).keys()], [`${NEW}:${NEW}`]);
  assert.equal(runVerb(tree, ['remove']).status, 0);
  assert.equal(shell(tree, 'find . | wc -l').trim(), '1');
  rmSync(parent, { recursive: true });
});
