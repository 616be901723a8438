/** A message bus of one socket: it lets everybody in, notes what it is sent, and says what a test has it say. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DRIVER } from '../../../src/dbus/message.ts';
import { encodeMessage } from '../../integration/dbus/raw-sender.ts';

const FIXED = 16;
/** Message types, and header fields (D-Bus specification, "Message Format"). */
export const CALL = 1;
export const RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;
const FIELDS = [
  '',
  'path',
  'interface',
  'member',
  'error',
  'replySerial',
  'destination',
  'sender',
  'signature',
] as const;

/** A message that came in. */
export type Received = Partial<Record<(typeof FIELDS)[number], string | number>> & {
  readonly type: number;
  readonly flags: number;
  readonly serial: number;
  readonly body: Buffer;
};

/** Strings as they are in a body, each but the first aligned to 4. */
export function strings(...values: readonly string[]): Buffer {
  return values.reduce((body, value) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(Buffer.byteLength(value));
    return Buffer.concat([body, Buffer.alloc(-body.length & 3), size, Buffer.from(`${value}\0`)]);
  }, Buffer.alloc(0));
}

/** One who has connected, as the bus sees it. */
export class Peer {
  readonly received: Received[] = [];
  readonly #socket: Socket;
  readonly #bus: FakeBus;
  #bytes = Buffer.alloc(0);
  #isIn = false;
  /** settles when the connection has ended */
  readonly closed: Promise<unknown>;

  constructor(socket: Socket, bus: FakeBus) {
    this.#socket = socket;
    this.#bus = bus;
    this.closed = once(socket, 'close');
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#read();
    });
  }

  /** @returns the first message of a member or of a type, as soon as it is there */
  async next(wanted: string | number): Promise<Received> {
    for (;;) {
      const found = this.received.find(({ member, type }) => wanted === (typeof wanted === 'string' ? member : type));
      if (found !== undefined) {
        this.received.splice(this.received.indexOf(found), 1);
        return found;
      }
      await once(this.#bus.news, 'message');
    }
  }

  /** Answers a call: with strings, or with an error and its text. @param sender the bus itself unless it is another */
  answer({ serial }: Received, text: readonly string[] = [], error = '', sender: string = DRIVER): void {
    const replySerial = Buffer.alloc(4);
    replySerial.writeUInt32LE(serial);
    const message = encodeMessage(
      {
        ...{ kind: 'signal', destination: ':1.1', path: '/', interface: 'a.b', member: 'a' },
        ...{ signature: 's'.repeat(text.length), body: strings(...text) },
        fields: [[5, 'u', replySerial], [7, 's', sender], ...(error === '' ? [] : [[4, 's', error] as const])],
      },
      1,
    );
    message[1] = error === '' ? RETURN : ERROR;
    this.send(message);
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(): void {
    while (!this.#isIn) {
      const end = this.#bytes.indexOf('\r\n');
      if (end < 0) {
        return;
      }
      const line = this.#bytes.toString('latin1', 0, end);
      this.#bytes = this.#bytes.subarray(end + 2);
      this.#isIn = line === 'BEGIN';
      if (!this.#isIn) {
        this.#bus.greet(this, line);
      }
    }
    for (let message = this.#take(); message !== undefined; message = this.#take()) {
      if (message.member === 'Hello') {
        this.#bus.hello(this, message);
      } else {
        this.received.push(message);
        this.#bus.news.dispatchEvent(new Event('message'));
        this.#bus.asked(this, message);
      }
    }
  }

  #take(): Received | undefined {
    const bytes = this.#bytes;
    if (bytes.length < FIXED) {
      return undefined;
    }
    const end = FIXED + bytes.readUInt32LE(12);
    const start = Math.ceil(end / 8) * 8;
    const length = start + bytes.readUInt32LE(4);
    if (bytes.length < length) {
      return undefined;
    }
    this.#bytes = bytes.subarray(length);
    const [, type = 0, flags = 0] = bytes;
    const fields: Partial<Record<string, string | number>> = {};
    for (let at = FIXED; at < end; at = Math.ceil(at / 8) * 8) {
      const name = FIELDS[bytes[at] ?? 0] ?? '';
      const value = String.fromCharCode(bytes[at + 2] ?? 0);
      at += 4;
      if (value === 'u') {
        fields[name] = bytes.readUInt32LE(at);
        at += 4;
      } else {
        const size = value === 'g' ? 1 : 4;
        const textLength = size === 1 ? bytes.readUInt8(at) : bytes.readUInt32LE(at);
        fields[name] = bytes.toString('utf8', at + size, at + size + textLength);
        at += size + textLength + 1;
      }
    }
    return { ...fields, type, flags, serial: bytes.readUInt32LE(8), body: bytes.subarray(start, length) };
  }
}

export class FakeBus {
  readonly #directory = mkdtempSync(join(tmpdir(), 'dynuser-bus-'));
  readonly socket = join(this.#directory, 'bus');
  readonly news = new EventTarget();
  /** all who have connected */
  readonly peers: Peer[] = [];
  /** what a line of the authentication, Hello and any other message lead to */
  greet: (peer: Peer, line: string) => void = (peer, line) =>
    peer.send(Buffer.from(line.includes('AUTH') ? 'OK 0123\r\n' : 'ERROR\r\n'));
  hello = (peer: Peer, message: Received): void => peer.answer(message, [':1.1']);
  asked: (peer: Peer, message: Received) => void = () => {};
  #server: Server | undefined;

  async start(): Promise<void> {
    const server = createServer(socket => {
      this.peers.push(new Peer(socket, this));
      this.news.dispatchEvent(new Event('peer'));
    });
    this.#server = server;
    await once(server.listen(this.socket), 'listening');
  }

  /** @returns the one that connects next, or has connected as the one of this number */
  async peer(index = this.peers.length): Promise<Peer> {
    for (;;) {
      const peer = this.peers[index];
      if (peer !== undefined) {
        return peer;
      }
      await once(this.news, 'peer');
    }
  }

  /** Ends everything; it may be started again. */
  stop(): void {
    this.#server?.close();
    for (const peer of this.peers) {
      peer.close();
    }
  }

  remove(): void {
    this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
