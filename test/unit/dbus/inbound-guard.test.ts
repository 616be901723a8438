import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { beforeEach, describe, it } from 'node:test';
import { guardInbound } from '../../../src/dbus/inbound-guard.ts';
import { MESSAGE_BYTES_MAX } from '../../../src/dbus/limits.ts';

const FIXED = 16;

/** A message whose fields and body are made of one byte, so that it is known again. */
function message(mark: string, fields: number, body: number, endian: 'l' | 'B' = 'l'): Buffer {
  const bytes = Buffer.alloc(FIXED + Math.ceil(fields / 8) * 8 + body, mark);
  bytes.write(endian, 0);
  for (const [offset, length] of [
    [4, body],
    [12, fields],
  ] as const) {
    if (endian === 'l') {
      bytes.writeUInt32LE(length, offset);
    } else {
      bytes.writeUInt32BE(length, offset);
    }
  }
  return bytes;
}

describe('the guard on what comes in', () => {
  let stream: Duplex;
  let read: string[];
  let dropped: string[];
  beforeEach(() => {
    stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    read = [];
    dropped = [];
    // As dbus-next reads: the fixed part, then the rest, until there is no more.
    let fixed: Buffer | null = null;
    stream.on('readable', () => {
      for (;;) {
        if (fixed === null) {
          fixed = stream.read(FIXED);
          if (fixed === null) {
            return;
          }
        } else {
          const rest: Buffer | null = stream.read(fixed.length);
          if (rest === null) {
            return;
          }
          fixed = null;
          const text = `${rest.toString('latin1')[0]}${rest.length}`;
          if (text.startsWith('!')) {
            throw new RangeError('out of range');
          }
          read.push(text);
        }
      }
    });
    guardInbound(stream, reason => dropped.push(reason));
  });

  const push = async (bytes: Buffer | null, step = bytes?.length ?? 0): Promise<void> => {
    for (let offset = 0; bytes !== null && offset < bytes.length; offset += step) {
      stream.push(bytes.subarray(offset, offset + step));
      await new Promise(resolve => setImmediate(resolve));
    }
    if (bytes === null) {
      stream.push(null);
      await new Promise(resolve => setImmediate(resolve));
    }
  };

  it('lets whole messages through, however they come in, of either byte order', async () => {
    const bytes = Buffer.concat([message('a', 3, 5), message('b', 8, 0), message('c', 9, 1, 'B')]);
    await push(bytes);
    await push(bytes, 1);
    assert.deepEqual(read, ['a13', 'b8', 'c17', 'a13', 'b8', 'c17']);
    assert.deepEqual(dropped, []);
  });

  it('skips what is too long, however it comes in, and goes on with the next', async () => {
    const long = message('x', 8, MESSAGE_BYTES_MAX - 7);
    const bytes = Buffer.concat([message('a', 8, 0), long, long, message('b', 8, 0)]);
    await push(bytes);
    await push(bytes, 1_000);
    assert.deepEqual(read, ['a8', 'b8', 'a8', 'b8']);
    assert.deepEqual(
      dropped,
      Array(4).fill(`it has ${FIXED + MESSAGE_BYTES_MAX + 1} bytes, more than ${MESSAGE_BYTES_MAX}`),
    );
  });

  it('lets through what is just short enough', async () => {
    await push(message('a', 8, MESSAGE_BYTES_MAX - 8));
    assert.deepEqual(read, [`a${MESSAGE_BYTES_MAX}`]);
  });

  it('goes on with the next after one that the reader throws at', async () => {
    await push(Buffer.concat([message('!', 8, 0), message('a', 8, 0), message('!', 8, 0), message('b', 8, 0)]));
    assert.deepEqual(read, ['a8', 'b8']);
    assert.deepEqual(dropped, Array(2).fill('it cannot be decoded: out of range'));
  });

  it('lets a stream end in the middle of a message, and of one that is skipped', async () => {
    for (const bytes of [message('a', 8, 50).subarray(0, 40), message('x', 8, MESSAGE_BYTES_MAX).subarray(0, 100)]) {
      stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
      stream.on('readable', () => {
        while (stream.read(FIXED) !== null);
      });
      guardInbound(stream, () => {});
      let ended = false;
      stream.on('end', () => {
        ended = true;
      });
      await push(bytes);
      await push(null);
      assert.ok(ended);
    }
  });
});
