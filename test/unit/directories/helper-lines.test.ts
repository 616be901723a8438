import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTreeLine } from '../../../src/directories/helper-lines.ts';

test('reads the lines of the helper', () => {
  assert.deepEqual(parseTreeLine('progress 512 3'), { kind: 'progress', inodes: 512, changed: 3 });
  assert.deepEqual(parseTreeLine('done 4 3 2 1'), { kind: 'done', inodes: 4, changed: 3, left: 2, mounts: 1 });
  assert.deepEqual(parseTreeLine('mount a/b'), { kind: 'mount', path: 'a/b' });
  assert.deepEqual(parseTreeLine('failed openat2 5 a/b%20c'), {
    kind: 'failed',
    call: 'openat2',
    errno: 5,
    path: 'a/b c',
  });
  assert.deepEqual(parseTreeLine('no mount_setattr 22'), { kind: 'no', call: 'mount_setattr', errno: 22 });
  assert.deepEqual(parseTreeLine('yes'), { kind: 'yes' });
});

test('keeps in a path escaped what a terminal would obey, and what is no text', () => {
  assert.deepEqual(parseTreeLine('left %C3%BC%0Ab%1B%5B2J'), { kind: 'left', path: '%C3%BC%0Ab%1B%5B2J' });
  assert.deepEqual(parseTreeLine('left %C3%BCb'), { kind: 'left', path: 'üb' });
  assert.deepEqual(parseTreeLine('changed a%FF'), { kind: 'changed', path: 'a%FF' });
});

test('what is no line of it is none', () => {
  for (const line of [
    '',
    'done',
    'done 1 2 3',
    'done 1 2 3 x',
    'progress -1 2',
    'yes 1',
    'failed openat2 x a',
    'other 1',
  ]) {
    assert.equal(parseTreeLine(line), undefined, line);
  }
});
