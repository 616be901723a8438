import assert from 'node:assert/strict';
import fs, { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { readGroupFile } from '../../../src/host/group-file.ts';

test('the group file is read as it is, byte by byte', () => {
  assert.equal(readGroupFile(), readFileSync('/etc/group', 'latin1'));
});

test('a host without a group file has no groups; one that cannot be read is told of', context => {
  let code = '';
  context.mock.method(fs, 'readFileSync', () => {
    throw Object.assign(new Error(`${code}: words`), { code });
  });
  syncBuiltinESMExports();
  context.after(() => {
    context.mock.restoreAll();
    syncBuiltinESMExports();
  });
  code = 'ENOENT';
  assert.equal(readGroupFile(), '');
  code = 'EMFILE';
  const message = 'cannot read /etc/group: EMFILE: words; raise LimitNOFILE= of dynuserd, or release users';
  assert.throws(readGroupFile, { code: 'LimitReached', message });
});
