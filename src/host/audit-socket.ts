/**
 * Records for the audit subsystem of the kernel, over its netlink socket (audit(8), linux/audit.h). The kernel may make a sender wait
 * while its queue is full, so records are sent on a thread, several at a time if they came meanwhile. It takes none in a container: that is an answer, not a failure.
 */
import { closeSync } from 'node:fs';
import { ForeignFunction, MSG_DONTWAIT, SOCK_CLOEXEC } from './libc/libc.ts';

/** Of sys/socket.h and linux/netlink.h. */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_AUDIT = 9;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLMSG_ERROR = 2;
/** struct nlmsghdr: length, type, flags, sequence, port. */
const HEADER_BYTES = 16;
/** struct sockaddr_nl: family, padding, port, groups; the kernel's port is 0. */
const KERNEL = Buffer.from([AF_NETLINK, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/** A record has less than an eighth of it: its texts are names and units. */
const MESSAGES_BYTES = 16_384;
const ANSWER_BYTES = 1_024;

/** linux/audit.h. */
const TYPES = { addUser: 1_114, deleteUser: 1_115 } as const;
export type AuditRecordType = keyof typeof TYPES;

export interface AuditRecord {
  readonly type: AuditRecordType;
  readonly text: string;
}

export class AuditSocket {
  readonly #descriptor: number;
  readonly #send = new ForeignFunction('sendto', ['int32', 'pointer', 'size_t', 'int32', 'pointer', 'int32']);
  readonly #receive = new ForeignFunction('recv', ['int32', 'pointer', 'size_t', 'int32']);
  // Laid out once: memory whose address is written stays for good.
  readonly #messages = Buffer.alloc(MESSAGES_BYTES);
  readonly #answer = Buffer.alloc(ANSWER_BYTES);
  #sequence = 0;

  /** @throws Error the system's: this kernel has no audit */
  constructor() {
    const socket = new ForeignFunction('socket', ['int32', 'int32', 'int32']);
    this.#descriptor = socket.call(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
    this.#send.lay(0, this.#descriptor, this.#messages, 0, 0, KERNEL, KERNEL.length);
    this.#receive.lay(0, this.#descriptor, this.#answer, ANSWER_BYTES, MSG_DONTWAIT);
  }

  /**
   * Sends the first of some records, as many as one system call takes. One call at a time.
   * @returns how many the kernel has taken, 1 at least
   * @throws Error the system's, or that of a record
   */
  async send(records: readonly AuditRecord[]): Promise<number> {
    let [bytes, count] = [0, 0];
    for (const { type, text } of records) {
      const message = encodeAuditMessage(TYPES[type], ++this.#sequence, text);
      if (bytes + message.length > MESSAGES_BYTES) {
        break;
      }
      message.copy(this.#messages, bytes);
      bytes += message.length;
      count++;
    }
    if (count === 0) {
      throw new RangeError(`a record of more than ${MESSAGES_BYTES} bytes`);
    }
    const sent = await this.#send.lay(2, bytes).callOnThread();
    if (sent < 0) {
      throw new Error('the kernel takes no messages');
    }
    for (let answered = 0; answered < count; answered++) {
      // The kernel has answered each before it returned.
      const length = this.#receive.callUnlessItWaits();
      const errno = length === undefined ? 0 : errorOf(this.#answer.subarray(0, length));
      if (errno !== 0) {
        throw new Error(`errno ${errno}`);
      }
    }
    return count;
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
