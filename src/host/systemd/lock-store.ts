/**
 * Where duplicates of the descriptors of locked files are kept, so that the locks outlive this daemon: flock(2) locks belong to
 * the open file description. The service manager's descriptor store (sd_notify(3), FDSTORE=1) and the lock keeper of
 * native/helper/lock_keeper.h take the same messages.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { asUid, type Uid } from '../../core/ids.ts';
import type { DescriptorSocket } from '../libc/descriptor-socket.ts';

/**
 * Locks that are kept at most. systemd passes the names in one variable, and no variable of a new program can be longer than
 * 128 KiB (execve(2), MAX_ARG_STRLEN): so many names of the longest UIDs fit.
 */
export const LOCKS_KEPT_MAX = 8_192;
/** How soon what found the receiver's queue full is sent again, in milliseconds. */
const RETRY_MS = 5;
/** How long an end waits until all was sent, in milliseconds. */
const CLOSE_MS = 1_000;
/** How often a store may be opened anew: one that dies at once costs a process each time. */
const REOPEN_INTERVAL_MS = 1_000;

/** @returns the name by which a lock is kept */
export function keptName(uid: Uid): string {
  return `uid-${uid}`;
}

/** @returns the UID whose lock has that name, undefined if it is no such name */
export function uidOfKeptName(name: string): Uid | undefined {
  const digits = /^uid-(0|[1-9]\d{0,9})$/.exec(name)?.[1];
  return digits === undefined ? undefined : asUid(Number(digits));
}

export interface LockStoreOptions {
  readonly socket: DescriptorSocket;
  /** how many descriptors it takes; LOCKS_KEPT_MAX at most */
  readonly capacity: number;
  /** how long a lock is held before it is sent, in milliseconds: one that is let go before costs no message; 0 by default */
  readonly delayMs?: number;
  /** a new one, with an empty store, after the other side has gone; without it, what cannot be sent is dropped */
  readonly reopen?: () => DescriptorSocket;
  /** told of what fails: locks that are not kept end with this process */
  readonly onFailure: (what: string, cause?: unknown) => void;
}

export class LockStore {
  readonly #options: LockStoreOptions;
  #socket: DescriptorSocket | undefined;
  /** what is to be kept */
  readonly #kept = new Map<Uid, number>();
  /** UIDs of which the store has a descriptor, as far as was sent */
  readonly #stored = new Set<Uid>();
  /** UIDs whose last change was not sent, since the queue was full */
  readonly #unsent = new Set<Uid>();
  #timer: NodeJS.Timeout | undefined;
  #reopenedAt = Number.NEGATIVE_INFINITY;
  #isFull = false;

  constructor(options: LockStoreOptions) {
    this.#options = options;
    this.#socket = options.socket;
  }

  /**
   * Has a descriptor kept: from this call on, or after the delay, or while the store's queue is full a few milliseconds later.
   * Never waits.
   * @param descriptor stays the caller's, who calls drop() before closing it
   */
  keep(uid: Uid, descriptor: number): void {
    if (this.#kept.size >= this.#options.capacity && !this.#kept.has(uid)) {
      if (!this.#isFull) {
        this.#isFull = true;
        this.#options.onFailure(`${this.#kept.size} locks are kept beyond the end of the daemon, and no more`);
      }
      return;
    }
    this.#kept.set(uid, descriptor);
    const { delayMs = 0 } = this.#options;
    if (delayMs > 0) {
      this.#unsent.add(uid);
      this.#sendLater(delayMs);
    } else {
      this.#change(uid);
    }
  }

  /** Notes what the store has already, from a former daemon. */
  adopt(uid: Uid, descriptor: number): void {
    this.#kept.set(uid, descriptor);
    this.#stored.add(uid);
  }

  /** Lets go of the descriptor of a UID; one that is not kept is no error. */
  drop(uid: Uid): void {
    if (this.#kept.delete(uid)) {
      this.#isFull = false;
      if (this.#stored.has(uid)) {
        this.#change(uid);
      } else {
        this.#unsent.delete(uid);
      }
    }
  }

  /** Lets go of the store, which keeps what it has, once all was sent, or within CLOSE_MS. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flush();
    for (const deadline = performance.now() + CLOSE_MS; this.#unsent.size > 0 && performance.now() < deadline; ) {
      await sleep(RETRY_MS);
    }
    clearTimeout(this.#timer);
    this.#unsent.clear();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #change(uid: Uid): void {
    // In order: what waits for one UID is sent as it is by then.
    if (this.#unsent.size > 0 || !this.#send(uid)) {
      this.#unsent.add(uid);
      this.#sendLater(RETRY_MS);
    }
  }

  #flush(): void {
    this.#timer = undefined;
    for (const uid of [...this.#unsent]) {
      if (!this.#send(uid)) {
        this.#sendLater(RETRY_MS);
        return;
      }
      this.#unsent.delete(uid);
    }
  }

  /** @returns false if the queue is full, before or after the first of two messages */
  #send(uid: Uid): boolean {
    const name = `FDNAME=${keptName(uid)}\n`;
    try {
      // The manager would keep a second descriptor of the same name as well.
      if (this.#stored.has(uid)) {
        if (this.#socket?.send(`FDSTOREREMOVE=1\n${name}`) === false) {
          return false;
        }
        this.#stored.delete(uid);
      }
      const descriptor = this.#kept.get(uid);
      if (descriptor !== undefined) {
        if (this.#socket?.send(`FDSTORE=1\n${name}`, descriptor) === false) {
          return false;
        }
        this.#stored.add(uid);
      }
      return true;
    } catch (error) {
      return this.#reopen(error);
    }
  }

  /** Starts over with an empty store. @returns whether nothing is left to be sent for now */
  #reopen(cause: unknown): boolean {
    const { reopen, onFailure } = this.#options;
    this.#socket?.close();
    this.#socket = undefined;
    if (reopen === undefined || performance.now() - this.#reopenedAt < REOPEN_INTERVAL_MS) {
      onFailure('the locks of users are not kept any more: they end with this daemon', cause);
      return true;
    }
    this.#reopenedAt = performance.now();
    try {
      this.#socket = reopen();
    } catch (error) {
      onFailure('the locks of users cannot be kept: they end with this daemon', error);
      return true;
    }
    onFailure('what kept the locks of users has gone, and was replaced', cause);
    this.#stored.clear();
    this.#unsent.clear();
    for (const uid of this.#kept.keys()) {
      this.#unsent.add(uid);
    }
    this.#sendLater(RETRY_MS);
    return true;
  }

  #sendLater(delayMs: number): void {
    this.#timer ??= setTimeout(() => this.#flush(), delayMs).unref();
  }
}
