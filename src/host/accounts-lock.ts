/**
 * The lock of the host's account files, /etc/.pwd.lock, by the protocol of lckpwdf(3): useradd(8) and systemd hold it while they
 * choose a number. Ours is a shared lock (F_RDLCK): it keeps these out, and asks for no right to write, so that it can be taken
 * if /etc is read-only for this process. Requests share one hold.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AccountsLock } from '../allocator/ports.ts';
import { DynuserError } from '../core/errors.ts';
import { attempt, systemErrorCode } from './host-error.ts';
import { closeUnless, ForeignFunction, SLOT } from './libc/libc.ts';

export const ACCOUNTS_LOCK = '/etc/.pwd.lock';
const FILE_MODE = 0o600;
const OPEN_FLAGS =
  constants.O_RDONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NOCTTY | constants.O_NONBLOCK;
/** How soon a lock that somebody else has is tried again, in milliseconds. */
const RETRY_MS = 5;
/** If requests follow one another for so long, in milliseconds, others that wait for the lock get a turn: useradd gives up after 15 s. */
const SHARED_MAX_MS = 250;
/** How long such a turn lasts at least, in milliseconds: a process that sleeps in fcntl(2) is awake by then. */
const TURN_MS = 10;

/** Without the file, and without the right to make it, nobody here can change accounts either. */
const NOTHING_TO_LOCK: ReadonlySet<string> = new Set(['EROFS', 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);

/** Of fcntl.h: open file description locks, which end with their descriptor whatever else of this process closes the file. */
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
/** struct flock of 64-bit Linux: type, whence, start, length, process. */
const FLOCK_BYTES = 4 * SLOT;
const FLOCK_PID_AT = 3 * SLOT;

export class PasswordFileLock implements AccountsLock {
  readonly #path: string;
  readonly #waitMs: () => number;
  readonly #report: (what: string) => void;
  readonly #fcntl = new ForeignFunction('fcntl', ['int32', 'int32', 'pointer']);
  readonly #flock = Buffer.alloc(FLOCK_BYTES);
  /** undefined while it is not held, or if there is nothing to lock */
  #descriptor: number | undefined;
  #holders = 0;
  /** since when requests have followed one another without a turn for others, and when the last let go; monotonic */
  #since = 0;
  #releasedAt = 0;
  /** the next try, for all that wait */
  #pause: Promise<void> | undefined;
  #isReported = false;

  /**
   * @param path /etc/.pwd.lock but for tests
   * @param waitMs how long a request may wait, in milliseconds
   * @param report told once why there is nothing to lock
   */
  constructor(path: string, waitMs: () => number, report: (what: string) => void) {
    this.#path = path;
    this.#waitMs = waitMs;
    this.#report = report;
    this.#fcntl.lay(2, this.#flock);
  }

  async take(): Promise<() => void> {
    const deadline = performance.now() + this.#waitMs();
    while (!this.#join() && !this.#lock()) {
      if (performance.now() > deadline) {
        throw this.#late();
      }
      this.#pause ??= sleep(RETRY_MS).finally(() => {
        this.#pause = undefined;
      });
      await this.#pause;
    }
    this.#holders++;
    let isHeld = true;
    return () => {
      if (isHeld) {
        isHeld = false;
        this.#letGo();
      }
    };
  }

  /** @returns whether another request holds the lock, and it may be shared */
  #join(): boolean {
    return this.#holders > 0 && performance.now() - this.#since <= SHARED_MAX_MS;
  }

  /** @returns false if somebody else has the lock, or has a turn */
  #lock(): boolean {
    const now = performance.now();
    const hadTurn = now - this.#releasedAt >= TURN_MS;
    if (this.#holders > 0 || (!hadTurn && now - this.#since > SHARED_MAX_MS)) {
      return false;
    }
    const opened = this.#open();
    if (opened === 'taken') {
      return false;
    }
    this.#descriptor = opened;
    this.#since = hadTurn ? now : this.#since;
    return true;
  }

  #letGo(): void {
    this.#holders--;
    if (this.#holders === 0) {
      this.#releasedAt = performance.now();
      if (this.#descriptor !== undefined) {
        closeSync(this.#descriptor);
        this.#descriptor = undefined;
      }
    }
  }

  /** @returns the locked descriptor; undefined if there is nothing to lock. @throws DynuserError HostFailed, LimitReached */
  #open(): number | 'taken' | undefined {
    return attempt(`cannot lock the accounts of this host by ${this.#path}`, () => {
      let descriptor: number;
      try {
        descriptor = openSync(this.#path, OPEN_FLAGS, FILE_MODE);
      } catch (error) {
        this.#reportNothingToLock(error);
        return undefined;
      }
      return closeUnless(descriptor, () => this.#control(descriptor, F_OFD_SETLK)) ? descriptor : 'taken';
    });
  }

  #reportNothingToLock(error: unknown): void {
    const code = systemErrorCode(error) ?? '';
    if (!NOTHING_TO_LOCK.has(code)) {
      throw error;
    }
    if (!this.#isReported) {
      this.#isReported = true;
      const so = 'UIDs are chosen without a lock on the accounts of this host';
      this.#report(`${this.#path} cannot be opened (${code}): ${so}`);
    }
  }

  /** @returns false if somebody else has a lock that excludes ours */
  #control(descriptor: number, command: typeof F_OFD_SETLK | typeof F_OFD_GETLK): boolean {
    // Of the whole file, from its beginning: whence, start and length are 0.
    this.#flock.fill(0);
    this.#flock.writeInt16LE(F_RDLCK, 0);
    try {
      this.#fcntl.call(descriptor, command);
      return true;
    } catch (error) {
      // fcntl(2) has both.
      if (['EAGAIN', 'EACCES'].includes(systemErrorCode(error) ?? '')) {
        return false;
      }
      throw error;
    }
  }

  #late(): DynuserError {
    const path = this.#path;
    if (this.#holders > 0) {
      return new DynuserError(
        'LimitReached',
        'no UID can be chosen yet: too many requests are choosing one; try again',
      );
    }
    const holder = this.#holder();
    const who = holder === undefined ? 'another process' : `process ${holder}`;
    const advice = 'wait until it has changed the accounts of this host, or end it';
    return new DynuserError(
      'ProbeFailed',
      `no UID can be chosen: ${who} has had ${path} locked for ${this.#waitMs() / 1_000} s; ${advice}`,
    );
  }

  /** @returns the process that has the lock, if the kernel knows it */
  #holder(): number | undefined {
    try {
      const descriptor = openSync(this.#path, OPEN_FLAGS, FILE_MODE);
      try {
        this.#control(descriptor, F_OFD_GETLK);
      } finally {
        closeSync(descriptor);
      }
      const pid = this.#flock.readInt32LE(FLOCK_PID_AT);
      return pid > 0 ? pid : undefined;
    } catch {
      // It only makes the message better.
      return undefined;
    }
  }
}
