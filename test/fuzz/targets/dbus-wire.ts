/** As much of a message bus as it takes for one client to say Hello to it, and to be sent whatever bytes. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FIXED_BYTES = 16;
const METHOD_RETURN = 2;
export const SIGNAL = 4;
/** Codes of header fields (D-Bus specification, "Header Fields"), with their types. */
export const FIELDS = {
  path: [1, 'o'],
  interface: [2, 's'],
  member: [3, 's'],
  replySerial: [5, 'u'],
  destination: [6, 's'],
  sender: [7, 's'],
  signature: [8, 'g'],
} as const;

export function aligned(bytes: Buffer, to: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
}

function value(type: 'o' | 's' | 'u' | 'g', given: string | number): Buffer {
  if (typeof given === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(given);
    return bytes;
  }
  const text = Buffer.from(`${given}\0`);
  if (type === 'g') {
    return Buffer.concat([Buffer.of(text.length - 1), text]);
  }
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length - 1);
  return Buffer.concat([length, text]);
}

/** @returns the header's fields, without the padding behind them */
export function fieldsOf(given: Partial<Record<keyof typeof FIELDS, string | number>>): Buffer {
  let bytes: Buffer = Buffer.alloc(0);
  for (const [name, field] of Object.entries(FIELDS)) {
    const [code, type] = field;
    const present = Object.entries(given).find(([key]) => key === name)?.[1];
    if (present !== undefined) {
      bytes = Buffer.concat([aligned(bytes, 8), Buffer.of(code, 1, type.charCodeAt(0), 0)]);
      bytes = Buffer.concat([aligned(bytes, 4), value(type, present)]);
    }
  }
  return bytes;
}

/** @returns a whole message whose lengths are those of its parts, whatever these are */
export function message(kind: { type: number; flags: number; serial: number }, fields: Buffer, body: Buffer): Buffer {
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed.set([0x6c, kind.type, kind.flags, 1]);
  fixed.writeUInt32LE(body.length, 4);
  fixed.writeUInt32LE(kind.serial, 8);
  fixed.writeUInt32LE(fields.length, 12);
  return Buffer.concat([fixed, aligned(fields, 8), body]);
}

export class FakeBus {
  readonly #directory = mkdtempSync(join(tmpdir(), 'dynuser-fuzz-'));
  readonly socket = join(this.#directory, 'bus');
  readonly #server: Server;
  #client: Socket | undefined;

  private constructor() {
    this.#server = createServer(client => {
      this.#client = client;
      client.on('error', () => {});
      client.on('data', bytes => this.#answer(client, bytes));
    });
  }

  static async listen(): Promise<FakeBus> {
    const bus = new FakeBus();
    bus.#server.listen(bus.socket);
    await once(bus.#server, 'listening');
    return bus;
  }

  send(bytes: Buffer): void {
    this.#client?.write(bytes);
  }

  close(): void {
    this.#client?.destroy();
    this.#server.close();
    rmSync(this.#directory, { recursive: true });
  }

  /** Whoever asks is let in, and Hello is the first call. */
  #answer(client: Socket, bytes: Buffer): void {
    const text = bytes.toString('latin1');
    if (text.includes('AUTH EXTERNAL')) {
      client.write(`OK ${'0'.repeat(32)}\r\n`);
    } else if (text.startsWith('NEGOTIATE')) {
      client.write('ERROR\r\n');
    }
    if (text.includes('Hello')) {
      const fields = fieldsOf({ replySerial: 1, sender: 'org.freedesktop.DBus', signature: 's', destination: ':1.1' });
      client.write(message({ type: METHOD_RETURN, flags: 1, serial: 1 }, fields, value('s', ':1.1')));
    }
  }
}
