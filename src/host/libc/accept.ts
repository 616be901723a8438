/**
 * accept4(2), and a peek at what a new peer has sent: calls that Node lacks, to take many connections in one turn of the event loop. About
 * 1 µs each.
 */
import { systemErrorCode } from '../host-error.ts';
import { ForeignFunction, MSG_DONTWAIT, SOCK_CLOEXEC, SOL_SOCKET } from './libc.ts';

/** Of asm-generic/fcntl.h and bits/socket.h, the same on every architecture that Node runs on. */
const SOCK_NONBLOCK = 0o4000;
const MSG_PEEK = 2;
/** Of asm-generic/socket.h. */
const SO_PASSRIGHTS = 83;

/** Calls whose arguments are laid out once; each serves one caller at a time. */
export class AcceptSocket {
  readonly #accept = new ForeignFunction('accept4', ['int32', 'pointer', 'pointer', 'int32']);
  readonly #receive = new ForeignFunction('recv', ['int32', 'pointer', 'size_t', 'int32']);

  constructor() {
    this.#accept.lay(3, SOCK_NONBLOCK | SOCK_CLOEXEC);
    this.#receive.lay(1, Buffer.alloc(1), 1, MSG_PEEK | MSG_DONTWAIT);
  }

  /**
   * Has a listening socket take no descriptors from peers, nor any that is accepted from it, since no method has a use for them: they would
   * wait in the kernel until their message is read. Who sends some gets EPERM. A kernel before Linux 6.16 cannot do that.
   */
  listens(listening: number): void {
    const set = new ForeignFunction('setsockopt', ['int32', 'int32', 'int32', 'pointer', 'int32']);
    const off = Buffer.alloc(4);
    try {
      set.call(listening, SOL_SOCKET, SO_PASSRIGHTS, off, off.length);
    } catch {
      // ENOPROTOOPT: they are dropped when the message is read.
    }
  }

  /**
   * @param listening a non-blocking socket
   * @returns a connected socket, non-blocking and close-on-exec, or undefined if none waits
   * @throws Error the system's, such as EMFILE
   */
  accept(listening: number): number | undefined {
    for (;;) {
      try {
        return this.#accept.callUnlessItWaits(listening);
      } catch (error) {
        // The peer was gone before it was accepted (accept(2)).
        if (systemErrorCode(error) !== 'ECONNABORTED') {
          throw error;
        }
      }
    }
  }

  /** @returns whether the peer has closed the connection, or its sending, without having sent anything */
  hasLeft(descriptor: number): boolean {
    try {
      return this.#receive.callUnlessItWaits(descriptor) === 0;
    } catch {
      // What is wrong with it shows when it is read from.
      return false;
    }
  }
}
