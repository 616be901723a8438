/** Killed at any moment: the next handover finishes, whoever gets the tree, and until then nobody takes it for whole. */
import assert from 'node:assert/strict';
import { linkSync, lstatSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  chown,
  contents,
  makeFlat,
  NEW,
  OLD,
  owners,
  runVerb,
  shell,
  startVerb,
  THIRD,
  temporaryDirectory,
} from './fixture.ts';

const RUNS = 200;
const DIRECTORIES = 50;
const FILES = 100;

/** The owner of a top that is marked (native/helper/tree_mark.h). */
const MARK = '0:65534';

test(`completes ${RUNS} handovers of a 5,000-file tree that were killed at a random moment`, async context => {
  const tree = `${temporaryDirectory(context)}/tree`;
  makeFlat(tree, DIRECTORIES, FILES, OLD);
  linkSync(`${tree}/3/3`, `${tree}/4/second-name`);
  // Bits that are taken away while a directory is closed, and must not be lost when that is cut short.
  shell(tree, 'for one in 1? 2?; do chmod 1777 $one; done; for one in 3?; do chmod 0775 $one; done');
  const before = contents(tree);
  const inodes = DIRECTORIES * (FILES + 1) + 2;
  let owner = OLD;
  let interrupted = 0;
  for (let run = 0; run < RUNS; run++) {
    const [killed, next] = [OLD, NEW, THIRD].filter(uid => uid !== owner).sort(() => Math.random() - 0.5);
    assert.ok(killed !== undefined && next !== undefined);
    const child = startVerb(tree, ['chown', killed, killed, 755]);
    const ended = new Promise(resolve => child.on('close', resolve));
    await sleep(Math.random() * 25);
    child.kill('SIGKILL');
    await ended;

    const top = topOwner(tree);
    assert.ok([`${owner}:${owner}`, `${killed}:${killed}`, MARK].includes(top), top);
    if (top !== MARK) {
      const whole = owners(tree);
      assert.deepEqual([...whole], [[top, inodes]], 'a tree whose top has an owner is all of that owner');
    } else {
      interrupted++;
      assert.equal((lstatSync(tree).mode & 0o7777).toString(8), '700');
    }
    // The one it was taken from, the one it was given to, or a third: each gets all of it.
    owner = [owner, killed, next][run % 3] ?? owner;
    const result = chown(tree, owner);
    assert.equal(result.status, 0, result.last);
    assert.deepEqual([...owners(tree)], [[`${owner}:${owner}`, inodes]]);
  }
  assert.ok(interrupted > RUNS / 10, `${interrupted} of ${RUNS} were killed in the middle`);
  assert.ok(contents(tree).equals(before));
  assert.equal(shell(tree, 'getfattr -R -d -m - . 2>/dev/null'), '');
});

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

function topOwner(tree: string): string {
  const { uid, gid } = lstatSync(tree);
  return `${uid}:${gid}`;
}
