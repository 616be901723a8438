// starts early: it makes and walks large trees
/** A handover of a tree that has everything: data intact, nothing outside touched, nothing granted that was granted before. */
import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { test } from 'node:test';
import { chown, contents, NEW, OLD, owners, runVerb, shell, THIRD, temporaryDirectory } from './fixture.ts';
import { DEPTH, makeTorture, stateOf } from './torture.ts';

/** For what has nothing to do with depth: a walk of the shell over thousands of directories takes long. */
const SHALLOW = 20;

test('hands a tree of every kind of inode over and back, with all data intact and nothing outside touched', context => {
  const parent = temporaryDirectory(context);
  const { tree, outside } = makeTorture(parent, OLD);
  shell(tree, 'chmod u-s setuid; chmod g-s setgid setgid-directory');
  const before = contents(tree);
  shell(tree, 'chmod u+s setuid; chmod g+s setgid setgid-directory');
  const outsideBefore = stateOf(outside);
  const total = [...owners(tree).values()].reduce((sum, count) => sum + count, 0);
  assert.ok(total > 2 * DEPTH);
  // One name is foreign, and one is the second of an inode that is changed by its first.

  for (const uid of [NEW, THIRD, OLD, NEW]) {
    const result = chown(tree, uid);
    assert.equal(result.status, 0, result.last);
    assert.deepEqual(result.lines, ['left a/foreign', `done ${total} ${total - 2} 1 0`]);
    assert.deepEqual(
      owners(tree),
      new Map(
        [
          [`${uid}:${uid}`, total - 1],
          ['0:0', 1],
        ].sort() as [string, number][],
      ),
    );
    assert.ok(contents(tree).equals(before), 'contents, modes and names are what they were');
    assert.equal(stateOf(outside), outsideBefore);
  }
  // The other name of a file of the tree is the same inode: it went with it.
  assert.equal(lstatSync(`${parent}/elsewhere`).uid, NEW);
});

test('takes setuid, setgid and ACLs away, and keeps all other permission bits', context => {
  const { tree } = makeTorture(temporaryDirectory(context), OLD, SHALLOW);
  assert.match(shell(tree, 'getfacl -Rn a open 2>/dev/null'), /user:1000:rwx/);
  assert.equal(chown(tree, NEW, '750').status, 0);
  assert.doesNotMatch(shell(tree, 'getfacl -Rn a open 2>/dev/null'), /user:1000/);
  assert.equal(
    shell(tree, 'stat -c "%a %n" . setuid setgid setgid-directory open open/file a'),
    '750 .\n755 setuid\n711 setgid\n770 setgid-directory\n1777 open\n674 open/file\n775 a\n',
  );
  assert.equal(shell(tree, 'getfattr -d -m - . 2>/dev/null'), '', 'no mark is left');
});

test('writes nothing to a tree that is right, and repairs what is wrong below a right top', context => {
  const { tree } = makeTorture(temporaryDirectory(context), OLD, SHALLOW);
  chown(tree, NEW);
  const times = () => shell(tree, 'find . -printf "%C@ %p\\0" | tr "\\0" "\\n" | sort | sha256sum');
  const before = times();
  assert.match(chown(tree, NEW).last, /^done \d+ 0 1 0$/);
  assert.equal(times(), before, 'no inode was written to');

  shell(tree, 'chown -h "$1" a/b/c/data a/dangling to-secret d/d/d', OLD);
  assert.match(runVerb(tree, ['count', NEW, NEW]).last, /^done \d+ 5 0 0$/);
  assert.match(chown(tree, NEW).last, /^done \d+ 3 2 0$/, 'of what has two names, only a former owner’s is taken');
  assert.equal(lstatSync(`${tree}/d/d/d`).uid, NEW);
});

test('removes all that is below a directory, of any depth and name', context => {
  const { tree, outside } = makeTorture(temporaryDirectory(context), OLD);
  const outsideBefore = stateOf(outside).replace(/ 2 [^ ]+ \.\/linked/, '');
  assert.equal(runVerb(tree, ['remove']).status, 0);
  assert.equal(shell(tree, 'find . | wc -l').trim(), '1');
  assert.equal(stateOf(outside).replace(/ 1 [^ ]+ \.\/linked/, ''), outsideBefore);
});

test('refuses invalid arguments', context => {
  const tree = temporaryDirectory(context);
  for (const verb of [
    [],
    ['chown'],
    ['chown', '1', '1'],
    ['chown', '-1', '1', '755'],
    ['chown', '1', '1', '99'],
    ['x'],
  ]) {
    assert.equal(runVerb(tree, verb).status, 2, verb.join(' '));
  }
});
