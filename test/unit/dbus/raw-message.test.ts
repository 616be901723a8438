/** What is read of a message before it is decoded: of ones that dbus-daemon would pass on, and of bytes that it would not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEPTH_MAX, HEADER_FIELDS_MAX, HEADER_VALUES_MAX } from '../../../src/dbus/limits.ts';
import { checkBody, FIXED_BYTES, readHead, restLength } from '../../../src/dbus/raw-message.ts';
import { encodeMessage, type RawMessage } from '../../integration/dbus/raw-sender.ts';

function message(parts: Partial<RawMessage>): { fixed: Buffer; rest: Buffer } {
  const bytes = encodeMessage(
    {
      ...{ kind: 'call', destination: 'a.b', path: '/', interface: 'a.b', member: 'M', signature: '' },
      ...{ body: Buffer.alloc(0), ...parts },
    },
    258,
  );
  return { fixed: bytes.subarray(0, FIXED_BYTES), rest: bytes.subarray(FIXED_BYTES) };
}

/** Checks a body of a signature, given as hexadecimal digits. */
function check(signature: string, hex: string, max = 100): void {
  const { fixed, rest } = message({ signature, body: Buffer.from(hex.replaceAll(' ', ''), 'hex') });
  checkBody(fixed, rest, readHead(fixed, rest), max);
}

/** @returns how many values the body is counted as */
function count(signature: string, hex: string): number {
  for (let max = 0; ; max++) {
    try {
      check(signature, hex, max);
      return max;
    } catch (error) {
      assert.match(String(error), /it holds more than \d+ values/);
    }
  }
}

/** An array of arrays, whose innermost has one empty string; its length comes before each. */
function arrays(depth: number): Buffer {
  let bytes = Buffer.alloc(5);
  for (let level = 0; level < depth; level++) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    bytes = Buffer.concat([length, bytes]);
  }
  return bytes;
}

describe('a message before it is decoded', () => {
  it('says who sent it, and what it is', () => {
    const fields = [[7, 's', ':1.42'] as const];
    const { fixed, rest } = message({
      signature: 'su',
      body: Buffer.from('00000000000000000100000 0'.replace(' ', ''), 'hex'),
      fields,
    });
    assert.equal(restLength(fixed), rest.length);
    const { sender, signature, serial, type, replyExpected } = readHead(fixed, rest);
    assert.deepEqual([sender, signature, serial, type, replyExpected], [':1.42', 'su', 258, 1, true]);
    const signal = message({ kind: 'signal' });
    assert.deepEqual(readHead(signal.fixed, signal.rest), {
      ...{ type: 4, serial: 258, replyExpected: false, sender: '', signature: '' },
    });
  });

  it('is read in both byte orders', () => {
    const { fixed, rest } = message({ signature: 'au', body: Buffer.from('0000000400000001', 'hex') });
    const [fields, body] = [fixed.readUInt32LE(12), fixed.readUInt32LE(4)];
    const big = Buffer.from(fixed);
    big.write('B', 0);
    big.writeUInt32BE(body, 4);
    big.writeUInt32BE(fields, 12);
    assert.equal(restLength(big), rest.length);
    checkBody(big, rest, { ...readHead(fixed, rest) }, 2);
  });

  it('has each of its values counted', () => {
    assert.equal(count('yb', '07 000000 01000000'), 2);
    assert.equal(count('ad', '10000000 00000000 0000000000000000 0000000000000000'), 3);
    assert.equal(count('ay', '05000000 0102030405'), 1);
    assert.equal(count('as', '0a000000 01000000 6100 0000 00000000 00'.replace('0a', '0d')), 3);
    // A variant, and what is in it.
    assert.equal(count('v', '01 75 00 00 2a000000'), 2);
    // A dictionary of two entries: the array, and of each the entry, its key, its variant and the value in that.
    const entry = '0100000061 00 01 79 00 09'.replaceAll(' ', '');
    assert.equal(count('a{sv}', `1a000000 00000000 ${entry} 000000000000 ${entry}`), 9);
    // What comes after a text, a signature or a variant.
    assert.equal(count('sy', '01000000 61 00 07'), 2);
    assert.equal(count('oy', '01000000 2f 00 07'), 2);
    assert.equal(count('gy', '02 7575 00 07'), 2);
    assert.equal(count('vy', '01 79 00 05 07'), 3);
    assert.equal(count('(ggs)y', '01 79 00 01 79 00 0000 01000000 61 00 07'), 5);
    assert.equal(count('a(yy)as', '0a000000 00000000 0101 000000000000 0202 0000 00000000'), 8);
  });

  it('has its values where their types put them, each of its size', () => {
    const sizes = { y: 1, n: 2, q: 2, b: 4, i: 4, u: 4, h: 4, x: 8, t: 8, d: 8 };
    for (const [type, size] of Object.entries(sizes)) {
      // One after a byte, and two in an array: with nothing too much at the end.
      const bytes = size === 1 ? 2 : 2 * size;
      const length = Buffer.alloc(size === 8 ? 8 : 4);
      length.writeUInt32LE(2 * size);
      const array = `${length.toString('hex')}${'01'.repeat(2 * size)}`;
      assert.equal(count(`y${type}`, '01'.repeat(bytes)), 2, type);
      assert.throws(() => check(`y${type}`, '01'.repeat(bytes - 1)), /cut short/, type);
      assert.equal(count(`a${type}`, array), type === 'y' ? 1 : 3, type);
      assert.throws(() => check(`a${type}`, array.slice(0, -2)), /cut short/, type);
    }
    for (const [type, bytes] of [
      ['s', '01 00 00 00 02000000 6161 00'],
      ['o', '01 00 00 00 02000000 2f61 00'],
      ['g', '01 02 7575 00'],
      ['v', '01 01 79 00 07'],
      ['(y)', '01 00000000000000 07'],
    ] as const) {
      const hex = bytes.replaceAll(' ', '');
      check(`y${type}`, hex);
      assert.throws(() => check(`y${type}`, hex.slice(0, -2)), /cut short/, type);
    }
  });

  it('may have empty arrays of anything, and something after them', () => {
    const text = '01000000 61 00';
    for (const [element, padding] of [
      ...[...'nqbiuhsoga'].map(type => [type === 'a' ? 'as' : type, '']),
      ...['x', 't', 'd', '(y(y)y)', '{s(yas)}', '{sv}'].map(type => [type, '00000000']),
      ...['aa(y(yy))', 'aaas', 'a{sa{sv}}'].map(type => [type, '']),
      ['v', ''],
    ] as const) {
      assert.equal(count(`a${element}s`, `00000000 ${padding} ${text}`), 2, element);
    }
  });

  it('is refused if its header is too much', () => {
    const fields = (number: number) => Array.from({ length: number }, () => [99, 's', 'x'] as const);
    const much = message({ fields: fields(HEADER_FIELDS_MAX) });
    assert.throws(() => readHead(much.fixed, much.rest), /more than \d+ header fields/);
    const large = Buffer.alloc(4 + 4 * HEADER_VALUES_MAX);
    large.writeUInt32LE(large.length - 4);
    const array = message({ fields: [[99, 'au', Buffer.concat([Buffer.alloc(3), large])]] });
    assert.throws(() => readHead(array.fixed, array.rest), /holds more than/);
    const nested = (depth: number) => {
      const type = `${'a'.repeat(depth)}s`;
      // A code and the type come before it; the value begins at a multiple of 4.
      const padding = Buffer.alloc(-(type.length + 3) & 3);
      return message({ fields: [[99, type, Buffer.concat([padding, arrays(depth)])]] });
    };
    // The value of a field is in a variant.
    const deepest = nested(DEPTH_MAX - 1);
    readHead(deepest.fixed, deepest.rest);
    const deeper = nested(DEPTH_MAX);
    assert.throws(() => readHead(deeper.fixed, deeper.rest), /nested deeper/);
  });

  it('is refused if nobody could answer its sender', () => {
    for (const sender of ['', ':1.5\0', ':1.\u00e9', 'word', ':1..5', ':1.5 ', ':1.5\n']) {
      const { fixed, rest } = message({ fields: [[7, 's', sender]] });
      assert.throws(() => readHead(fixed, rest), /sender is not a bus name/, JSON.stringify(sender));
    }
    const { fixed, rest } = message({ fields: [[7, 's', 'org.freedesktop.DBus']] });
    assert.equal(readHead(fixed, rest).sender, 'org.freedesktop.DBus');
  });

  it('is refused if it is nested without end', () => {
    const nested: readonly ((depth: number) => readonly [signature: string, hex: string])[] = [
      depth => ['v', `${'017600'.repeat(depth - 1)}017900 07`],
      depth => [`${'('.repeat(depth)}y${')'.repeat(depth)}`, '07'],
      depth => [`${'a'.repeat(depth)}s`, arrays(depth).toString('hex')],
    ];
    for (const make of nested) {
      check(...make(DEPTH_MAX), 1_000);
      assert.throws(() => check(...make(DEPTH_MAX + 1), 1_000), /nested deeper/);
    }
    const deep = DEPTH_MAX + 2;
    assert.throws(() => check('v', '017600'.repeat(deep), 1_000), /nested deeper/);
    assert.throws(() => check(`${'('.repeat(deep)}y${')'.repeat(deep)}`, '07', 1_000), /nested deeper/);
  });

  it('is refused if it is cut short, or its signature is invalid', () => {
    for (const [signature, hex] of [
      ['u', '0100'],
      ['s', 'ff000000 6100'],
      ['au', '08000000 01000000'],
      ['a(yy)', '08000000 00000000 0101'],
      ['v', '05 75'],
      ['g', 'ff 75'],
    ] as const) {
      assert.throws(() => check(signature, hex), /cut short/, signature);
    }
    for (const signature of ['a', '(y', 'a(', 'z', ')', 'a{s', '{', 'a()('] as const) {
      assert.throws(() => check(signature, '0000000000000000'), /has the type|has no end/, signature);
    }
    // An element of no bytes would be read for ever.
    assert.throws(() => check('a()', '01000000 00000000 00'), /holds more than/);
  });

  it('is never taken for more than its bytes, whatever they are', () => {
    let seed = 20_261_127;
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed;
    };
    for (let round = 0; round < 20_000; round++) {
      const rest = Buffer.from(Array.from({ length: random() % 96 }, () => random() % 256));
      const fixed = Buffer.from(Array.from({ length: FIXED_BYTES }, () => random() % 256));
      fixed.write(round % 2 === 0 ? 'l' : 'B', 0);
      fixed.writeUInt32LE(random() % 64, 12);
      try {
        checkBody(fixed, rest, { ...readHead(fixed, rest), signature: 'a{sv}' }, 1_000);
      } catch (error) {
        assert.equal(error instanceof Error ? error.name : error, 'Unreadable');
      }
    }
  });
});
