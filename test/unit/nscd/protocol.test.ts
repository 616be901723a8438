/** nscd's protocol, byte by byte, as glibc's nscd/nscd-client.h lays it out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KEY_BYTES_MAX, readQuestion, writeGroup, writeGroups, writePasswd } from '../../../src/nscd/protocol.ts';

const numbers = (...values: number[]): Buffer => Buffer.from(new Int32Array(values).buffer);
const question = (kind: number, key: string, version = 2, length = Buffer.byteLength(key)): Buffer =>
  Buffer.concat([numbers(version, kind, length), Buffer.from(key)]);

describe('a question', () => {
  it('has a name or a number', () => {
    assert.deepEqual(readQuestion(question(0, 'web\0')), { kind: 'passwdByName', key: 'web' });
    assert.deepEqual(readQuestion(question(1, '61184\0')), { kind: 'passwdByUid', key: '61184' });
    assert.deepEqual(readQuestion(question(2, 'web\0')), { kind: 'groupByName', key: 'web' });
    assert.deepEqual(readQuestion(question(3, '61184\0')), { kind: 'groupByGid', key: '61184' });
    assert.deepEqual(readQuestion(question(15, 'web\0')), { kind: 'groupsOfUser', key: 'web' });
    assert.deepEqual(readQuestion(question(0, '\0')), { kind: 'passwdByName', key: '' });
  });

  it('is waited for until it is whole', () => {
    const whole = question(0, 'web\0');
    for (let length = 0; length < whole.length; length++) {
      assert.equal(readQuestion(whole.subarray(0, length)), undefined, `${length} bytes`);
    }
    assert.deepEqual(readQuestion(Buffer.concat([whole, whole])), { kind: 'passwdByName', key: 'web' });
  });

  it('of another version, about something else, or with a broken key, is refused before its key has come', () => {
    assert.equal(readQuestion(numbers(1, 0, 4)), 'refused');
    assert.equal(readQuestion(numbers(0x02000000, 0, 0x04000000)), 'refused', 'another byte order');
    for (const kind of [-1, 4, 8, 9, 10, 11, 12, 13, 14, 16, 20, 1 << 30]) {
      assert.equal(readQuestion(numbers(2, kind, 4)), 'refused', `${kind}`);
    }
    for (const length of [0, -1, KEY_BYTES_MAX + 1, 0x7fffffff, -0x80000000]) {
      assert.equal(readQuestion(numbers(2, 0, length)), 'refused', `${length} bytes`);
    }
    assert.equal(readQuestion(question(0, 'web')), 'refused', 'no NUL at its end');
    assert.equal(readQuestion(question(0, 'w\0b\0')), 'refused', 'a NUL within');
    const longest = question(0, `${'x'.repeat(KEY_BYTES_MAX - 1)}\0`);
    assert.deepEqual(readQuestion(longest), { kind: 'passwdByName', key: 'x'.repeat(KEY_BYTES_MAX - 1) });
  });
});

describe('an answer', () => {
  it('about a user has its numbers and texts', () => {
    const entry = { name: 'web', password: 'x', uid: 61184, gid: 4294967294, realName: 'A B', home: '/', shell: '/s' };
    assert.deepEqual(
      writePasswd(entry),
      Buffer.concat([numbers(2, 1, 4, 2, 61184, -2, 4, 2, 3), Buffer.from('web\0x\0A B\0/\0/s\0')]),
    );
    assert.deepEqual(writePasswd('absent'), numbers(2, 0, 0, 0, 0, 0, 0, 0, 0));
    assert.deepEqual(writePasswd('unknown'), numbers(2, -1, 0, 0, 0, 0, 0, 0, 0));
  });

  it('about a group has its members', () => {
    const entry = { name: 'web', password: 'x', gid: 61184, members: ['a', 'bcd'] };
    assert.deepEqual(
      writeGroup(entry),
      Buffer.concat([numbers(2, 1, 4, 2, 61184, 2, 2, 4), Buffer.from('web\0x\0a\0bcd\0')]),
    );
    assert.deepEqual(
      writeGroup({ ...entry, members: [] }),
      Buffer.concat([numbers(2, 1, 4, 2, 61184, 0), Buffer.from('web\0x\0')]),
    );
    assert.deepEqual(writeGroup('absent'), numbers(2, 0, 0, 0, 0, 0));
    assert.deepEqual(writeGroup('unknown'), numbers(2, -1, 0, 0, 0, 0));
  });

  it('about the groups of a user has their numbers', () => {
    assert.deepEqual(writeGroups([7, 4294967294]), numbers(2, 1, 2, 7, -2));
    assert.deepEqual(writeGroups([]), numbers(2, 1, 0));
    assert.deepEqual(writeGroups('absent'), numbers(2, 0, 0));
    assert.deepEqual(writeGroups('unknown'), numbers(2, -1, 0));
  });
});
