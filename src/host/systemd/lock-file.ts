/** One lock file of systemd's protocol: how it is opened, locked, named and removed, whatever somebody else does meanwhile. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Uid, UserName } from '../../core/ids.ts';
import type { PinnedDirectory } from '../../files/pinned-directory.ts';
import { hostError, systemErrorCode } from '../host-error.ts';
import { flock, LOCK_EXCLUSIVE, LOCK_SHARED } from '../libc/libc.ts';

const FILE_MODE = 0o600;

/**
 * Whatever somebody put at the path, opening it must not wait: O_RDWR never does for a FIFO (fifo(7)), O_NONBLOCK is for
 * devices. Node adds O_CLOEXEC.
 */
const OPEN_FLAGS = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NOCTTY | constants.O_NONBLOCK;

/** Codes of open(2) that speak against this one path; any other is the host's trouble, which the next UID would meet too. */
const UNUSABLE: ReadonlyMap<string, string> = new Map([
  ['ELOOP', 'it is a symbolic link'],
  ['EISDIR', 'it is a directory'],
  ['ENXIO', 'it is a socket or a device'],
  ['ENODEV', 'it is a device'],
  ['EACCES', 'opening it is not allowed'],
  ['EPERM', 'opening it is not allowed; it may be immutable'],
  ['ETXTBSY', 'it is being executed'],
]);

export type Opened =
  | { readonly kind: 'open'; readonly descriptor: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly reason: string };

/** The lock file of one UID in a directory; keeps nothing. @throws DynuserError HostFailed, LimitReached; so do all methods */
export class LockFile {
  readonly #path: string;
  readonly #entry: string;

  constructor(directory: PinnedDirectory, uid: Uid) {
    this.#path = `${directory.path}/${uid}`;
    this.#entry = directory.entry(String(uid));
  }

  /** @param create whether it is made if it is missing */
  open(create: boolean): Opened {
    let descriptor: number;
    try {
      descriptor = openSync(this.#entry, OPEN_FLAGS | (create ? constants.O_CREAT : 0), FILE_MODE);
    } catch (error) {
      const code = systemErrorCode(error) ?? '';
      const reason = UNUSABLE.get(code);
      if (reason !== undefined) {
        return { kind: 'unusable', reason: `${this.#path}: ${reason}` };
      }
      if (code === 'ENOENT') {
        return { kind: 'missing' };
      }
      throw hostError(error, `cannot open ${this.#path}`);
    }
    if (!fstatSync(descriptor).isFile()) {
      closeSync(descriptor);
      return { kind: 'unusable', reason: `${this.#path}: it is no regular file` };
    }
    return { kind: 'open', descriptor };
  }

  /** Takes the lock of an open file; closes the file unless it is held then. */
  tryLock(descriptor: number): 'held' | 'taken' | 'unlinked' {
    let held = false;
    try {
      if (!flock(descriptor, LOCK_EXCLUSIVE)) {
        return 'taken';
      }
      // The former holder may have unlinked it before we had the lock; ours would be a lock that nobody sees.
      held = fstatSync(descriptor).nlink > 0;
      return held ? 'held' : 'unlinked';
    } catch (error) {
      throw hostError(error, `cannot lock ${this.#path}`);
    } finally {
      if (!held) {
        closeSync(descriptor);
      }
    }
  }

  /** Whether somebody else has the lock of an open file, which is closed. Shared, so that two who test at once do not see each other as holders. */
  isTaken(descriptor: number): boolean {
    try {
      return !flock(descriptor, LOCK_SHARED);
    } catch (error) {
      throw hostError(error, `cannot try the lock of ${this.#path}`);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Whether an open file is the one at the path: a lock on any other keeps nobody out. */
  isAtPath(descriptor: number): boolean {
    try {
      const locked = fstatSync(descriptor);
      const named = lstatSync(this.#entry, { throwIfNoEntry: false });
      return named !== undefined && named.ino === locked.ino && named.dev === locked.dev;
    } catch (error) {
      throw hostError(error, `cannot inspect ${this.#path}`);
    }
  }

  /** Whether an open file has a name in it, as writeName() leaves it. */
  hasName(descriptor: number, name: UserName): boolean {
    const expected = Buffer.from(`${name}\n`);
    const found = Buffer.alloc(expected.length + 1);
    try {
      const length = readSync(descriptor, found, 0, found.length, 0);
      return found.subarray(0, length).equals(expected);
    } catch (error) {
      throw hostError(error, `cannot read ${this.#path}`);
    }
  }

  /** Writes the user's name into the file, which is unlinked and closed if that fails. */
  writeName(descriptor: number, name: UserName): void {
    try {
      ftruncateSync(descriptor, writeSync(descriptor, `${name}\n`, 0));
    } catch (error) {
      this.unlinkAndClose(descriptor);
      throw hostError(error, `cannot write to ${this.#path}`);
    }
  }

  /** Ends a lock that is held: the name goes first, so that nobody can lock the file once more under it. */
  unlinkAndClose(descriptor: number): void {
    try {
      // Whoever put another file there meanwhile keeps it.
      if (this.isAtPath(descriptor)) {
        unlinkSync(this.#entry);
      }
    } catch (error) {
      throw hostError(error, `cannot remove ${this.#path}`);
    } finally {
      closeSync(descriptor);
    }
  }
}
