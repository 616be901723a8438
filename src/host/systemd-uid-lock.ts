/**
 * The lock files by which systemd and this daemon keep out of each other's way: one of the two has a UID at a time.
 * The protocol is systemd's (src/core/dynamic-user.c): the file <directory>/<uid>, created 0600, is flocked for as
 * long as the UID is in use, has the user's name in it, and is unlinked while the lock is still held.
 * Never waits for a lock, and never touches a file whose lock another holds.
 */
import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { DynuserError } from '../core/errors.ts';
import type { Uid, UserName } from '../core/ids.ts';
import { PinnedDirectory } from '../files/pinned-directory.ts';
import type { LockOutcome, PeekOutcome, UidLocks } from '../service/ports.ts';
import { hostError, systemErrorCode } from './host-error.ts';
import { flock, LOCK_EXCLUSIVE, LOCK_SHARED } from './libc.ts';

export const SYSTEMD_LOCK_DIRECTORY = '/run/systemd/dynamic-uid';
const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o600;
/** How often a file may be unlinked by its former holder between our open and our lock, before the UID counts as taken. */
const OPEN_ATTEMPTS_MAX = 16;

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

type Opened =
  | { readonly kind: 'open'; readonly descriptor: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly reason: string };

export class SystemdUidLocks implements UidLocks {
  readonly #directory: PinnedDirectory;
  /** the descriptors that hold the locks */
  readonly #held = new Map<Uid, number>();

  private constructor(directory: PinnedDirectory) {
    this.#directory = directory;
  }

  /**
   * @param path the directory, made where it is missing; /run/systemd/dynamic-uid but for tests
   * @throws DynuserError HostFailed where it cannot be made, or others may write to it
   */
  static open(path: string): SystemdUidLocks {
    try {
      return new SystemdUidLocks(PinnedDirectory.open(path, { create: { mode: DIRECTORY_MODE } }));
    } catch (error) {
      throw hostError(error, `cannot use the lock directory ${path}`);
    }
  }

  lock(uid: Uid, name: UserName): LockOutcome {
    if (this.#held.has(uid)) {
      return { kind: 'taken' };
    }
    let missing = 0;
    for (let attempt = 0; attempt < OPEN_ATTEMPTS_MAX; attempt++) {
      const opened = this.#open(uid, OPEN_FLAGS | constants.O_CREAT);
      if (opened.kind === 'unusable') {
        return opened;
      }
      if (opened.kind === 'missing') {
        // Also with O_CREAT: the kernel found the file, and somebody unlinked it before it was open.
        missing++;
        continue;
      }
      const state = this.#tryLock(uid, opened.descriptor);
      if (state === 'held') {
        this.#writeName(uid, opened.descriptor, name);
        this.#held.set(uid, opened.descriptor);
        return { kind: 'locked' };
      }
      if (state === 'taken') {
        return { kind: 'taken' };
      }
    }
    if (missing === OPEN_ATTEMPTS_MAX) {
      throw new DynuserError('HostFailed', `the directory ${this.#directory.path} was removed; restart dynuserd`);
    }
    return { kind: 'taken' };
  }

  peek(uid: Uid): PeekOutcome {
    const opened = this.#open(uid, OPEN_FLAGS);
    if (opened.kind !== 'open') {
      return opened.kind === 'missing' ? { kind: 'free' } : opened;
    }
    try {
      // Shared, so that two who look do not take each other for a holder.
      return { kind: flock(opened.descriptor, LOCK_SHARED) ? 'free' : 'taken' };
    } catch (error) {
      throw hostError(error, `cannot try the lock of ${this.#path(uid)}`);
    } finally {
      closeSync(opened.descriptor);
    }
  }

  release(uid: Uid): void {
    const descriptor = this.#held.get(uid);
    if (descriptor !== undefined) {
      this.#held.delete(uid);
      this.#unlinkAndClose(uid, descriptor);
    }
  }

  sweep(uid: Uid): void {
    if (this.#held.has(uid)) {
      return;
    }
    const opened = this.#open(uid, OPEN_FLAGS);
    if (opened.kind === 'open' && this.#tryLock(uid, opened.descriptor) === 'held') {
      this.#unlinkAndClose(uid, opened.descriptor);
    }
  }

  #path(uid: Uid): string {
    return `${this.#directory.path}/${uid}`;
  }

  #open(uid: Uid, flags: number): Opened {
    let descriptor: number;
    try {
      descriptor = openSync(this.#directory.entry(String(uid)), flags, FILE_MODE);
    } catch (error) {
      const code = systemErrorCode(error) ?? '';
      const reason = UNUSABLE.get(code);
      if (reason !== undefined) {
        return { kind: 'unusable', reason: `${this.#path(uid)}: ${reason}` };
      }
      if (code === 'ENOENT') {
        return { kind: 'missing' };
      }
      throw hostError(error, `cannot open ${this.#path(uid)}`);
    }
    if (!fstatSync(descriptor).isFile()) {
      closeSync(descriptor);
      return { kind: 'unusable', reason: `${this.#path(uid)}: it is no regular file` };
    }
    return { kind: 'open', descriptor };
  }

  /** Takes the lock of an open file; closes the file unless it is held then. */
  #tryLock(uid: Uid, descriptor: number): 'held' | 'taken' | 'unlinked' {
    let held = false;
    try {
      if (!flock(descriptor, LOCK_EXCLUSIVE)) {
        return 'taken';
      }
      // The former holder may have unlinked it before we had the lock; ours would be a lock that nobody sees.
      held = fstatSync(descriptor).nlink > 0;
      return held ? 'held' : 'unlinked';
    } catch (error) {
      throw hostError(error, `cannot lock ${this.#path(uid)}`);
    } finally {
      if (!held) {
        closeSync(descriptor);
      }
    }
  }

  #writeName(uid: Uid, descriptor: number, name: UserName): void {
    try {
      ftruncateSync(descriptor, writeSync(descriptor, `${name}\n`, 0));
    } catch (error) {
      this.#unlinkAndClose(uid, descriptor);
      throw hostError(error, `cannot write to ${this.#path(uid)}`);
    }
  }

  /** Ends a lock that is held: the name goes first, so that nobody can lock the file once more under it. */
  #unlinkAndClose(uid: Uid, descriptor: number): void {
    const entry = this.#directory.entry(String(uid));
    try {
      const locked = fstatSync(descriptor);
      const named = lstatSync(entry, { throwIfNoEntry: false });
      // Whoever put another file there meanwhile keeps it.
      if (named !== undefined && named.ino === locked.ino && named.dev === locked.dev) {
        unlinkSync(entry);
      }
    } catch (error) {
      throw hostError(error, `cannot remove ${this.#path(uid)}`);
    } finally {
      closeSync(descriptor);
    }
  }
}
