/**
 * Stands between the bus and dbus-next's reader. The reader takes any length, and throws from inside a stream event,
 * which would end the daemon: at a file descriptor that was never sent (libdbus does not look at such values when it
 * validates), or at a message that was cut short. Here such a message costs itself alone. Never looks into a body.
 */
import type { Duplex } from 'node:stream';
import { MESSAGE_BYTES_MAX } from './limits.ts';

/** D-Bus specification, "Message Format": the fixed part, with the length of the array of header fields at its end. */
const FIXED_BYTES = 16;
const BODY_LENGTH_AT = 4;
const FIELDS_LENGTH_AT = 12;
const LITTLE_ENDIAN = 'l'.charCodeAt(0);

/**
 * Puts itself before the reader that dbus-next has attached to the stream. Called between that and the first message.
 * @param onDropped told of each message that was not read, and why
 */
export function guardInbound(stream: Duplex, onDropped: (reason: string) => void): void {
  stream.read = boundedRead(stream, onDropped);
  const readers = stream.listeners('readable');
  stream.removeAllListeners('readable');
  stream.on('readable', () => {
    // What made the reader throw has been consumed: every round is a message further on.
    for (let read = false; !read; ) {
      try {
        for (const reader of readers) {
          Reflect.apply(reader, stream, []);
        }
        read = true;
      } catch (error) {
        onDropped(`it cannot be decoded: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  });
}

/** The reader asks for the fixed part of a message and then for its rest, in turn; too long a rest is skipped over. */
function boundedRead(stream: Duplex, onDropped: (reason: string) => void): (size?: number) => unknown {
  const read = stream.read.bind(stream);
  let rest: number | undefined;
  let skip = 0;

  /** All of it or nothing: at the end of the stream, what is left of a message is dropped with it. */
  const take = (size: number): Buffer | null => {
    const chunk: unknown = size === 0 ? Buffer.alloc(0) : read(size);
    return Buffer.isBuffer(chunk) && chunk.length === size ? chunk : null;
  };
  const skipped = (): boolean => {
    while (skip > 0) {
      const chunk: unknown = read(Math.min(skip, stream.readableLength) || undefined);
      if (!Buffer.isBuffer(chunk)) {
        return false;
      }
      skip -= chunk.length;
    }
    return true;
  };

  return size => {
    if (size === 0) {
      // Node's own, by which it asks for more without taking anything.
      return read(0);
    }
    if (rest !== undefined) {
      const chunk = take(rest);
      rest = chunk === null ? rest : undefined;
      return chunk;
    }
    while (skipped()) {
      const fixed = take(FIXED_BYTES);
      if (fixed === null) {
        return null;
      }
      const length = restLength(fixed);
      if (length <= MESSAGE_BYTES_MAX) {
        rest = length;
        return fixed;
      }
      skip = length;
      onDropped(`it has ${FIXED_BYTES + length} bytes, more than ${MESSAGE_BYTES_MAX}`);
    }
    return null;
  };
}

/** The header's fields, padded to a multiple of 8, and the body. */
function restLength(fixed: Buffer): number {
  const [fields, body] = [FIELDS_LENGTH_AT, BODY_LENGTH_AT].map(offset =>
    fixed[0] === LITTLE_ENDIAN ? fixed.readUInt32LE(offset) : fixed.readUInt32BE(offset),
  );
  return Math.ceil((fields ?? 0) / 8) * 8 + (body ?? 0);
}
