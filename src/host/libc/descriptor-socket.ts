/**
 * UNIX sockets that pass descriptors (unix(7), SCM_RIGHTS), which Node does not: one message with at most one descriptor.
 * The layouts are those of 64-bit Linux. Every call is synchronous; none but a connect and a receive waits.
 */
import { closeSync } from 'node:fs';
import { systemErrorCode } from '../host-error.ts';
import { checked, foreign, SLOT, writePointer } from './libc.ts';

/** Of sys/socket.h, the same on every 64-bit architecture that Node runs on. */
const AF_UNIX = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** struct msghdr: name, its length, parts, their count, control, its length, flags. */
const HEADER_BYTES = 7 * SLOT;
const [PARTS_AT, PART_COUNT_AT, CONTROL_AT, CONTROL_LENGTH_AT] = [2 * SLOT, 3 * SLOT, 4 * SLOT, 5 * SLOT];
/** struct cmsghdr with one descriptor: length, level, type, descriptor, and padding to a whole slot. */
const CONTROL_BYTES = 3 * SLOT;
const CONTROL_LENGTH = 2 * SLOT + 4;
/** No message that is sent or received is longer. */
const MESSAGE_BYTES_MAX = 128;
/** sun_path of unix(7), with the NUL that ends a path or starts an abstract name. */
const ADDRESS_BYTES_MAX = 108;

export interface ReceivedMessage {
  readonly text: string;
  /** closed on exec; the caller's to close */
  readonly descriptor: number | undefined;
}

/** One connected socket; holds the memory that the calls' arguments are in. */
export class DescriptorSocket {
  readonly #descriptor: number;
  readonly #send = foreign('sendmsg', ['int32', 'pointer', 'int32']);
  readonly #receive = foreign('recvmsg', ['int32', 'pointer', 'int32']);
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #part = Buffer.alloc(2 * SLOT);
  readonly #text = Buffer.alloc(MESSAGE_BYTES_MAX);
  readonly #control = Buffer.alloc(CONTROL_BYTES);

  /** @param descriptor of a connected socket, which is this object's from now on */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    writePointer(this.#part, 0, this.#text);
    writePointer(this.#header, PARTS_AT, this.#part);
    this.#header.writeBigUInt64LE(1n, PART_COUNT_AT);
    writePointer(this.#header, CONTROL_AT, this.#control);
    for (const { frame } of [this.#send, this.#receive]) {
      frame.writeInt32LE(descriptor, 0);
      writePointer(frame, SLOT, this.#header);
    }
    this.#send.frame.writeInt32LE(MSG_DONTWAIT | MSG_NOSIGNAL, 2 * SLOT);
    this.#receive.frame.writeInt32LE(MSG_CMSG_CLOEXEC, 2 * SLOT);
  }

  /**
   * Connects to a socket. A datagram socket is connected at once; another waits for room in the listener's queue.
   * @param address an absolute path, or the name of an abstract socket with a NUL in front
   * @throws Error the system's, such as ENOENT or ECONNREFUSED
   */
  static connect(address: string, type: typeof SOCK_DGRAM | typeof SOCK_SEQPACKET): DescriptorSocket {
    const [socket, connect] = [
      foreign('socket', ['int32', 'int32', 'int32']),
      foreign('connect', ['int32', 'pointer', 'int32']),
    ];
    const bytes = Buffer.from(address);
    if (bytes.length >= ADDRESS_BYTES_MAX) {
      throw new Error(`${address} is longer than the path of a UNIX socket can be`);
    }
    socket.frame.writeInt32LE(AF_UNIX, 0);
    socket.frame.writeInt32LE(type | SOCK_CLOEXEC, SLOT);
    const descriptor = checked('socket', socket);
    try {
      const family = Buffer.alloc(2);
      family.writeUInt16LE(AF_UNIX, 0);
      const socketAddress = Buffer.concat([family, bytes]);
      connect.frame.writeInt32LE(descriptor, 0);
      writePointer(connect.frame, SLOT, socketAddress);
      connect.frame.writeInt32LE(socketAddress.length, 2 * SLOT);
      checked('connect', connect);
      return new DescriptorSocket(descriptor);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** @returns two ends of a SOCK_SEQPACKET connection; the second one's descriptor is the caller's to pass on and close */
  static pair(): { readonly near: DescriptorSocket; readonly far: number } {
    const call = foreign('socketpair', ['int32', 'int32', 'int32', 'pointer']);
    const ends = Buffer.alloc(8);
    call.frame.writeInt32LE(AF_UNIX, 0);
    call.frame.writeInt32LE(SOCK_SEQPACKET | SOCK_CLOEXEC, SLOT);
    writePointer(call.frame, 3 * SLOT, ends);
    checked('socketpair', call);
    return { near: new DescriptorSocket(ends.readInt32LE(0)), far: ends.readInt32LE(4) };
  }

  /**
   * Sends a message, with a duplicate of a descriptor, without waiting.
   * @param text at most MESSAGE_BYTES_MAX bytes
   * @returns false if the receiver's queue is full
   * @throws Error the system's, such as EPIPE or ECONNREFUSED: nobody receives any more
   */
  send(text: string, descriptor?: number): boolean {
    this.#part.writeBigUInt64LE(BigInt(this.#text.write(text)), SLOT);
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
      checked('sendmsg', this.#send);
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
    this.#part.writeBigUInt64LE(BigInt(MESSAGE_BYTES_MAX), SLOT);
    this.#header.writeBigUInt64LE(BigInt(CONTROL_BYTES), CONTROL_LENGTH_AT);
    const length = checked('recvmsg', this.#receive);
    const passed =
      this.#header.readBigUInt64LE(CONTROL_LENGTH_AT) >= CONTROL_LENGTH &&
      this.#control.readInt32LE(SLOT) === SOL_SOCKET &&
      this.#control.readInt32LE(SLOT + 4) === SCM_RIGHTS;
    const descriptor = passed ? this.#control.readInt32LE(2 * SLOT) : undefined;
    return length === 0 ? undefined : { text: this.#text.toString('latin1', 0, length), descriptor };
  }

  /** @param milliseconds how long each receive may wait, whole seconds */
  limitWait(milliseconds: number): void {
    const call = foreign('setsockopt', ['int32', 'int32', 'int32', 'pointer', 'int32']);
    const interval = Buffer.alloc(2 * SLOT);
    interval.writeBigInt64LE(BigInt(Math.ceil(milliseconds / 1_000)), 0);
    call.frame.writeInt32LE(this.#descriptor, 0);
    call.frame.writeInt32LE(SOL_SOCKET, SLOT);
    call.frame.writeInt32LE(SO_RCVTIMEO, 2 * SLOT);
    writePointer(call.frame, 3 * SLOT, interval);
    call.frame.writeInt32LE(interval.length, 4 * SLOT);
    checked('setsockopt', call);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
