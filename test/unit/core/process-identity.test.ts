/** Which processes are the same one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asPid } from '../../../src/core/ids.ts';
import { isSameProcess, type ProcessIdentity } from '../../../src/core/process-identity.ts';

const pid = asPid(4711);
const otherPid = asPid(4712);
assert.ok(pid !== undefined && otherPid !== undefined);
const known: ProcessIdentity = { boot: 'b1', pid, startTime: 100, inode: '7' };

const CASES: readonly (readonly [what: string, other: ProcessIdentity, same: boolean])[] = [
  ['itself', { ...known }, true],
  ['one of another boot', { ...known, boot: 'b2' }, false],
  ['one of another number', { ...known, pid: otherPid }, false],
  ['one that got its number within the same clock tick', { ...known, inode: '8' }, false],
  ['itself, read where inodes tell nothing', { ...known, inode: undefined }, true],
  ['itself, known by its inode alone', { ...known, startTime: undefined }, true],
  ['one with the same inode and nothing else in another boot', { ...known, boot: 'b2', startTime: undefined }, false],
  ['one of which nothing is known', { ...known, startTime: undefined, inode: undefined }, false],
  ['one that started later, where inodes tell nothing', { ...known, startTime: 101, inode: undefined }, false],
];

describe('a process is', () => {
  for (const [what, other, same] of CASES) {
    it(`${same ? 'the same as' : 'not'} ${what}`, () => {
      assert.equal(isSameProcess(known, other), same);
      assert.equal(isSameProcess(other, known), same);
    });
  }
});
