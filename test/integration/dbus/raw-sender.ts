/** A peer on the bus that writes its own bytes (D-Bus specification, "Message Format"), for what no library would send. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const METHOD_CALL = 1;
const SIGNAL = 4;

/** A field whose value is bytes has them marshalled already, by its type. */
type Field = readonly [code: number, type: string, value: string | Buffer];

export interface RawMessage {
  readonly kind: 'call' | 'signal';
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: Buffer;
  /** further header fields */
  readonly fields?: readonly Field[];
}

/** @returns the bytes of a message, as the bus or a client sends them */
export function encodeMessage(message: RawMessage, serial: number): Buffer {
  const { kind, destination, path, interface: name, member, signature, body } = message;
  const fields: Field[] = [
    [1, 'o', path],
    [2, 's', name],
    [3, 's', member],
    [6, 's', destination],
    ...(signature === '' ? [] : [[8, 'g', signature] as const]),
    ...(message.fields ?? []),
  ];
  const array = fields.map(encodeField).reduce((all, field) => Buffer.concat([all, padding(all.length, 8), field]));
  const { length } = array;
  const fixed = Buffer.alloc(16);
  fixed.write('l', 0);
  fixed.writeUInt8(kind === 'call' ? METHOD_CALL : SIGNAL, 1);
  fixed.writeUInt8(kind === 'call' ? 0 : 1, 2);
  fixed.writeUInt8(1, 3);
  fixed.writeUInt32LE(body.length, 4);
  fixed.writeUInt32LE(serial, 8);
  fixed.writeUInt32LE(length, 12);
  return Buffer.concat([fixed, array, padding(length, 8), body]);
}

export class RawSender {
  readonly #socket: Socket;
  #serial = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // What it is told does not matter here, and must not fill the socket.
    socket.resume();
  }

  static async connect(path: string): Promise<RawSender> {
    const socket = connect(path);
    await once(socket, 'connect');
    socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.getuid?.())).toString('hex')}\r\n`);
    await once(socket, 'data');
    socket.write('BEGIN\r\n');
    const sender = new RawSender(socket);
    const driver = 'org.freedesktop.DBus';
    sender.send({
      kind: 'call',
      destination: driver,
      path: '/org/freedesktop/DBus',
      interface: driver,
      member: 'Hello',
      signature: '',
      body: Buffer.alloc(0),
    });
    await once(socket, 'data');
    return sender;
  }

  send(message: RawMessage): void {
    this.#socket.write(encodeMessage(message, this.#serial++));
  }

  /** Waits until the bus has taken what was sent. */
  async flushed(): Promise<void> {
    if (this.#socket.writableNeedDrain) {
      await once(this.#socket, 'drain');
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A struct of the code and a variant, which starts on a multiple of 8. */
function encodeField([code, type, value]: Field): Buffer {
  const head = Buffer.from(`${String.fromCharCode(code, type.length)}${type}\0`, 'latin1');
  if (typeof value !== 'string') {
    return Buffer.concat([head, value]);
  }
  const text = Buffer.from(`${value}\0`);
  const size = Buffer.alloc(type === 'g' ? 1 : 4);
  if (type === 'g') {
    size.writeUInt8(text.length - 1);
  } else {
    size.writeUInt32LE(text.length - 1);
  }
  return Buffer.concat([head, size, text]);
}

function padding(length: number, unit: number): Buffer {
  return Buffer.alloc((unit - (length % unit)) % unit);
}
