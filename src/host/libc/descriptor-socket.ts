/**
 * UNIX sockets that take datagrams or pass descriptors (unix(7), SCM_RIGHTS), which Node's do not: one message with at most one
 * descriptor. The layouts are those of 64-bit Linux. Every call is synchronous; of those of a connected socket none but a
 * connect and a receive waits.
 */
import { closeSync } from 'node:fs';
import { systemErrorCode } from '../host-error.ts';
import { ForeignFunction, MSG_DONTWAIT, SLOT, SOCK_CLOEXEC, SOL_SOCKET, writePointer } from './libc.ts';

/** Of sys/socket.h, the same on every 64-bit architecture that Node runs on. */
const AF_UNIX = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** struct msghdr: name, its length, parts, their count, control, its length, flags. */
const HEADER_BYTES = 7 * SLOT;
const [PARTS_AT, PART_COUNT_AT, CONTROL_AT, CONTROL_LENGTH_AT] = [2 * SLOT, 3 * SLOT, 4 * SLOT, 5 * SLOT];
/** struct cmsghdr with one descriptor: length, level, type, descriptor, and padding to a whole slot. */
const CONTROL_BYTES = 3 * SLOT;
const CONTROL_LENGTH = 2 * SLOT + 4;
/** No message that is sent or received is longer, unless the socket is made for longer ones. */
const MESSAGE_BYTES_MAX = 128;
/** sun_path of unix(7), with the NUL that ends a path or starts an abstract name. */
export const ADDRESS_BYTES_MAX = 108;

export interface ReceivedMessage {
  readonly text: string;
  /** closed on exec; the caller's to close */
  readonly descriptor: number | undefined;
}

/** One connected socket; holds the memory that the calls' arguments are in. */
export class DescriptorSocket {
  readonly #descriptor: number;
  readonly #send = new ForeignFunction('sendmsg', ['int32', 'pointer', 'int32']);
  readonly #receive = new ForeignFunction('recvmsg', ['int32', 'pointer', 'int32']);
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #part = Buffer.alloc(2 * SLOT);
  readonly #text: Buffer;
  readonly #control = Buffer.alloc(CONTROL_BYTES);

  /**
   * @param descriptor of a connected socket, which is this object's from now on
   * @param messageBytesMax the longest message, in bytes
   */
  constructor(descriptor: number, messageBytesMax = MESSAGE_BYTES_MAX) {
    this.#descriptor = descriptor;
    this.#text = Buffer.alloc(messageBytesMax);
    writePointer(this.#part, 0, this.#text);
    writePointer(this.#header, PARTS_AT, this.#part);
    this.#header.writeBigUInt64LE(1n, PART_COUNT_AT);
    writePointer(this.#header, CONTROL_AT, this.#control);
    this.#send.lay(0, descriptor, this.#header, MSG_DONTWAIT | MSG_NOSIGNAL);
    this.#receive.lay(0, descriptor, this.#header, MSG_CMSG_CLOEXEC);
  }

  /**
   * Connects to a socket. A datagram socket is connected at once; another waits for room in the listener's queue.
   * @param address an absolute path, or the name of an abstract socket with a NUL in front
   * @throws Error the system's, such as ENOENT or ECONNREFUSED
   */
  static connect(
    address: string,
    type: typeof SOCK_DGRAM | typeof SOCK_SEQPACKET,
    messageBytesMax = MESSAGE_BYTES_MAX,
  ): DescriptorSocket {
    if (Buffer.byteLength(address) >= ADDRESS_BYTES_MAX) {
      throw new Error(`${address} is longer than the path of a UNIX socket can be`);
    }
    const descriptor = openSocket(type);
    try {
      const bytes = socketAddress(address);
      new ForeignFunction('connect', ['int32', 'pointer', 'int32']).call(descriptor, bytes, bytes.length);
      return new DescriptorSocket(descriptor, messageBytesMax);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** @returns two ends of a SOCK_SEQPACKET connection; the second one's descriptor is the caller's to pass on and close */
  static pair(): { readonly near: DescriptorSocket; readonly far: number } {
    const ends = Buffer.alloc(8);
    const call = new ForeignFunction('socketpair', ['int32', 'int32', 'int32', 'pointer']);
    call.call(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
    return { near: new DescriptorSocket(ends.readInt32LE(0)), far: ends.readInt32LE(4) };
  }

  /**
   * Sends a message, with a duplicate of a descriptor, without waiting.
   * @param message at most as long as the socket was made for
   * @returns false if the receiver's queue is full
   * @throws Error the system's, such as EPIPE or ECONNREFUSED: nobody receives any more
   */
  send(message: string | Buffer, descriptor?: number): boolean {
    const length = typeof message === 'string' ? this.#text.write(message) : message.copy(this.#text);
    this.#part.writeBigUInt64LE(BigInt(length), SLOT);
    if (descriptor === undefined) {
      this.#header.writeBigUInt64LE(0n, CONTROL_LENGTH_AT);
    } else {
      this.#header.writeBigUInt64LE(BigInt(CONTROL_BYTES), CONTROL_LENGTH_AT);
      this.#control.writeBigUInt64LE(BigInt(CONTROL_LENGTH), 0);
      this.#control.writeInt32LE(SOL_SOCKET, SLOT);
      this.#control.writeInt32LE(SCM_RIGHTS, SLOT + 4);
      this.#control.writeInt32LE(descriptor, 2 * SLOT);
    }
    try {
      this.#send.call();
      return true;
    } catch (error) {
      // ETOOMANYREFS: too many descriptors are on their way; ENOBUFS: no memory for one more.
      if (['EAGAIN', 'ETOOMANYREFS', 'ENOBUFS'].includes(systemErrorCode(error) ?? '')) {
        return false;
      }
      throw error;
    }
  }

  /**
   * Waits for a message.
   * @returns undefined if the other side has closed the connection
   * @throws Error the system's; EAGAIN after the time of limitWait()
   */
  receive(): ReceivedMessage | undefined {
    this.#part.writeBigUInt64LE(BigInt(this.#text.length), SLOT);
    this.#header.writeBigUInt64LE(BigInt(CONTROL_BYTES), CONTROL_LENGTH_AT);
    const length = this.#receive.call();
    const passed =
      this.#header.readBigUInt64LE(CONTROL_LENGTH_AT) >= CONTROL_LENGTH &&
      this.#control.readInt32LE(SLOT) === SOL_SOCKET &&
      this.#control.readInt32LE(SLOT + 4) === SCM_RIGHTS;
    const descriptor = passed ? this.#control.readInt32LE(2 * SLOT) : undefined;
    return length === 0 ? undefined : { text: this.#text.toString('latin1', 0, length), descriptor };
  }

  /** @param milliseconds how long each receive may wait */
  limitWait(milliseconds: number): void {
    limitTime(this.#descriptor, SO_RCVTIMEO, milliseconds);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * Sends one datagram to a UNIX socket.
 * @param address as connect() takes it
 * @param timeoutMs how long the receiver's queue may stay full
 * @throws Error the system's, such as ECONNREFUSED, or EAGAIN after the timeout
 */
export function sendUnixDatagram(address: string, message: string, timeoutMs: number): void {
  const descriptor = openSocket(SOCK_DGRAM);
  try {
    limitTime(descriptor, SO_SNDTIMEO, timeoutMs);
    const send = new ForeignFunction('sendto', ['int32', 'pointer', 'size_t', 'int32', 'pointer', 'int32']);
    const [bytes, to] = [Buffer.from(message), socketAddress(address)];
    send.call(descriptor, bytes, bytes.length, MSG_NOSIGNAL, to, to.length);
  } finally {
    closeSync(descriptor);
  }
}

function openSocket(type: number): number {
  return new ForeignFunction('socket', ['int32', 'int32', 'int32']).call(AF_UNIX, type | SOCK_CLOEXEC);
}

/** @returns struct sockaddr_un of an absolute path, or of an abstract name with a NUL in front */
function socketAddress(address: string): Buffer {
  return Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(address)]);
}

/** @param option SO_RCVTIMEO or SO_SNDTIMEO (socket(7)) */
function limitTime(descriptor: number, option: number, milliseconds: number): void {
  const interval = Buffer.alloc(2 * SLOT);
  interval.writeBigInt64LE(BigInt(Math.floor(milliseconds / 1_000)), 0);
  interval.writeBigInt64LE(BigInt((milliseconds % 1_000) * 1_000), SLOT);
  const call = new ForeignFunction('setsockopt', ['int32', 'int32', 'int32', 'pointer', 'int32']);
  call.call(descriptor, SOL_SOCKET, option, interval, interval.length);
}
