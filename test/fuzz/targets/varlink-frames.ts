/**
 * Bytes of a peer into frames, and frames into calls and replies. However the bytes are cut into chunks, the frames are the same; what is
 * read as a call or a reply is written, and reads as the same again.
 */

import assert from 'node:assert/strict';
import { FrameReader } from '../../../src/varlink/framing.ts';
import { writeJson } from '../../../src/varlink/json.ts';
import { readCall, readReply, writeCall, writeErrorReply, writeReply } from '../../../src/varlink/message.ts';
import type { Target } from './types.ts';

const FRAME_BYTES_MAX = 256;

/** @returns the frames, in their order, and how it ended */
function framesOf(chunks: Iterable<Buffer>): { frames: Buffer[]; tooLong: boolean } {
  const reader = new FrameReader(FRAME_BYTES_MAX);
  const frames: Buffer[] = [];
  for (const chunk of chunks) {
    // Whoever gives a chunk does not write to it again, and it is not the reader's to change.
    reader.push(Buffer.from(chunk));
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      if (frame === 'too long') {
        return { frames, tooLong: true };
      }
      assert.ok(frame.length <= FRAME_BYTES_MAX && !frame.includes(0));
      frames.push(Buffer.from(frame));
    }
    assert.ok(reader.buffered <= FRAME_BYTES_MAX);
  }
  return { frames, tooLong: false };
}

/** Cuts after 1, 2, 3, 5, 8 … bytes, and begins again. */
function* chunksOf(input: Buffer): Generator<Buffer> {
  let [last, size] = [1, 1];
  for (let at = 0; at < input.length; ) {
    yield input.subarray(at, at + size);
    at += size;
    [last, size] = size > 60 ? [1, 1] : [size, last + size];
  }
}

function tryFrame(frame: Buffer): string {
  const read = readCall(frame);
  let outcome: string = read.kind;
  if (read.kind === 'call') {
    const { method, parameters, more, oneway } = read.call;
    const written = writeCall({ method, parameters: writeJson(parameters, 1), more, oneway });
    assert.deepEqual(readCall(Buffer.from(written.slice(0, -1))), read);
  } else if (read.kind === 'broken') {
    outcome = read.reason.replace(/"(?:[^"\\]|\\.)*"/g, '"').replace(/\d+/g, '0');
  }
  const reply = readReply(frame);
  if (typeof reply !== 'string') {
    const parameters = writeJson(reply.parameters, 1);
    const text =
      reply.error === undefined ? writeReply(parameters, reply.continues) : writeErrorReply(reply.error, parameters);
    assert.deepEqual(readReply(Buffer.from(text.slice(0, -1))), reply);
    outcome += ' reply';
  }
  return outcome;
}

export const varlinkFrames: Target = {
  name: 'varlink-frames',
  pieces: [
    ...[
      '\0',
      '\0\0',
      '{"method":"',
      '"parameters":',
      '"more":true',
      '"oneway":true',
      '"upgrade":true',
      '"error":"a.b"',
    ],
    ...['"continues":true', '{}', 'null', 'org.varlink.service.GetInfo', ',', '}', '"', '\\u0000', '\xff'],
  ],
  bytesMax: 2_048,
  start: () => ({
    run(input) {
      const whole = framesOf([input]);
      assert.deepEqual(framesOf(chunksOf(input)), whole);
      if (!whole.tooLong) {
        assert.deepEqual(
          Buffer.concat(whole.frames.flatMap(frame => [frame, Buffer.of(0)])),
          input.subarray(0, input.lastIndexOf(0) + 1),
        );
      }
      return [...new Set(whole.frames.map(tryFrame)), whole.tooLong ? 'too long' : ''].join(' ');
    },
  }),
};
