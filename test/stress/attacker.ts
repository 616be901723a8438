/**
 * The old owner of a tree, with descriptors into it from before: swaps directories for symlinks, files for symlinks and
 * for names of others' inodes, and moves directories about, as fast as it can. Run as a program by that user: attacker
 * OUTSIDE, with the tree, its "shared", its "deep/a" and its "deep" open as descriptors 3 to 6.
 * With a second argument it does one thing alone, as often as it can: it changes what a name stands for, by rename(2).
 */
import { linkSync, mkdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';

const [outside, names] = process.argv.slice(2);
if (outside === undefined) {
  throw new TypeError('usage: attacker OUTSIDE [names]');
}
// A path from the top leads nowhere as soon as that is marked; what is open stays open.
const held = (descriptor: number) => `/proc/self/fd/${descriptor}`;
const parents = [3, 4, 5].map(held);
const deep = held(6);

/** A step that the race was lost for is the usual case; the next one may be in time. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) {
      throw error;
    }
  }
}

while (names !== undefined) {
  for (const name of ['file', 'filler-0', 'filler-7', 'filler-19']) {
    for (const target of [`${outside}/linkable`, `${parents[1]}/stash`]) {
      // rename(2) leaves both names where they are of the same inode.
      attempt(() => unlinkSync(`${parents[1]}/next`));
      attempt(() => linkSync(target, `${parents[1]}/next`));
      attempt(() => renameSync(`${parents[1]}/next`, `${parents[1]}/${name}`));
    }
  }
}

for (let round = 0; ; round++) {
  for (const parent of parents) {
    const victim = `${parent}/swap`;
    attempt(() => renameSync(victim, `${parent}/away`));
    attempt(() => symlinkSync(outside, victim));
    attempt(() => unlinkSync(victim));
    attempt(() => renameSync(`${parent}/away`, victim));
    attempt(() => renameSync(`${parent}/file`, `${parent}/file-away`));
    attempt(() => symlinkSync(`${outside}/secret`, `${parent}/file`));
    attempt(() => unlinkSync(`${parent}/file`));
    attempt(() => linkSync(`${outside}/linkable`, `${parent}/file`));
    attempt(() => unlinkSync(`${parent}/file`));
    attempt(() => renameSync(`${parent}/file-away`, `${parent}/file`));
  }
  attempt(() => renameSync(`${deep}/a`, `${deep}/${round % 2 === 0 ? 'b' : 'c'}`));
  attempt(() => renameSync(`${deep}/${round % 2 === 0 ? 'b' : 'c'}`, `${deep}/a`));
  attempt(() => mkdirSync(`${parents[1]}/new`));
}
