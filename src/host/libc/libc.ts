/**
 * The one importer of ffi-napi and ref-napi: how any function of libc is called, and the calls that Node lacks, typed, each
 * failure an Error that names the call. Decides nothing, keeps nothing but the frames that arguments are written into.
 * Main thread only.
 */
import { closeSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import ffi from '@2060.io/ffi-napi';
import bindings from '@2060.io/ffi-napi/lib/bindings.js';
import ref from '@2060.io/ref-napi';

/** Bytes of an argument in its frame; every integer and pointer that we pass fits. */
export const SLOT = 8;
/** Numbers of errno(3) that are the same on every Linux architecture that Node runs on. */
const EINTR = 4;
const EWOULDBLOCK = 11;
const ERANGE = 34;

/** Everything that is loaded already: dlopen(3) of no path; libc is in it. */
const libraries = ffi.DynamicLibrary();

export interface ForeignFunction {
  /** the arguments, SLOT bytes each; a frame is read while its call runs, so it serves one call at a time */
  readonly frame: Buffer;
  /** @returns the function's int; -1 means that it failed, and ffi.errno() is its errno until the next call */
  invoke(): number;
  /**
   * Invokes it on a thread of libuv's pool, which it occupies until it returns; it keeps the event loop alive meanwhile.
   * @returns the function's int; the errno of a failure stays on that thread
   */
  invokeOnThread(): Promise<number>;
}

/**
 * Prepares a function of libc whose result is an int. ffi-napi's own wrapper allocates each argument anew, 30 µs for the
 * five of getsockopt; its ffi_call over a frame that is laid once takes 0.5 µs.
 */
export function foreign(name: string, types: readonly ('int32' | 'size_t' | 'pointer')[]): ForeignFunction {
  const pointer = libraries.get(name);
  const cif = ffi.CIF('int32', [...types]);
  const frame = Buffer.alloc(types.length * SLOT);
  const argumentPointers = Buffer.alloc(types.length * SLOT);
  const result = Buffer.alloc(SLOT);
  for (let index = 0; index < types.length; index++) {
    ref.writePointer(argumentPointers, index * SLOT, frame.subarray(index * SLOT));
  }
  return {
    frame,
    invoke() {
      bindings.ffi_call(cif, pointer, result, argumentPointers);
      return result.readInt32LE(0);
    },
    invokeOnThread() {
      const late = Buffer.alloc(SLOT);
      return new Promise((resolve, reject) => {
        // The thread writes into late and reads argumentPointers: this function keeps both from being collected.
        bindings.ffi_call_async(cif, pointer, late, argumentPointers, failure => {
          if (failure === null) {
            resolve(late.readInt32LE(0));
          } else {
            reject(new Error(`${name}: ${failure}`));
          }
        });
      });
    },
  };
}

/** Writes the address of some memory, which its caller keeps alive as long as the pointer is used. */
export function writePointer(to: Buffer, offset: number, memory: Buffer): void {
  ref.writePointer(to, offset, memory);
}

/**
 * Invokes a function whose -1 is an error, again if a signal interrupted it.
 * @throws Error the system's
 */
export function checked(syscall: string, call: ForeignFunction): number {
  for (;;) {
    const result = call.invoke();
    if (result !== -1) {
      return result;
    }
    const errno = ffi.errno();
    if (errno !== EINTR) {
      throw systemError(syscall, errno);
    }
  }
}

/**
 * Invokes a function that does not wait.
 * @returns undefined if it would have to (EAGAIN), which costs no Error
 * @throws Error the system's
 */
export function unlessItWaits(syscall: string, call: ForeignFunction): number | undefined {
  for (;;) {
    const result = call.invoke();
    if (result !== -1) {
      return result;
    }
    const errno = ffi.errno();
    if (errno === EWOULDBLOCK) {
      return undefined;
    }
    if (errno !== EINTR) {
      throw systemError(syscall, errno);
    }
  }
}

/** @returns an Error like those of node:fs, with code, errno and syscall */
function systemError(syscall: string, errno: number): Error {
  const [code, words] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error'];
  return Object.assign(new Error(`${code}: ${words}, ${syscall}`), { code, errno: -errno, syscall });
}

const flockCall = foreign('flock', ['int32', 'int32']);

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
  flockCall.frame.writeInt32LE(descriptor, 0);
  flockCall.frame.writeInt32LE(mode | LOCK_NONBLOCK, SLOT);
  while (flockCall.invoke() !== 0) {
    const errno = ffi.errno();
    if (errno === EWOULDBLOCK) {
      return false;
    }
    if (errno !== EINTR) {
      throw systemError('flock', errno);
    }
  }
  return true;
}

/** The numbers of asm-generic/socket.h, which every 64-bit architecture that Node runs on shares. */
const SOL_SOCKET = 1;
export const SO_PEERCRED = 17;
export const SO_PEERGROUPS = 59;
const SO_SNDTIMEO = 21;

export interface SocketOption {
  /** where read() puts the value; overwritten by the next read */
  readonly value: Buffer;
  /**
   * Reads the option of a socket (getsockopt(2)).
   * @returns the size of the value in bytes; if it is above the size of `value`, nothing was written
   * @throws Error the system's, such as EBADF or ENOTSOCK
   */
  read(descriptor: number): number;
}

/** Prepares an option of the socket level for reading. @param size the room for its value in bytes */
export function socketOption(option: number, size: number): SocketOption {
  const { frame, invoke } = foreign('getsockopt', ['int32', 'int32', 'int32', 'pointer', 'pointer']);
  const value = Buffer.alloc(size);
  const length = Buffer.alloc(4);
  frame.writeInt32LE(SOL_SOCKET, SLOT);
  frame.writeInt32LE(option, 2 * SLOT);
  ref.writePointer(frame, 3 * SLOT, value);
  ref.writePointer(frame, 4 * SLOT, length);
  return {
    value,
    read(descriptor) {
      frame.writeInt32LE(descriptor, 0);
      length.writeUInt32LE(size, 0);
      if (invoke() !== 0) {
        const errno = ffi.errno();
        // SO_PEERGROUPS, unix(7): the value is longer than its room, and length says how long.
        if (errno !== ERANGE) {
          throw systemError('getsockopt', errno);
        }
      }
      return length.readUInt32LE(0);
    },
  };
}

/** RLIMIT_NOFILE of asm-generic/resource.h. */
const RLIMIT_NOFILE = 7;

/**
 * Raises how many files this process may have open (getrlimit(2)); a limit that is high enough is left as it is, and one that
 * this process may not raise is raised as far as it may.
 * @param wanted how many are of use
 * @returns how many there may be now
 * @throws Error the system's
 */
export function raiseDescriptorLimit(wanted: number): number {
  const limits = Buffer.alloc(2 * SLOT);
  const call = (name: string): void => {
    const { frame, invoke } = foreign(name, ['int32', 'pointer']);
    frame.writeInt32LE(RLIMIT_NOFILE, 0);
    ref.writePointer(frame, SLOT, limits);
    if (invoke() !== 0) {
      throw systemError(name, ffi.errno());
    }
  };
  const set = (soft: bigint, hard: bigint): void => {
    limits.writeBigUInt64LE(soft, 0);
    limits.writeBigUInt64LE(hard, SLOT);
    call('setrlimit');
  };
  call('getrlimit');
  const soft = limits.readBigUInt64LE(0);
  const hard = limits.readBigUInt64LE(SLOT);
  const enough = BigInt(wanted);
  if (soft < enough && hard < enough) {
    try {
      set(enough, enough);
    } catch {
      // EPERM: without CAP_SYS_RESOURCE, or past fs.nr_open. What is allowed is taken.
      set(hard, hard);
    }
  } else if (soft < enough) {
    set(enough, hard);
  }
  call('getrlimit');
  const reached = limits.readBigUInt64LE(0);
  return Number(reached > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(Number.MAX_SAFE_INTEGER) : reached);
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/**
 * Sends one datagram to a UNIX socket (unix(7)), which Node's dgram cannot.
 * @param address an absolute path, or the name of an abstract socket with a NUL in front
 * @param timeoutMs how long the receiver's queue may stay full, in whole milliseconds
 * @throws Error the system's, such as ECONNREFUSED, or EAGAIN after the timeout
 */
export function sendUnixDatagram(address: string, message: string, timeoutMs: number): void {
  const socketCall = foreign('socket', ['int32', 'int32', 'int32']);
  socketCall.frame.writeInt32LE(AF_UNIX, 0);
  socketCall.frame.writeInt32LE(SOCK_DGRAM | SOCK_CLOEXEC, SLOT);
  const descriptor = socketCall.invoke();
  if (descriptor < 0) {
    throw systemError('socket', ffi.errno());
  }
  try {
    setSendTimeout(descriptor, timeoutMs);
    sendTo(descriptor, address, Buffer.from(message));
  } finally {
    closeSync(descriptor);
  }
}

function setSendTimeout(descriptor: number, timeoutMs: number): void {
  const { frame, invoke } = foreign('setsockopt', ['int32', 'int32', 'int32', 'pointer', 'int32']);
  const interval = Buffer.alloc(2 * SLOT);
  interval.writeBigInt64LE(BigInt(Math.floor(timeoutMs / 1_000)), 0);
  interval.writeBigInt64LE(BigInt((timeoutMs % 1_000) * 1_000), SLOT);
  frame.writeInt32LE(descriptor, 0);
  frame.writeInt32LE(SOL_SOCKET, SLOT);
  frame.writeInt32LE(SO_SNDTIMEO, 2 * SLOT);
  ref.writePointer(frame, 3 * SLOT, interval);
  frame.writeInt32LE(interval.length, 4 * SLOT);
  if (invoke() !== 0) {
    throw systemError('setsockopt', ffi.errno());
  }
}

function sendTo(descriptor: number, address: string, message: Buffer): void {
  const { frame, invoke } = foreign('sendto', ['int32', 'pointer', 'size_t', 'int32', 'pointer', 'int32']);
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX, 0);
  const socketAddress = Buffer.concat([family, Buffer.from(address)]);
  frame.writeInt32LE(descriptor, 0);
  ref.writePointer(frame, SLOT, message);
  frame.writeBigUInt64LE(BigInt(message.length), 2 * SLOT);
  frame.writeInt32LE(MSG_NOSIGNAL, 3 * SLOT);
  ref.writePointer(frame, 4 * SLOT, socketAddress);
  frame.writeInt32LE(socketAddress.length, 5 * SLOT);
  while (invoke() < 0) {
    const errno = ffi.errno();
    if (errno !== EINTR) {
      throw systemError('sendto', errno);
    }
  }
}
