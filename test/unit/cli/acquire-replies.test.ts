import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAcquireReply } from '../../../src/cli/acquire-replies.ts';
import { sampleAcquired, sampleDirectory } from './sample.ts';

const acquired = sampleAcquired({ directories: [sampleDirectory({ within: '/var/lib' })], environment: { A: 'b' } });

test('a reply is progress or the answer', () => {
  const progress = { publicPath: '/var/lib/a', inodes: 2, changed: 1 };
  assert.deepEqual(checkAcquireReply({ progress }), { progress });
  assert.deepEqual(checkAcquireReply({ ...acquired, progress: null }), { acquired });
});

test('unknown fields of a newer daemon are left out', () => {
  const directories = [{ ...sampleDirectory(), colour: 'red' }];
  assert.deepEqual(checkAcquireReply({ ...acquired, directories, colour: 'red' }), {
    acquired: { ...acquired, directories: [sampleDirectory()] },
  });
});

test('every field of the answer is there, and is what it has to be', () => {
  for (const field of Object.keys(acquired)) {
    const message = new RegExp(`'${field}' is not `);
    for (const wrong of [null, 1.5, [1]]) {
      assert.throws(() => checkAcquireReply({ ...acquired, [field]: wrong }), { name: 'CommandFailure', message });
    }
  }
  assert.throws(() => checkAcquireReply({ ...acquired, lease: '\x1b[2J' }), /'lease' is not an id of 32 hexadecimal/);
  assert.throws(
    () => checkAcquireReply({ ...acquired, environment: { A: 1 } }),
    /'environment' is not a map of strings/,
  );
});

test('every field of progress and of a directory is checked', () => {
  for (const field of ['publicPath', 'inodes', 'changed']) {
    const progress = { publicPath: '/a', inodes: 2, changed: 1, [field]: [] };
    assert.throws(() => checkAcquireReply({ progress }), new RegExp(`'${field}' is not `));
  }
  for (const field of Object.keys(sampleDirectory({ within: '/a' }))) {
    const directories = [{ ...sampleDirectory(), [field]: 1.5 }];
    assert.throws(() => checkAcquireReply({ ...acquired, directories }), new RegExp(`'${field}' is not `));
  }
});
