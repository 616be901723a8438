/** A peer on the bus that writes its own bytes (D-Bus specification, "Message Format"), for what no library would send. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const METHOD_CALL = 1;
const SIGNAL = 4;

type Field = readonly [code: number, type: 'o' | 's' | 'g', value: string];

export interface RawMessage {
  readonly kind: 'call' | 'signal';
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: Buffer;
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

  send({ kind, destination, path, interface: name, member, signature, body }: RawMessage): void {
    const fields: Field[] = [
      [1, 'o', path],
      [2, 's', name],
      [3, 's', member],
      [6, 's', destination],
      ...(signature === '' ? [] : [[8, 'g', signature] as const]),
    ];
    const array = fields.map(encodeField).reduce((all, field) => Buffer.concat([all, padding(all.length, 8), field]));
    const { length } = array;
    const fixed = Buffer.alloc(16);
    fixed.write('l', 0);
    fixed.writeUInt8(kind === 'call' ? METHOD_CALL : SIGNAL, 1);
    fixed.writeUInt8(kind === 'call' ? 0 : 1, 2);
    fixed.writeUInt8(1, 3);
    fixed.writeUInt32LE(body.length, 4);
    fixed.writeUInt32LE(this.#serial++, 8);
    fixed.writeUInt32LE(length, 12);
    this.#socket.write(Buffer.concat([fixed, array, padding(length, 8), body]));
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
  const head = Buffer.from([code, 1, type.charCodeAt(0), 0]);
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
