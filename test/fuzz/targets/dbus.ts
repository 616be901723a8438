/**
 * Messages of peers on the bus. The lengths of a message are true, as the bus sees to it; all else of it is the input's. It costs itself
 * alone: the signal behind it arrives, and the connection stays. What is decoded as a call of Acquire is refused with our own errors.
 */
import assert from 'node:assert/strict';
import { readAcquire } from '../../../src/dbus/acquire-options.ts';
import { openConnection } from '../../../src/dbus/connection.ts';
import type { IncomingCall, Signal } from '../../../src/dbus/message.ts';
import { aligned, FakeBus, fieldsOf, message, SIGNAL } from './dbus-wire.ts';
import type { Target } from './types.ts';

const LANDMARK = 'Landmark';
const LANDMARK_WAIT_MS = 20_000;
/** What an input begins with: type, flags, and how many of the bytes behind them are the header's fields. */
const PREFIX_BYTES = 3;

/** The bus puts the sender into every message. */
const STAMP = aligned(fieldsOf({ sender: ':1.5' }), 8);

/** @returns the name of the error, which has to be one that is meant for callers */
function tryAcquire([unit, options]: readonly unknown[]): string {
  try {
    readAcquire(unit, options);
    return 'acquire';
  } catch (error) {
    assert.ok(error instanceof Error && error.constructor.name === 'CallRefused', String(error));
    return 'refused';
  }
}

export const dbus: Target = {
  name: 'dbus',
  pieces: [
    ...[
      '\0',
      '\0\0\0\0',
      '\x01\0\0\0',
      '\xff\xff\xff\xff',
      '\x01\x01o\0',
      '\x02\x01s\0',
      '\x03\x01s\0',
      '\x07\x01s\0',
      '\x08\x01g\0',
      '\x09\x01u\0',
    ],
    ...[
      'a{sv}',
      'sa{sv}',
      'v',
      'h',
      'ay',
      '(',
      ')',
      'a',
      'as',
      'org.freedesktop.DBus',
      '/io/dynuser/Allocator1',
      'Acquire',
      ':1.5',
    ],
  ],
  bytesMax: 1_024,
  async start() {
    const bus = await FakeBus.listen();
    let seen: string[] = [];
    let arrived: (() => void) | undefined;
    let lost: string | undefined;
    const connection = await openConnection(bus.socket, {
      signal(signal: Signal) {
        if (signal.member === LANDMARK && signal.sender === ':1.9') {
          arrived?.();
        } else {
          seen.push('signal');
        }
      },
      call(call: IncomingCall) {
        seen.push(`call ${call.answerWanted} ${tryAcquire(call.body)}`);
        call.fail('a.b.Error', 'no');
        call.reply('s', ['yes']);
      },
      lost(reason) {
        lost = reason;
        arrived?.();
      },
      dropped(reason) {
        seen.push(`dropped ${reason.split(':', 1)[0]?.replace(/\d+/g, '0')}`);
      },
    });
    const landmark = message(
      { type: SIGNAL, flags: 1, serial: 7 },
      fieldsOf({ path: '/', interface: 'a.b', member: LANDMARK, sender: ':1.9' }),
      Buffer.alloc(0),
    );
    return {
      async run(input) {
        seen = [];
        const [type = 1, flags = 0, share = 0] = input.subarray(0, PREFIX_BYTES);
        const rest = input.subarray(PREFIX_BYTES);
        const fields = Math.min(share * 4, rest.length);
        const stamped = Buffer.concat([STAMP, rest.subarray(0, fields)]);
        bus.send(message({ type, flags, serial: 5 }, stamped, rest.subarray(fields)));
        bus.send(landmark);
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve, reject) => {
          arrived = resolve;
          timer = setTimeout(() => reject(new Error('what was sent behind it does not arrive')), LANDMARK_WAIT_MS);
        }).finally(() => clearTimeout(timer));
        assert.equal(lost, undefined, 'the connection is gone');
        return seen.join(' ');
      },
      close() {
        connection.close();
        bus.close();
      },
    };
  },
};
