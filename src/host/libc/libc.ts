/**
 * The one importer of ffi-napi and ref-napi: how any function of libc is called, and the calls that Node lacks and several
 * modules need, typed. Each failure is an Error that names the call. Decides nothing. Main thread only.
 */
import { closeSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import ffi from '@2060.io/ffi-napi';
import bindings from '@2060.io/ffi-napi/lib/bindings.js';
import ref from '@2060.io/ref-napi';
import { systemErrorCode } from '../host-error.ts';

/** Bytes of an argument in its frame; every integer and pointer that we pass fits. */
export const SLOT = 8;
/** Numbers of errno(3) that are the same on every Linux architecture that Node runs on. */
const EINTR = 4;
const EWOULDBLOCK = 11;
/** Node makes a new map at each call. */
const ERRORS = getSystemErrorMap();

/** Everything that is loaded already: dlopen(3) of no path; libc is in it. */
const libraries = ffi.DynamicLibrary();

type ArgumentType = 'int32' | 'size_t' | 'pointer';
/** A pointer is given as the memory that it leads to, which stays as long as the function. */
type Argument = number | Buffer;

/**
 * A function of libc whose result is an int, and -1 if it failed. Its arguments are in a frame that is read while it runs, so it
 * serves one call at a time. ffi-napi's own wrapper allocates each argument anew, 30 µs for the five of getsockopt; its ffi_call
 * over a frame takes 0.5 µs.
 */
export class ForeignFunction {
  readonly #name: string;
  readonly #types: readonly ArgumentType[];
  readonly #pointer: Buffer;
  readonly #cif: Buffer;
  readonly #frame: Buffer;
  readonly #argumentPointers: Buffer;
  readonly #result = Buffer.alloc(SLOT);

  constructor(name: string, types: readonly ArgumentType[]) {
    this.#name = name;
    this.#types = types;
    this.#pointer = libraries.get(name);
    this.#cif = ffi.CIF('int32', [...types]);
    this.#frame = Buffer.alloc(types.length * SLOT);
    this.#argumentPointers = Buffer.alloc(types.length * SLOT);
    for (let index = 0; index < types.length; index++) {
      ref.writePointer(this.#argumentPointers, index * SLOT, this.#frame.subarray(index * SLOT));
    }
  }

  /** Writes arguments, from the one of an index on. They are used by every call that gives no others; before that they are 0. */
  lay(first: number, ...values: readonly Argument[]): this {
    for (let index = 0; index < values.length; index++) {
      const value = values[index] ?? 0;
      const offset = (first + index) * SLOT;
      if (typeof value !== 'number') {
        ref.writePointer(this.#frame, offset, value);
      } else if (this.#types[first + index] === 'int32') {
        this.#frame.writeInt32LE(value, offset);
      } else {
        this.#frame.writeBigUInt64LE(BigInt(value), offset);
      }
    }
    return this;
  }

  /** Calls it, again if a signal interrupted it. @param values its first arguments @throws Error the system's */
  call(...values: readonly Argument[]): number {
    const result = this.callUnlessItWaits(...values);
    if (result === undefined) {
      throw systemError(this.#name, EWOULDBLOCK);
    }
    return result;
  }

  /** call(), but undefined if it would have to wait (EAGAIN), which costs no Error. */
  callUnlessItWaits(...values: readonly Argument[]): number | undefined {
    const result = this.tryCall(...values);
    if (result >= 0) {
      return result;
    }
    if (-result === EWOULDBLOCK) {
      return undefined;
    }
    throw systemError(this.#name, -result);
  }

  /** call(), but for failures that are usual: an Error takes 20 µs. @returns its result, or the negative errno of a failure */
  tryCall(...values: readonly Argument[]): number {
    this.lay(0, ...values);
    for (;;) {
      bindings.ffi_call(this.#cif, this.#pointer, this.#result, this.#argumentPointers);
      const result = this.#result.readInt32LE(0);
      if (result !== -1) {
        return result;
      }
      const errno = ffi.errno();
      if (errno !== EINTR) {
        return -errno;
      }
    }
  }

  /**
   * Calls it on a thread of libuv's pool, which it occupies until it returns; it keeps the event loop alive meanwhile.
   * @returns its result; the errno of a failure stays on that thread
   */
  callOnThread(...values: readonly Argument[]): Promise<number> {
    this.lay(0, ...values);
    const result = Buffer.alloc(SLOT);
    return new Promise((resolve, reject) => {
      // The thread writes into result and reads the frame: this function keeps both from being collected.
      bindings.ffi_call_async(this.#cif, this.#pointer, result, this.#argumentPointers, failure => {
        if (failure === null) {
          resolve(result.readInt32LE(0));
        } else {
          reject(new Error(`${this.#name}: ${failure}`));
        }
      });
    });
  }
}

/** Writes the address of some memory, which stays as long as what it is written to. */
export const { writePointer } = ref;

/** @returns an Error like those of node:fs, with code, errno and syscall */
function systemError(syscall: string, errno: number): Error {
  const [code, words] = ERRORS.get(-errno) ?? [`E${errno}`, 'unknown error'];
  return Object.assign(new Error(`${code}: ${words}, ${syscall}`), { code, errno: -errno, syscall });
}

const flockCall = new ForeignFunction('flock', ['int32', 'int32']);

export const LOCK_SHARED = 1;
export const LOCK_EXCLUSIVE = 2;
const LOCK_NONBLOCK = 4;

/**
 * Takes a BSD lock on an open file without waiting (flock(2)). It is held until the last descriptor of that open file
 * description is closed.
 * @returns whether it was taken; false if another open file description holds it
 * @throws Error the system's, such as ENOLCK
 */
export function flock(descriptor: number, mode: typeof LOCK_SHARED | typeof LOCK_EXCLUSIVE): boolean {
  return flockCall.callUnlessItWaits(descriptor, mode | LOCK_NONBLOCK) !== undefined;
}

/** @param isHeld takes a lock. @returns what that says; a descriptor without the lock is closed, also if that throws */
export function closeUnless(descriptor: number, isHeld: () => boolean): boolean {
  let held = false;
  try {
    held = isHeld();
    return held;
  } finally {
    if (!held) {
      closeSync(descriptor);
    }
  }
}

/** The numbers of sys/socket.h and asm-generic/socket.h, which every 64-bit architecture that Node runs on shares. */
export const SOCK_CLOEXEC = 0o2000000;
export const MSG_DONTWAIT = 0x40;
export const SOL_SOCKET = 1;
export const SO_PEERCRED = 17;
export const SO_PEERGROUPS = 59;
/** Since Linux 6.5. */
export const SO_PEERPIDFD = 77;

/** An option of the socket level. */
export class SocketOption {
  readonly #get = new ForeignFunction('getsockopt', ['int32', 'int32', 'int32', 'pointer', 'pointer']);
  readonly #length = Buffer.alloc(4);
  /** where read() puts the value; overwritten by the next read */
  readonly value: Buffer;

  /** @param size the room for its value in bytes */
  constructor(option: number, size: number) {
    this.value = Buffer.alloc(size);
    this.#get.lay(1, SOL_SOCKET, option, this.value, this.#length);
  }

  /**
   * Reads the option of a socket (getsockopt(2)).
   * @returns the size of the value in bytes; if it is above the size of `value`, nothing was written
   * @throws Error the system's, such as EBADF or ENOTSOCK
   */
  read(descriptor: number): number {
    this.#length.writeUInt32LE(this.value.length, 0);
    try {
      this.#get.call(descriptor);
    } catch (error) {
      // SO_PEERGROUPS, unix(7): the value is longer than its room, and length says how long.
      if (systemErrorCode(error) !== 'ERANGE') {
        throw error;
      }
    }
    return this.#length.readUInt32LE(0);
  }
}
