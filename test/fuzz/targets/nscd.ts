/**
 * Questions of nscd's protocol. A question that is whole is answered the same whatever comes after it; one that is refused stays refused;
 * and an answer holds as many bytes as its header says.
 */
import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { HEADER_BYTES, KEY_BYTES_MAX, readQuestion, writePasswd } from '../../../src/nscd/protocol.ts';
import type { Target } from './types.ts';

const number = (value: number): string => Buffer.from(new Int32Array([value]).buffer).toString('latin1');
const PASSWD_HEADER_BYTES = 36;
/** Of the header of an answer about a user: where the lengths of its texts are. */
const LENGTHS_AT = [8, 12, 24, 28, 32];

export const nscd: Target = {
  name: 'nscd',
  pieces: [...[0, 1, 2, 3, 4, 10, 11, 15, 1_024, 1_025, -1].map(number), 'web\0', '61184\0', '\0'],
  bytesMax: HEADER_BYTES + KEY_BYTES_MAX + 16,
  start: () => ({
    run(input) {
      const question = readQuestion(input);
      const longer = readQuestion(Buffer.concat([input, Buffer.from('more\0')]));
      if (question === undefined) {
        assert.ok(input.length < HEADER_BYTES + KEY_BYTES_MAX);
        return `waits ${Math.min(input.length, HEADER_BYTES)}`;
      }
      assert.deepEqual(longer, question);
      if (question === 'refused') {
        return question;
      }
      const { key, kind } = question;
      assert.ok(!key.includes('\0') && key.length < KEY_BYTES_MAX);
      const texts = { password: 'x', realName: '', home: '/', shell: '/bin/sh' };
      const answer = writePasswd({ ...texts, name: key, uid: 1, gid: 2 });
      const read = (at: number) => (endianness() === 'LE' ? answer.readInt32LE(at) : answer.readInt32BE(at));
      const length = LENGTHS_AT.reduce((sum, at) => sum + read(at), 0);
      assert.equal(answer.length, PASSWD_HEADER_BYTES + length);
      return `${kind} ${Math.min(key.length, 4)}`;
    },
  }),
};
