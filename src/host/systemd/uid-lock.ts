/**
 * The lock files by which systemd and this daemon keep out of each other's way: one of the two has a UID at a time.
 * The protocol is systemd's (src/core/dynamic-user.c): the file <directory>/<uid>, created 0600, is flocked for as
 * long as the UID is in use, has the user's name in it, and is unlinked while the lock is still held.
 * Never waits for a lock, and never touches a file whose lock another holds.
 */
import { closeSync } from 'node:fs';
import type { LockOutcome, PeekOutcome, UidLocks } from '../../allocator/ports.ts';
import { DynuserError } from '../../core/errors.ts';
import type { Uid, UserName } from '../../core/ids.ts';
import { PinnedDirectory } from '../../files/pinned-directory.ts';
import { hostError } from '../host-error.ts';
import { LockFile } from './lock-file.ts';
import type { LockStore } from './lock-store.ts';

export const SYSTEMD_LOCK_DIRECTORY = '/run/systemd/dynamic-uid';
const DIRECTORY_MODE = 0o755;
/** How often a file may be unlinked by its former holder between our open and our lock, before the UID counts as taken. */
const OPEN_ATTEMPTS_MAX = 16;

interface Held {
  /** holds the lock */
  readonly descriptor: number;
  readonly name: UserName;
  /** whether the store has a duplicate of it */
  kept: boolean;
}

export interface UidLockOptions {
  /** keeps locks beyond the end of this process; without it they end with it */
  readonly store?: LockStore;
  /** the descriptors that a former daemon had kept, by UID */
  readonly inherited?: ReadonlyMap<Uid, number>;
  /** told of what somebody did to the files, in words */
  readonly report?: (what: string) => void;
}

export class SystemdUidLocks implements UidLocks {
  #directory: PinnedDirectory;
  readonly #store: LockStore | undefined;
  readonly #report: (what: string) => void;
  readonly #held = new Map<Uid, Held>();
  /** what a former daemon had kept, until it is locked again or dropped */
  readonly #inherited: Map<Uid, number>;

  private constructor(directory: PinnedDirectory, { store, inherited, report }: UidLockOptions) {
    this.#directory = directory;
    this.#store = store;
    this.#report = report ?? (() => {});
    this.#inherited = new Map(inherited);
  }

  /**
   * @param path the directory, made if it is missing; /run/systemd/dynamic-uid but for tests
   * @throws DynuserError HostFailed if it cannot be made, or others may write to it
   */
  static open(path: string, options: UidLockOptions = {}): SystemdUidLocks {
    return new SystemdUidLocks(openDirectory(path), options);
  }

  lock(uid: Uid, name: UserName): LockOutcome {
    this.#renewDirectory();
    return this.#held.has(uid) ? { kind: 'taken' } : this.#take(uid, name);
  }

  relock(uid: Uid, name: UserName): LockOutcome {
    this.#renewDirectory();
    return this.#held.has(uid) ? { kind: 'taken' } : (this.#adopt(uid, name) ?? this.#takeOld(uid, name));
  }

  keep(uid: Uid): void {
    const held = this.#held.get(uid);
    if (held !== undefined && this.#store !== undefined && !held.kept) {
      held.kept = true;
      this.#store.keep(uid, held.descriptor);
    }
  }

  confirm(uid: Uid): LockOutcome {
    this.#renewDirectory();
    const held = this.#held.get(uid);
    if (held === undefined) {
      return { kind: 'taken' };
    }
    return this.#file(uid).isAtPath(held.descriptor) ? { kind: 'locked' } : this.#lockAgain(uid, held);
  }

  peek(uid: Uid): PeekOutcome {
    this.#renewDirectory();
    const file = this.#file(uid);
    const opened = file.open(false);
    if (opened.kind !== 'open') {
      return opened.kind === 'missing' ? { kind: 'free' } : opened;
    }
    return { kind: file.isTaken(opened.descriptor) ? 'taken' : 'free' };
  }

  release(uid: Uid): void {
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
    const inherited = this.#inherited.get(uid);
    if (inherited !== undefined) {
      this.#inherited.delete(uid);
      this.#end(uid, { descriptor: inherited, kept: true });
    }
    const opened = file.open(false);
    if (opened.kind === 'open' && file.tryLock(opened.descriptor) === 'held') {
      file.unlinkAndClose(opened.descriptor);
    }
  }

  /** Ends what a former daemon had kept and nobody has locked again: locks of users that are no more. */
  dropInherited(): void {
    for (const uid of [...this.#inherited.keys()]) {
      this.sweep(uid);
    }
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
        this.#held.set(uid, { descriptor: opened.descriptor, name, kept: false });
        return { kind: 'locked' };
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
    this.#held.set(uid, { descriptor: opened.descriptor, name, kept: false });
    return { kind: 'locked' };
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
    this.#held.set(uid, { descriptor, name, kept: true });
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

function openDirectory(path: string): PinnedDirectory {
  try {
    return PinnedDirectory.open(path, { create: { mode: DIRECTORY_MODE } });
  } catch (error) {
    throw hostError(error, `cannot use the lock directory ${path}`);
  }
}
