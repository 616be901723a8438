/** Left half done: the next handover finishes, whoever gets the tree. test/stress/tree-kills kills it at any moment. */
import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { test } from 'node:test';
import { chown, makeFlat, NEW, OLD, owners, runVerb, shell, startVerb, THIRD, temporaryDirectory } from './fixture.ts';

test('a half-done tree keeps foreign inodes out, and takes those of all that had a part of it', context => {
  const parent = temporaryDirectory(context);
  const tree = `${parent}/tree`;
  makeFlat(tree, 2, 4, OLD);
  shell(
    parent,
    `touch foreign; ln foreign tree/0/foreign
     ln tree/0/0 tree/1/old; ln tree/0/1 tree/1/between; chown "$2:$2" tree/0/1
     chown "0:65534" tree; chmod 700 tree; setfattr -n trusted.dynuser.former-owners -v "$1 $2" tree`,
    OLD,
    NEW,
  );
  const result = chown(tree, THIRD);
  assert.equal(result.status, 0);
  assert.deepEqual(result.lines.slice(0, -1), ['left 0/foreign']);
  assert.equal(lstatSync(`${parent}/foreign`).uid, 0);
  assert.deepEqual([...owners(tree).keys()].sort(), ['0:0', `${THIRD}:${THIRD}`]);
});

test('without the record of former owners, names of others’ inodes are left alone', context => {
  const tree = `${temporaryDirectory(context)}/tree`;
  makeFlat(tree, 1, 2, OLD);
  shell(tree, 'ln 0/0 second; chown 0:65534 .');
  const result = chown(tree, NEW);
  assert.deepEqual(result.lines.slice(0, -1).sort(), ['left 0/0', 'left second']);
  assert.equal(lstatSync(`${tree}/0/0`).uid, OLD);
});

test('a record that a finished run left behind is not believed', context => {
  const parent = temporaryDirectory(context);
  const tree = `${parent}/tree`;
  makeFlat(tree, 1, 1, OLD);
  shell(parent, 'touch foreign; ln foreign tree/foreign; setfattr -n trusted.dynuser.former-owners -v 0 tree');
  assert.deepEqual(chown(tree, NEW).lines.slice(0, -1), ['left foreign']);
  assert.equal(lstatSync(`${parent}/foreign`).uid, 0);
});

test('ends when nobody listens, and is finished by the next run', async context => {
  const tree = `${temporaryDirectory(context)}/tree`;
  makeFlat(tree, 100, 300, OLD);
  const child = startVerb(tree, ['chown', NEW, NEW, 755]);
  child.stdout?.destroy();
  await new Promise(resolve => child.on('close', resolve));
  assert.equal(runVerb(tree, ['chown', THIRD, THIRD, '755']).status, 0);
  assert.deepEqual([...owners(tree).keys()], [`${THIRD}:${THIRD}`]);
});
