/** Killed at any moment: the next handover finishes, whoever gets the tree, and until then nobody takes it for whole. */
// time limit: 300 s
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
  shell,
  startVerb,
  THIRD,
  temporaryDirectory,
} from '../native/tree/fixture.ts';

const RUNS = 200;
const DIRECTORIES = 50;
const FILES = 100;

/** The owner of a top that is marked (native/helper/tree/chown.c). */
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

function topOwner(tree: string): string {
  const { uid, gid } = lstatSync(tree);
  return `${uid}:${gid}`;
}
