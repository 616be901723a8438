import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { beforeEach, describe, it } from 'node:test';
import { guardInbound, type InboundGuard } from '../../../src/dbus/inbound-guard.ts';
import {
  MESSAGE_BYTES_MAX,
  QUEUED_BYTES_MAX,
  QUEUED_PER_SENDER_MAX,
  VALUES_FROM_BUS_MAX,
  VALUES_MAX,
} from '../../../src/dbus/limits.ts';
import { DRIVER } from '../../../src/dbus/message.ts';
import type { BusTask } from '../../../src/dbus/port.ts';
import { encodeMessage, type RawMessage } from '../../integration/dbus/raw-sender.ts';

const FIXED = 16;

/** A call that is known again by its member. */
function call(member: string, parts: Partial<RawMessage> = {}, sender = ':1.7'): Buffer {
  const message: RawMessage = {
    ...{ kind: 'call', destination: 'a.b', path: '/', interface: 'a.b', member, signature: '', body: Buffer.alloc(0) },
    ...parts,
    fields: [[7, 's', sender], ...(parts.fields ?? [])],
  };
  return encodeMessage(message, 1);
}

/** So many variants, each of one byte. */
function variants(count: number): Pick<RawMessage, 'signature' | 'body'> {
  const body = Buffer.alloc(4 + 4 * count);
  body.writeUInt32LE(body.length - 4);
  for (let at = 4; at < body.length; at += 4) {
    body.write('\u0001y\0\u0007', at, 'latin1');
  }
  return { signature: 'av', body };
}

function bytes(length: number): Pick<RawMessage, 'signature' | 'body'> {
  const body = Buffer.alloc(4 + length);
  body.writeUInt32LE(length);
  return { signature: 'ay', body };
}

describe('the guard on what comes in', () => {
  let stream: Duplex;
  let guard: InboundGuard;
  /** the members of what dbus-next would decode */
  let read: string[];
  let dropped: string[];
  let refused: string[];
  /** senders whose turn it is to be; while it is undefined everything is done at once */
  let turns: BusTask[] | undefined;
  beforeEach(() => {
    stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    read = [];
    dropped = [];
    refused = [];
    turns = undefined;
    // As dbus-next reads: the fixed part, then the rest, until there is no more.
    let fixed: Buffer | null = null;
    stream.on('readable', () => {
      for (;;) {
        const chunk: Buffer | null = stream.read(fixed === null ? FIXED : 1);
        if (chunk === null) {
          return;
        }
        const isRest = fixed !== null;
        fixed = isRest ? null : chunk;
        if (isRest) {
          const text = chunk.toString('latin1');
          const at = text.indexOf('\u0003\u0001s\0') + 8;
          const member = text.slice(at, text.indexOf('\0', at));
          if (member === '!') {
            throw new RangeError('out of range');
          }
          read.push(member);
        }
      }
    });
    guard = guardInbound(stream, {
      turns: {
        run: task => {
          while (turns === undefined && task.step());
          turns?.push(task);
        },
      },
      onDropped: reason => dropped.push(reason),
      onRefused: ({ sender, serial }, reason) => refused.push(`${sender} ${serial} ${reason}`),
    });
  });

  const push = async (chunk: Buffer | null, step = chunk?.length ?? 0): Promise<void> => {
    for (let offset = 0; chunk !== null && offset < chunk.length; offset += step) {
      stream.push(chunk.subarray(offset, offset + step));
      await new Promise(resolve => setImmediate(resolve));
    }
    if (chunk === null) {
      stream.push(null);
      await new Promise(resolve => setImmediate(resolve));
    }
  };

  it('lets whole messages through, however they come in', async () => {
    const messages = Buffer.concat([call('a'), call('b', { signature: 'y', body: Buffer.from([7]) }), call('c')]);
    await push(messages);
    await push(messages, 1);
    assert.deepEqual(read, ['a', 'b', 'c', 'a', 'b', 'c']);
    assert.deepEqual(dropped, []);
  });

  it('is not held up by a message without header fields or body', async () => {
    const bare = Buffer.alloc(FIXED);
    bare.set([0x6c, 1, 0, 1]);
    bare.writeUInt32LE(5, 8);
    const messages = Buffer.concat([call('a'), bare, call('b')]);
    await push(messages);
    await push(messages, 1);
    assert.deepEqual(
      read.filter(member => member !== ''),
      ['a', 'b', 'a', 'b'],
    );
  });

  it('skips what is too long, however it comes in, and continues with the next', async () => {
    const long = call('x', bytes(MESSAGE_BYTES_MAX));
    const messages = Buffer.concat([call('a'), long, long, call('b')]);
    await push(messages);
    await push(messages, 1_000);
    assert.deepEqual(read, ['a', 'b', 'a', 'b']);
    assert.equal(dropped.length, 4);
    assert.match(dropped[0] ?? '', new RegExp(`^it has \\d+ bytes, more than ${MESSAGE_BYTES_MAX}$`));
  });

  it('lets a message through that is just short enough', async () => {
    const empty = call('a', bytes(0)).length - FIXED;
    await push(call('a', bytes(MESSAGE_BYTES_MAX - empty)));
    assert.deepEqual(read, ['a']);
  });

  it('counts what a message holds before it is decoded, and answers who waits for an answer', async () => {
    // The array is a value too.
    const values = (VALUES_MAX - 1) / 2;
    await push(call('a', variants(Math.floor(values))));
    await push(call('b', variants(Math.floor(values) + 1)));
    await push(call('c', { kind: 'signal', ...variants(15_000) }));
    assert.deepEqual(read, ['a']);
    assert.deepEqual(dropped, Array(2).fill(`it holds more than ${VALUES_MAX} values`));
    assert.deepEqual(refused, [`:1.7 1 it holds more than ${VALUES_MAX} values`]);
  });

  it('believes the bus itself more', async () => {
    await push(call('a', { kind: 'signal', ...variants(5_000) }, DRIVER));
    await push(call('b', { kind: 'signal', ...variants(VALUES_FROM_BUS_MAX) }, DRIVER));
    assert.deepEqual(read, ['a']);
  });

  it('continues with the next after one that the reader throws at', async () => {
    await push(Buffer.concat([call('!'), call('a'), call('!'), call('b')]));
    assert.deepEqual(read, ['a', 'b']);
    assert.deepEqual(dropped, Array(2).fill('it cannot be decoded: out of range'));
    assert.equal(refused.length, 2);
  });

  it('continues with the beginning of the next after one that the reader throws at in the middle', async () => {
    stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const seen: (string | undefined)[] = [];
    stream.on('readable', () => {
      for (let fixed: Buffer | null = stream.read(FIXED); fixed !== null; fixed = stream.read(FIXED)) {
        seen.push(fixed.toString('hex'));
        if (seen.length === 1) {
          throw new RangeError('out of range');
        }
        stream.read(1);
      }
    });
    guardInbound(stream, { turns: { run: task => task.step() }, onDropped: why => dropped.push(why), onRefused() {} });
    const messages = [call('a'), call('long', bytes(50))];
    await push(Buffer.concat(messages));
    assert.deepEqual(
      seen,
      messages.map(message => message.toString('hex', 0, FIXED)),
    );
    assert.deepEqual(dropped, ['it cannot be decoded: out of range']);
  });

  it('has calls wait for the turn of their sender; what the bus says waits for nobody', async () => {
    turns = [];
    await push(
      Buffer.concat([call('a', {}, ':1.1'), call('b', {}, ':1.1'), call('c', {}, ':1.2'), call('d', {}, DRIVER)]),
    );
    assert.deepEqual(read, ['d']);
    const [first, , second] = turns;
    assert.deepEqual([first?.owner, second?.owner], [':1.1', ':1.2']);
    assert.ok(first?.step());
    assert.ok(!second?.step());
    assert.deepEqual(read, ['d', 'a', 'c']);
    guard.flush();
    assert.deepEqual(read, ['d', 'a', 'c', 'b']);
    assert.ok(!first?.step(), 'nothing is left for it');
  });

  it('refuses what one sender has waiting past its bound, and past that of all who has the most pays', async () => {
    turns = [];
    for (let count = 0; count <= QUEUED_PER_SENDER_MAX; count++) {
      await push(call('a', {}, ':1.1'));
    }
    assert.deepEqual(refused, [`:1.1 1 ${QUEUED_PER_SENDER_MAX} messages of its sender wait already`]);
    refused.length = 0;
    for (let sent = 0; sent <= QUEUED_BYTES_MAX; sent += 60_000) {
      await push(call('large', bytes(60_000), ':1.2'));
    }
    await push(call('small', {}, ':1.3'));
    assert.ok(refused.length > 0 && refused.every(reason => reason.startsWith(':1.2 1 more than')), refused.join());
    guard.flush();
    assert.ok(read.includes('small'));
  });

  it('counts what waits, and neither what has been read nor what was refused', async () => {
    turns = [];
    for (let sent = 0; sent <= 2 * QUEUED_BYTES_MAX; sent += 60_000) {
      await push(call('large', bytes(60_000)));
      guard.flush();
    }
    assert.deepEqual(refused, []);
    for (let sent = 0; refused.length === 0; sent += 60_000) {
      assert.ok(sent <= QUEUED_BYTES_MAX);
      await push(call('large', bytes(60_000)));
    }
    // Without the one that was refused there is room for these.
    for (let count = 0; count < 10; count++) {
      await push(call('small', {}, ':1.3'));
    }
    assert.equal(refused.length, 1);
  });

  it('has whoever has the most pay, whoever comes last', async () => {
    turns = [];
    for (const [sender, count] of [
      [':1.1', 20],
      [':1.2', 30],
      [':1.3', 18],
    ] as const) {
      for (let sent = 0; sent < count; sent++) {
        await push(call('large', bytes(60_000), sender));
      }
    }
    assert.equal(refused.length, 0);
    await push(call('large', bytes(60_000), ':1.3'));
    await push(call('last', bytes(60_000), ':1.3'));
    assert.deepEqual(
      refused.map(reason => reason.slice(0, 4)),
      [':1.2'],
    );
    guard.flush();
    assert.equal(read.at(-1), 'last');
  });

  it('answers nobody who waits for no answer, or who is not known', async () => {
    const quiet = call('!');
    quiet[2] = 1;
    await push(quiet);
    await push(call('!', { kind: 'signal' }));
    assert.deepEqual([dropped.length, refused], [2, []]);
  });

  it('lets a stream end in the middle of a message, and of one that is skipped', async () => {
    for (const part of [call('a', bytes(50)).subarray(0, 40), call('x', bytes(MESSAGE_BYTES_MAX)).subarray(0, 100)]) {
      stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
      stream.on('readable', () => {
        while (stream.read(FIXED) !== null);
      });
      guardInbound(stream, { turns: { run: task => task.step() }, onDropped: () => {}, onRefused: () => {} });
      let ended = false;
      stream.on('end', () => {
        ended = true;
      });
      await push(part);
      await push(null);
      assert.ok(ended);
    }
  });
});
