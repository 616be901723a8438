import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseParts, readFound } from '../../../../src/launch/images/partitions.ts';

const ROOT = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709';
const USR = '8484680c-9521-48c6-9c11-b0720656f69e';
const HOME = '933ac7e1-2eb4-4f13-b844-0e14e2aef915';
const GENERIC = '0fc63daf-8483-4772-8e79-3d69d8477de4';
const ARM_ROOT = 'b921b045-1df0-41c3-af44-4c6f280d3fae';
const READ_ONLY = '1000000000000000';
const NO_AUTO = '8000000000000000';
const WHOLE = '0 - 0 0 9000 -';

const chosen = (...lines: string[]) => {
  const parts = chooseParts(readFound([WHOLE, ...lines]), 'x86-64');
  return typeof parts === 'string'
    ? parts
    : parts.map(({ designator, found, readOnly }) => `${designator} ${found.number}${readOnly ? ' ro' : ''}`);
};
const part = (number: number, kind: string, flags = '0', label = '') =>
  `${number} ${kind} ${flags} 512 512 ext4 ${label}`;

describe('partitions', () => {
  it('are not looked for in a file system', () => {
    const parts = chooseParts(readFound(['0 - 0 0 4096 squashfs', part(1, ROOT)]), '');
    assert.ok(typeof parts !== 'string');
    assert.deepEqual(
      parts.map(({ designator, found }) => [designator, found.fileSystem, found.size]),
      [['root', 'squashfs', '4096']],
    );
  });

  it('are chosen by their types, the root first', () => {
    assert.deepEqual(chosen(part(1, HOME), part(2, USR), part(3, ROOT.toUpperCase(), READ_ONLY), part(4, ARM_ROOT)), [
      'root 3 ro',
      'usr 2',
      'home 1',
    ]);
  });

  it('of several for the root the newest is chosen, without what is empty or off', () => {
    const lines = [
      part(1, ROOT, '0', 'os_9'),
      part(2, ROOT, '0', 'os_10'),
      part(3, ROOT, '0', '_empty'),
      part(4, ROOT, NO_AUTO, 'os_11'),
    ];
    assert.deepEqual(chosen(...lines), ['root 2']);
    assert.deepEqual(chosen(part(1, HOME), part(2, HOME), part(3, ROOT)), ['root 3', 'home 1']);
  });

  it('without a root the only one of no particular use is it', () => {
    assert.deepEqual(chosen(part(1, GENERIC), part(2, HOME)), ['root 1', 'home 2']);
    assert.match(String(chosen(part(1, GENERIC), part(2, GENERIC))), /more than one that may be it/);
    assert.deepEqual(chosen(part(1, 'mbr:83', '80'), part(2, 'mbr:83', '0')), ['root 1']);
    assert.match(String(chosen(part(1, 'mbr:83', '0'))), /no partition that is the root of a system for x86-64/);
  });

  it('say why there is nothing to mount', () => {
    assert.match(String(chosen()), /neither a file system nor a table/);
    assert.match(String(chosen(part(1, USR))), /a partition for \/usr and none for the root/);
    assert.match(String(chosen(part(1, ARM_ROOT))), /for x86-64/);
  });

  it('are read of lines, and nothing of other text', () => {
    assert.deepEqual(readFound(['', 'x', '1 - g 0 0 ext4', `2 ${USR} 0 1 2 - a b`]), [
      { number: 2, kind: USR, flags: 0n, offset: '1', size: '2', label: 'a b' },
    ]);
  });

  it('have names in the order of versions: a candidate for a release is older than the release', () => {
    const newestOf = (...labels: string[]) =>
      chosen(...labels.map((label, index) => part(index + 1, ROOT, '0', label)));
    assert.deepEqual(newestOf('os_a9', 'os_a9b', 'os_a10', 'os_a'), ['root 3']);
    assert.deepEqual(newestOf('os_2~rc1', 'os_2', 'os_1'), ['root 2']);
    assert.deepEqual(newestOf('os_2', 'os_02'), ['root 1']);
  });
});
