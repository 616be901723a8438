/**
 * The lock files by which systemd and this daemon keep out of each other's way: one of the two has a UID at a time.
 * The protocol is systemd's (src/core/dynamic-user.c): the file <directory>/<uid>, created 0600, is flocked for as
 * long as the UID is in use, has the user's name in it, and is unlinked while the lock is still held.
 * Never waits for a lock, and never touches a file whose lock another holds. A UID that systemd never takes has no file: it costs
 * neither that nor a descriptor.
 */
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
import type { LockOutcome, PeekOutcome, UidLocks } from '../../allocator/ports.ts';
import { DynuserError } from '../../core/errors.ts';
import type { Uid, UserName } from '../../core/ids.ts';
import { inInterval, SYSTEMD_INTERVAL } from '../../core/range.ts';
import { PinnedDirectory } from '../../files/pinned-directory.ts';
import { attempt, hostError, systemErrorCode } from '../host-error.ts';
import { closeUnless, flock, LOCK_EXCLUSIVE, LOCK_SHARED } from '../libc/libc.ts';
import type { LockStore } from './lock-store.ts';

export const SYSTEMD_LOCK_DIRECTORY = '/run/systemd/dynamic-uid';
const DIRECTORY_MODE = 0o755;
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

/** How often a file may be unlinked by its former holder between our open and our lock, before the UID counts as taken. */
const OPEN_ATTEMPTS_MAX = 16;

interface Held {
  /** holds the lock */
  readonly descriptor: number;
  readonly name: UserName;
  /** whether the store has a duplicate of it */
  kept: boolean;
}

export class SystemdUidLocks implements UidLocks {
  #directory: PinnedDirectory;
  readonly #store: LockStore | undefined;
  readonly #report: (what: string) => void;
  readonly #held = new Map<Uid, Held>();
  /** those that are locked and have no file */
  readonly #withoutFile = new Set<Uid>();
  /** what a former daemon had kept, until it is locked again or dropped */
  readonly #inherited: Map<Uid, number>;

  /**
   * @param path the directory, made if it is missing; SYSTEMD_LOCK_DIRECTORY but for tests
   * @param report told of what somebody did to the files, in words
   * @param store keeps locks beyond the end of this process; without it they end with it
   * @throws DynuserError HostFailed if the directory cannot be made, or others may write to it
   */
  constructor(path: string, report: (what: string) => void = () => {}, store?: LockStore) {
    this.#directory = openDirectory(path);
    this.#store = store;
    this.#report = report;
    this.#inherited = new Map(store?.inherited);
  }

  /** How many locks have a descriptor. */
  get fileCount(): number {
    return this.#held.size;
  }

  lock(uid: Uid, name: UserName): LockOutcome {
    return this.#lockUnlessHeld(uid, () => this.#take(uid, name));
  }

  relock(uid: Uid, name: UserName): LockOutcome {
    return this.#lockUnlessHeld(uid, () => this.#adopt(uid, name) ?? this.#takeOld(uid, name));
  }

  keep(uid: Uid): void {
    const held = this.#held.get(uid);
    if (held !== undefined && this.#store !== undefined && !held.kept) {
      held.kept = true;
      this.#store.keep(uid, held.descriptor);
    }
  }

  confirm(uid: Uid): LockOutcome {
    if (!hasLockFile(uid)) {
      return { kind: this.#withoutFile.has(uid) ? 'locked' : 'taken' };
    }
    this.#renewDirectory();
    const held = this.#held.get(uid);
    if (held === undefined) {
      return { kind: 'taken' };
    }
    return this.#file(uid).isAtPath(held.descriptor) ? { kind: 'locked' } : this.#lockAgain(uid, held);
  }

  peek(uid: Uid): PeekOutcome {
    if (!hasLockFile(uid)) {
      return { kind: this.#withoutFile.has(uid) ? 'taken' : 'free' };
    }
    this.#renewDirectory();
    const file = this.#file(uid);
    const opened = file.open(false);
    if (opened.kind !== 'open') {
      return opened.kind === 'missing' ? { kind: 'free' } : opened;
    }
    return { kind: file.isTaken(opened.descriptor) ? 'taken' : 'free' };
  }

  release(uid: Uid): void {
    this.#withoutFile.delete(uid);
    const held = this.#held.get(uid);
    if (held !== undefined) {
      this.#held.delete(uid);
      this.#end(uid, held);
    }
  }

  sweep(uid: Uid): void {
    if (this.#held.has(uid)) {
      return;
    }
    const file = this.#file(uid);
    // Also of one without a file: a daemon of a time that locked all UIDs had made one.
    const inherited = this.#inherited.get(uid);
    if (inherited !== undefined) {
      this.#inherited.delete(uid);
      this.#end(uid, { descriptor: inherited, kept: true });
    }
    const opened = hasLockFile(uid) ? file.open(false) : undefined;
    if (opened?.kind === 'open' && file.tryLock(opened.descriptor) === 'held') {
      file.unlinkAndClose(opened.descriptor);
    }
  }

  /** Ends what a former daemon had kept and nobody has locked again: locks of users that are no more. */
  dropInherited(): void {
    for (const uid of [...this.#inherited.keys()]) {
      this.sweep(uid);
    }
  }

  /** @param take for a UID that has a file */
  #lockUnlessHeld(uid: Uid, take: () => LockOutcome): LockOutcome {
    if (hasLockFile(uid)) {
      this.#renewDirectory();
      return this.#held.has(uid) ? { kind: 'taken' } : take();
    }
    if (this.#withoutFile.has(uid)) {
      return { kind: 'taken' };
    }
    this.#withoutFile.add(uid);
    return { kind: 'locked' };
  }

  #file(uid: Uid): LockFile {
    return new LockFile(this.#directory, uid);
  }

  #take(uid: Uid, name: UserName): LockOutcome {
    const file = this.#file(uid);
    let missing = 0;
    for (let attempt = 0; attempt < OPEN_ATTEMPTS_MAX; attempt++) {
      const opened = file.open(true);
      if (opened.kind === 'unusable') {
        return opened;
      }
      if (opened.kind === 'missing') {
        // Also with O_CREAT: the kernel found the file, and somebody unlinked it before it was open.
        missing++;
        continue;
      }
      const state = file.tryLock(opened.descriptor);
      if (state === 'held') {
        file.writeName(opened.descriptor, name);
        return this.#hold(uid, { descriptor: opened.descriptor, name, kept: false });
      }
      if (state === 'taken') {
        return { kind: 'taken' };
      }
    }
    if (missing === OPEN_ATTEMPTS_MAX) {
      throw new DynuserError('HostFailed', `the directory ${this.#directory.path} is removed again and again`);
    }
    return { kind: 'taken' };
  }

  /** Takes the file that a former daemon left, and no other: every other holder of the UID would have unlinked or renamed it. */
  #takeOld(uid: Uid, name: UserName): LockOutcome {
    const file = this.#file(uid);
    const opened = file.open(false);
    if (opened.kind !== 'open') {
      return opened.kind === 'missing' ? { kind: 'unusable', reason: 'its lock file is gone' } : opened;
    }
    const state = file.tryLock(opened.descriptor);
    if (state !== 'held') {
      return state === 'taken' ? { kind: 'taken' } : { kind: 'unusable', reason: 'its lock file is gone' };
    }
    if (!file.hasName(opened.descriptor, name)) {
      closeSync(opened.descriptor);
      return { kind: 'unusable', reason: 'its lock file has the name of somebody else' };
    }
    return this.#hold(uid, { descriptor: opened.descriptor, name, kept: false });
  }

  /** Takes over what a former daemon had kept. @returns undefined if there is nothing, or it keeps nobody out any more */
  #adopt(uid: Uid, name: UserName): LockOutcome | undefined {
    const descriptor = this.#inherited.get(uid);
    if (descriptor === undefined) {
      return undefined;
    }
    this.#inherited.delete(uid);
    const file = this.#file(uid);
    if (!file.isAtPath(descriptor)) {
      this.#end(uid, { descriptor, kept: true });
      return undefined;
    }
    if (file.tryLock(descriptor) !== 'held') {
      this.#store?.drop(uid);
      return undefined;
    }
    return this.#hold(uid, { descriptor, name, kept: true });
  }

  #hold(uid: Uid, held: Held): LockOutcome {
    this.#held.set(uid, held);
    return { kind: 'locked' };
  }

  /** The file of a lock was unlinked, or another put in its place: the lock is taken anew, if nobody else has it. */
  #lockAgain(uid: Uid, held: Held): LockOutcome {
    this.#held.delete(uid);
    this.#end(uid, held);
    const outcome = this.#take(uid, held.name);
    if (outcome.kind === 'locked') {
      this.#report(`the lock file of UID ${uid} (${held.name}) was gone, and is locked again`);
      if (held.kept) {
        this.keep(uid);
      }
    }
    return outcome;
  }

  #end(uid: Uid, { descriptor, kept }: Pick<Held, 'descriptor' | 'kept'>): void {
    try {
      this.#file(uid).unlinkAndClose(descriptor);
    } finally {
      // Last: as long as the file is there, nobody else can lock it, also if we end in between.
      if (kept) {
        this.#store?.drop(uid);
      }
    }
  }

  /** Somebody may have removed the directory, or put another in its place: what was locked there keeps nobody out. */
  #renewDirectory(): void {
    if (this.#directory.isInPlace()) {
      return;
    }
    const { path } = this.#directory;
    const renewed = openDirectory(path);
    this.#directory.close();
    this.#directory = renewed;
    this.#report(`the directory ${path} was gone or another one, and ${this.#held.size} UIDs are locked again in it`);
    for (const [uid, held] of [...this.#held]) {
      // Whoever asks for a lock that cannot be had again is told so by confirm().
      this.#lockAgain(uid, held);
    }
  }
}

/** Whether a UID that is locked has a file, and with it a descriptor. */
export function hasLockFile(uid: Uid): boolean {
  return inInterval(SYSTEMD_INTERVAL, uid);
}

function openDirectory(path: string): PinnedDirectory {
  return attempt(`cannot use the lock directory ${path}`, () =>
    PinnedDirectory.open(path, { create: { mode: DIRECTORY_MODE } }),
  );
}

type Opened =
  | { readonly kind: 'open'; readonly descriptor: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly reason: string };

/** The lock file of one UID in a directory; keeps nothing. @throws DynuserError HostFailed, LimitReached; so do all methods */
class LockFile {
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
      return { kind: 'unusable', reason: `${this.#path}: it is not a regular file` };
    }
    return { kind: 'open', descriptor };
  }

  /** Takes the lock of an open file; closes the file unless it is held then. */
  tryLock(descriptor: number): 'held' | 'taken' | 'unlinked' {
    return attempt(`cannot lock ${this.#path}`, () => {
      let isOurs = false;
      const isHeld = closeUnless(descriptor, () => {
        isOurs = flock(descriptor, LOCK_EXCLUSIVE);
        // The former holder may have unlinked it before we had the lock; ours would be a lock that nobody sees.
        return isOurs && fstatSync(descriptor).nlink > 0;
      });
      return isHeld ? 'held' : isOurs ? 'unlinked' : 'taken';
    });
  }

  /** Whether somebody else has the lock of an open file, which is closed. Shared, so that two who test at once do not see each other as holders. */
  isTaken(descriptor: number): boolean {
    try {
      return attempt(`cannot try the lock of ${this.#path}`, () => !flock(descriptor, LOCK_SHARED));
    } finally {
      closeSync(descriptor);
    }
  }

  /** Whether an open file is the one at the path: a lock on any other keeps nobody out. */
  isAtPath(descriptor: number): boolean {
    return attempt(`cannot inspect ${this.#path}`, () => {
      const locked = fstatSync(descriptor);
      const named = lstatSync(this.#entry, { throwIfNoEntry: false });
      return named !== undefined && named.ino === locked.ino && named.dev === locked.dev;
    });
  }

  /** Whether an open file has a name in it, as writeName() leaves it. */
  hasName(descriptor: number, name: UserName): boolean {
    const expected = Buffer.from(`${name}\n`);
    const found = Buffer.alloc(expected.length + 1);
    const length = attempt(`cannot read ${this.#path}`, () => readSync(descriptor, found, 0, found.length, 0));
    return found.subarray(0, length).equals(expected);
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
        attempt(`cannot remove ${this.#path}`, () => unlinkSync(this.#entry));
      }
    } finally {
      closeSync(descriptor);
    }
  }
}
