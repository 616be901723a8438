/**
 * Records for the audit subsystem of the kernel, over its netlink socket (audit(8), linux/audit.h). The kernel may make a sender wait
 * while its queue is full, so each message is sent on a thread. It takes none in a container: that is an answer, not a failure.
 */
import { closeSync } from 'node:fs';
import { ForeignFunction } from './libc/libc.ts';

/** Of sys/socket.h and linux/netlink.h. */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_AUDIT = 9;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLMSG_ERROR = 2;
const MSG_DONTWAIT = 0x40;
/** struct nlmsghdr: length, type, flags, sequence, port. */
const HEADER_BYTES = 16;
/** struct sockaddr_nl: family, padding, port, groups; the kernel's port is 0. */
const KERNEL = Buffer.from([AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/** A record has less: its texts are names and units. */
const MESSAGE_BYTES = 2_048;
const ANSWER_BYTES = 1_024;

/** linux/audit.h. */
const TYPES = { addUser: 1_114, deleteUser: 1_115 } as const;
export type AuditRecordType = keyof typeof TYPES;

export class AuditSocket {
  readonly #descriptor: number;
  readonly #send = new ForeignFunction('sendto', ['int32', 'pointer', 'size_t', 'int32', 'pointer', 'int32']);
  readonly #receive = new ForeignFunction('recv', ['int32', 'pointer', 'size_t', 'int32']);
  // Laid out once: memory whose address is written stays for good.
  readonly #message = Buffer.alloc(MESSAGE_BYTES);
  readonly #answer = Buffer.alloc(ANSWER_BYTES);
  #sequence = 0;

  /** @throws Error the system's: this kernel has no audit */
  constructor() {
    const socket = new ForeignFunction('socket', ['int32', 'int32', 'int32']);
    this.#descriptor = socket.call(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
    this.#send.lay(0, this.#descriptor, this.#message, 0, 0, KERNEL, KERNEL.length);
    this.#receive.lay(0, this.#descriptor, this.#answer, ANSWER_BYTES, MSG_DONTWAIT);
  }

  /**
   * Sends a record, one at a time.
   * @returns the errno of its answer; 0 if the kernel has taken it
   * @throws Error the system's
   */
  async send(type: AuditRecordType, text: string): Promise<number> {
    const message = encodeAuditMessage(TYPES[type], ++this.#sequence, text);
    if (message.length > MESSAGE_BYTES) {
      throw new RangeError(`a record of ${message.length} bytes, and ${MESSAGE_BYTES} are the most`);
    }
    message.copy(this.#message);
    const sent = await this.#send.lay(2, message.length).callOnThread();
    if (sent < 0) {
      throw new Error('the kernel takes no messages');
    }
    // The kernel has answered before it returned.
    const length = this.#receive.callUnlessItWaits();
    return length === undefined ? 0 : errorOf(this.#answer.subarray(0, length));
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** @returns struct nlmsghdr and the text, padded to four bytes */
export function encodeAuditMessage(type: number, sequence: number, text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const message = Buffer.alloc((HEADER_BYTES + body.length + 3) & ~3);
  message.writeUInt32LE(HEADER_BYTES + body.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK, 6);
  message.writeUInt32LE(sequence, 8);
  body.copy(message, HEADER_BYTES);
  return message;
}

/** @returns the errno of an answer of the type NLMSG_ERROR, whose 0 is an acknowledgement */
export function errorOf(answer: Buffer): number {
  const isError = answer.length >= HEADER_BYTES + 4 && answer.readUInt16LE(4) === NLMSG_ERROR;
  return isError ? Math.abs(answer.readInt32LE(HEADER_BYTES)) : 0;
}
