/** accept4(2), and a peek at what a new peer has sent: calls that Node lacks, to take many connections in one turn of the event loop. About 1 µs each. */
import { foreign, SLOT, unlessItWaits, writePointer } from './libc.ts';

/** Of asm-generic/fcntl.h and bits/socket.h, the same on every architecture that Node runs on. */
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_PEEK = 2;
const MSG_DONTWAIT = 0x40;
/** The peer was gone before it was accepted (accept(2)). */
const ECONNABORTED = 'ECONNABORTED';

/** Calls whose arguments are laid out once; each serves one caller at a time. */
export class AcceptSocket {
  readonly #accept = foreign('accept4', ['int32', 'pointer', 'pointer', 'int32']);
  readonly #receive = foreign('recv', ['int32', 'pointer', 'size_t', 'int32']);
  readonly #byte = Buffer.alloc(1);

  constructor() {
    this.#accept.frame.writeInt32LE(SOCK_NONBLOCK | SOCK_CLOEXEC, 3 * SLOT);
    writePointer(this.#receive.frame, SLOT, this.#byte);
    this.#receive.frame.writeBigUInt64LE(BigInt(this.#byte.length), 2 * SLOT);
    this.#receive.frame.writeInt32LE(MSG_PEEK | MSG_DONTWAIT, 3 * SLOT);
  }

  /**
   * @param listening a non-blocking socket
   * @returns a connected socket, non-blocking and close-on-exec, or undefined if none waits
   * @throws Error the system's, such as EMFILE
   */
  accept(listening: number): number | undefined {
    this.#accept.frame.writeInt32LE(listening, 0);
    for (;;) {
      try {
        return unlessItWaits('accept4', this.#accept);
      } catch (error) {
        if (!(error instanceof Error && Reflect.get(error, 'code') === ECONNABORTED)) {
          throw error;
        }
      }
    }
  }

  /** @returns whether the peer has closed the connection, or its sending, without having sent anything */
  hasLeft(descriptor: number): boolean {
    this.#receive.frame.writeInt32LE(descriptor, 0);
    try {
      return unlessItWaits('recv', this.#receive) === 0;
    } catch {
      // What is wrong with it shows when it is read from.
      return false;
    }
  }
}
