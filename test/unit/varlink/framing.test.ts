import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader } from '../../../src/varlink/framing.ts';

function drain(reader: FrameReader): string[] {
  const frames: string[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    frames.push(frame.toString());
    if (frame === 'too long') {
      break;
    }
  }
  return frames;
}

test('frames are the same whatever the pieces that they come in', () => {
  const input = Buffer.from('{"a":1}\0\0second\0é😀\0rest');
  for (let size = 1; size <= input.length; size++) {
    const reader = new FrameReader(64);
    const frames: string[] = [];
    for (let offset = 0; offset < input.length; offset += size) {
      reader.push(Buffer.from(input.subarray(offset, offset + size)));
      frames.push(...drain(reader));
    }
    assert.deepEqual(frames, ['{"a":1}', '', 'second', 'é😀'], `in pieces of ${size}`);
    assert.equal(reader.buffered, 4);
  }
});

test('frames may be left for later while more comes', () => {
  const reader = new FrameReader(64);
  for (const piece of ['one\0tw', 'o\0thr', 'ee\0', 'four\0']) {
    reader.push(Buffer.from(piece));
  }
  assert.deepEqual(drain(reader), ['one', 'two', 'three', 'four']);
  assert.equal(reader.buffered, 0);
});

test('a frame handed out stays as it is when more comes', () => {
  const reader = new FrameReader(64);
  reader.push(Buffer.from('fir'));
  reader.push(Buffer.from('st\0sec'));
  const first = reader.next();
  reader.push(Buffer.from('ond\0'));
  reader.push(Buffer.alloc(40, 'x'));
  assert.equal(first?.toString(), 'first');
});

test('the longest frame passes, and one byte more does not', () => {
  const reader = new FrameReader(8);
  reader.push(Buffer.from(`${'x'.repeat(8)}\0`));
  assert.deepEqual(drain(reader), ['x'.repeat(8)]);
  reader.push(Buffer.from(`${'x'.repeat(9)}\0`));
  assert.deepEqual(drain(reader), ['too long']);
});

test('a frame is too long as soon as that shows, with no end in sight', () => {
  const reader = new FrameReader(8);
  for (let count = 1; count <= 8; count++) {
    reader.push(Buffer.from('x'));
    assert.equal(reader.next(), undefined);
  }
  reader.push(Buffer.from('x'));
  assert.equal(reader.next(), 'too long');
});

test('in many pieces it costs about as much as in one', () => {
  const piece = Buffer.alloc(16, 'x');
  const pieces = 256 * 1024;
  const reader = new FrameReader(pieces * piece.length);
  const before = process.cpuUsage();
  for (let count = 0; count < pieces; count++) {
    reader.push(piece);
    assert.equal(reader.next(), undefined);
  }
  reader.push(Buffer.from([0]));
  assert.equal(reader.next()?.length, pieces * piece.length);
  // Looking at all of the frame again for each piece would be 5 * 10^11 steps.
  assert.ok(process.cpuUsage(before).user < 5_000_000);
});
