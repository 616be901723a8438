import assert from 'node:assert/strict';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileFailure, problemAtPath, problemOf } from '../../../src/cli/failure.ts';

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

test('errors of the system are told in its words, without codes and calls', () => {
  const missing = errorOf(() => readFileSync('/nonexistent/a\x1bb'));
  assert.equal(problemOf(missing), 'no such file or directory');
  assert.equal(problemAtPath(missing), '/nonexistent/a\\x1bb: no such file or directory');
  assert.equal(fileFailure('./b\x1b', missing).message, './b\\x1b: no such file or directory');
  assert.equal(fileFailure('./b', missing).cause, missing);
});

test('a path below a held directory is told from there', () => {
  const held = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const missing = errorOf(() => readFileSync(`/proc/self/fd/${held}/nonexistent/a`));
    assert.equal(problemAtPath(missing), 'nonexistent/a: no such file or directory');
    const itself = errorOf(() => readFileSync(`/proc/self/fd/${held}`));
    assert.equal(problemAtPath(itself), 'illegal operation on a directory');
  } finally {
    closeSync(held);
  }
});

test('other errors are told in their own words', () => {
  assert.equal(problemOf(new Error('it has no\nunits')), 'it has no\\nunits');
  assert.equal(problemAtPath('gone'), 'gone');
});
