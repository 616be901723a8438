import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandFailure } from '../../../src/cli/failure.ts';
import { socketPath } from '../../../src/cli/socket-path.ts';

test('the socket is in the runtime directory', () => {
  assert.equal(socketPath({}), '/run/dynuser/io.dynuser.DynamicUser');
  assert.equal(socketPath({ DYNUSER_RUNTIME_DIRECTORY: '' }), '/run/dynuser/io.dynuser.DynamicUser');
  assert.equal(socketPath({ DYNUSER_RUNTIME_DIRECTORY: '/tmp/x/' }), '/tmp/x/io.dynuser.DynamicUser');
});

test('a directory that cannot be one is refused before anything is connected to', () => {
  for (const directory of ['relative', `/${'d'.repeat(84)}`]) {
    assert.throws(
      () => socketPath({ DYNUSER_RUNTIME_DIRECTORY: directory }),
      (error: unknown) => error instanceof CommandFailure && error.status === 2,
    );
  }
  // 107 bytes in all are the most that fit.
  const longest = `/${'d'.repeat(83)}`;
  assert.equal(socketPath({ DYNUSER_RUNTIME_DIRECTORY: longest }).length, 107);
});
