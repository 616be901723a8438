/**
 * Descriptors of processes (pidfd_open(2)): each stays with its process, however often the number is given out again. This
 * file opens them and reads what the kernel says of them; who opens one closes it.
 */
import { fstatSync, readFileSync, statfsSync } from 'node:fs';
import { asPid, type Pid } from '../../core/ids.ts';
import { systemErrorCode } from '../host-error.ts';
import { ForeignFunction, SO_PEERPIDFD, SocketOption } from '../libc/libc.ts';

const DESCRIPTOR_BYTES = 4;
/** PID_FS_MAGIC of linux/magic.h: since Linux 6.9 pidfds have a file system, whose inode numbers are those of processes. */
const PID_FS_MAGIC = 0x5049_4446;
const POLLIN = 1;
/** linux/pidfd.h, since Linux 6.13: PIDFD_GET_INFO, and of its struct pidfd_info the size that was published first. */
const GET_INFORMATION = 0xc0_40_ff_0b;
const INFORMATION_BYTES = 64;
const INFORMATION_PID_OFFSET = 16;

export type PeerPidfd =
  | { readonly kind: 'pidfd'; readonly descriptor: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unsupported' };

/** Opens and asks pidfds; holds the memory that the calls' arguments are in. */
export class Pidfds {
  readonly #open = new ForeignFunction('pidfd_open', ['int32', 'int32']);
  readonly #poll = new ForeignFunction('poll', ['pointer', 'size_t', 'int32']);
  readonly #pollRequest = Buffer.alloc(8);
  readonly #peer = new SocketOption(SO_PEERPIDFD, DESCRIPTOR_BYTES);
  readonly #signal = new ForeignFunction('pidfd_send_signal', ['int32', 'int32', 'size_t', 'int32']);
  readonly #ioctl = new ForeignFunction('ioctl', ['int32', 'size_t', 'pointer']);
  readonly #information = Buffer.alloc(INFORMATION_BYTES);
  #haveInodes: boolean | undefined;
  #haveInformation = true;

  constructor() {
    this.#poll.lay(0, this.#pollRequest, 1);
    this.#ioctl.lay(1, GET_INFORMATION, this.#information);
  }

  /**
   * @returns a descriptor, closed on exec; undefined if no process has the number. One that has exited and was not
   * waited for still has it.
   * @throws Error the system's, such as EMFILE
   */
  open(pid: Pid): number | undefined {
    try {
      return this.#open.call(pid);
    } catch (error) {
      const code = systemErrorCode(error);
      // EINVAL, since Linux 6.9 ENOENT: the number is that of a thread which is not a process.
      if (code === 'ESRCH' || code === 'EINVAL' || code === 'ENOENT') {
        return undefined;
      }
      throw error;
    }
  }

  /**
   * The process that called connect(2) for a connection (unix(7), SO_PEERPIDFD), in whichever PID namespace. The number in
   * SO_PEERCRED may be another process's by now; this is the process itself.
   * @param socket a connected UNIX socket
   * @throws Error the system's
   */
  ofPeer(socket: number): PeerPidfd {
    try {
      this.#peer.read(socket);
      return { kind: 'pidfd', descriptor: this.#peer.value.readInt32LE(0) };
    } catch (error) {
      switch (systemErrorCode(error)) {
        case 'ESRCH':
          return { kind: 'gone' };
        case 'ENOPROTOOPT':
          return { kind: 'unsupported' };
        default:
          throw error;
      }
    }
  }

  /** Whether its process has exited, waited for or not. While it has not, its number is nobody else's. */
  hasExited(descriptor: number): boolean {
    this.#pollRequest.writeInt32LE(descriptor, 0);
    this.#pollRequest.writeInt16LE(POLLIN, 4);
    return this.#poll.call() > 0;
  }

  /** Sends its process a signal (pidfd_send_signal(2)), unless it has exited. @throws Error the system's */
  signal(descriptor: number, number: number): void {
    try {
      this.#signal.call(descriptor, number);
    } catch (error) {
      if (systemErrorCode(error) !== 'ESRCH') {
        throw error;
      }
    }
  }

  /** @returns the inode number in decimal, which no other process of this boot ever has; undefined before Linux 6.9 */
  inode(descriptor: number): string | undefined {
    this.#haveInodes ??= statfsSync(`/proc/self/fd/${descriptor}`).type === PID_FS_MAGIC;
    return this.#haveInodes ? String(fstatSync(descriptor, { bigint: true }).ino) : undefined;
  }

  /**
   * Its number in our PID namespace, as PIDFD_GET_INFO or /proc/self/fdinfo has it (pidfd_open(2)).
   * @returns 'gone' once it has exited and was waited for; 'invisible' if it runs in a PID namespace that is neither ours
   * nor below ours, and so has no number here
   */
  number(descriptor: number): Pid | 'gone' | 'invisible' {
    const known = this.#askNumber(descriptor);
    if (known !== undefined) {
      return known;
    }
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
    const digits = /^Pid:\t(-1|\d+)$/m.exec(text)?.[1];
    if (digits === '-1') {
      return 'gone';
    }
    if (digits === '0') {
      return 'invisible';
    }
    const pid = asPid(Number(digits));
    if (pid === undefined) {
      throw new Error(`/proc/self/fdinfo/${descriptor} of a pidfd has no Pid: line`);
    }
    return pid;
  }

  /** In one system call. @returns undefined if there is none, whatever the reason: the kernel's file says which */
  #askNumber(descriptor: number): Pid | undefined {
    if (!this.#haveInformation) {
      return undefined;
    }
    this.#information.fill(0);
    try {
      this.#ioctl.call(descriptor);
      return asPid(this.#information.readUInt32LE(INFORMATION_PID_OFFSET));
    } catch (error) {
      // ESRCH is an answer: it has exited, or runs where we cannot see it.
      this.#haveInformation = systemErrorCode(error) === 'ESRCH';
      return undefined;
    }
  }
}
