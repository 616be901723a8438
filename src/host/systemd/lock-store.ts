/**
 * Where duplicates of the descriptors of locked files are kept, so that the locks outlive this daemon: flock(2) locks belong to
 * the open file description. The service manager's descriptor store (sd_notify(3), FDSTORE=1) and the lock keeper of
 * native/helper/lock_keeper.h take the same messages.
 */
import { type StdioOptions, spawn } from 'node:child_process';
import { closeSync, lstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asUid, type Uid } from '../../core/ids.ts';
import { hostError, systemErrorCode } from '../host-error.ts';
import { DescriptorSocket, SOCK_DGRAM, SOCK_SEQPACKET } from '../libc/descriptor-socket.ts';
import { notifyAddress } from './notify.ts';

/**
 * Locks that are kept at most. systemd passes the names in one variable, and no variable of a new program can be longer than
 * 128 KiB (execve(2), MAX_ARG_STRLEN): so many names of the longest UIDs fit.
 */
export const LOCKS_KEPT_MAX = 8_192;
/** How soon a message that found the receiver's queue full is sent again, in milliseconds. */
const RETRY_MS = 5;
/** How long an end waits until all was sent, in milliseconds. */
const CLOSE_MS = 1_000;
/** How often a store may be opened anew: one that dies at once costs a process each time. */
const REOPEN_INTERVAL_MS = 1_000;

/** The lock keeper's socket in the runtime directory. */
export const LOCK_KEEPER = 'lock-keeper';
/** How long the keeper may take for each message, in milliseconds. */
const KEEPER_WAIT_MS = 5_000;
/** What it sends after the last lock; END of native/helper/lock_keeper.c. */
const KEEPER_END = 'END';
/**
 * Each message costs systemd's process 1 a quarter of a millisecond. A user that ends sooner than this, in milliseconds, costs it
 * nothing, and a short job of fifty at a time lives for a fifth of a second; a crash of the daemon in this time leaves a lock that is
 * taken again if it is free, and a lost lease if it is not.
 */
const MANAGER_DELAY_MS = 500;
const SYSTEMD_NOTIFY = '/run/systemd/notify';

/** @returns the name by which a lock is kept */
export function keptName(uid: Uid): string {
  return `uid-${uid}`;
}

/** @returns the UID whose lock has that name, undefined if it is not such a name */
export function uidOfKeptName(name: string): Uid | undefined {
  const digits = /^uid-(0|[1-9]\d{0,9})$/.exec(name)?.[1];
  return digits === undefined ? undefined : asUid(Number(digits));
}

export interface LockStoreOptions {
  readonly socket: DescriptorSocket;
  /** how many descriptors it takes; LOCKS_KEPT_MAX at most */
  readonly capacity: number;
  /** the descriptors that a former daemon left in it, by UID: the caller's to keep, or to close and drop() */
  readonly inherited?: ReadonlyMap<Uid, number>;
  /** how long a lock is held before it is sent, in milliseconds: one that is let go before costs no message; 0 by default */
  readonly delayMs?: number;
  /** a new one, with an empty store, after the other side has gone; without it, what cannot be sent is dropped */
  readonly reopen?: () => DescriptorSocket;
  /** told of what fails: locks that are not kept end with this process */
  readonly onFailure: (what: string, cause?: unknown) => void;
}

export class LockStore {
  readonly inherited: ReadonlyMap<Uid, number>;
  readonly #options: LockStoreOptions;
  #socket: DescriptorSocket | undefined;
  /** what is to be kept */
  readonly #kept: Map<Uid, number>;
  /** UIDs of which the store has a descriptor, as far as was sent */
  readonly #stored: Set<Uid>;
  /** UIDs whose last change was not sent, since the queue was full */
  readonly #unsent = new Set<Uid>();
  /** locks that are not held for long enough yet, oldest first, with performance.now() of the moment when they will be */
  readonly #young = new Map<Uid, number>();
  #timer: NodeJS.Timeout | undefined;
  #youngTimer: NodeJS.Timeout | undefined;
  #reopenedAt = Number.NEGATIVE_INFINITY;
  #isFull = false;

  constructor(options: LockStoreOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.inherited = options.inherited ?? new Map();
    this.#kept = new Map(this.inherited);
    this.#stored = new Set(this.inherited.keys());
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
      this.#young.delete(uid);
      this.#young.set(uid, performance.now() + delayMs);
      this.#sendGrownLater(delayMs);
    } else {
      this.#change(uid);
    }
  }

  /** Lets go of the descriptor of a UID; one that is not kept is not an error. */
  drop(uid: Uid): void {
    if (this.#kept.delete(uid)) {
      this.#isFull = false;
      this.#young.delete(uid);
      if (this.#stored.has(uid)) {
        this.#change(uid);
      } else {
        this.#unsent.delete(uid);
      }
    }
  }

  /** Lets go of the store, which keeps what it has, once all was sent, or within CLOSE_MS. */
  async close(): Promise<void> {
    clearTimeout(this.#youngTimer);
    this.#sendYoung(Number.POSITIVE_INFINITY);
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

  /** Sends those of the young locks that were old enough at a moment. */
  #sendYoung(now: number): void {
    for (const [uid, grown] of this.#young) {
      if (grown > now) {
        this.#sendGrownLater(grown - now);
        return;
      }
      this.#young.delete(uid);
      this.#change(uid);
    }
  }

  #sendGrownLater(delayMs: number): void {
    this.#youngTimer ??= setTimeout(() => {
      this.#youngTimer = undefined;
      this.#sendYoung(performance.now());
    }, delayMs).unref();
  }

  #change(uid: Uid): void {
    // In order: what waits for one UID is sent as it is by then.
    if (this.#unsent.size > 0 || !this.#send(uid)) {
      this.#unsent.add(uid);
      this.#sendLater();
    }
  }

  #flush(): void {
    this.#timer = undefined;
    for (const uid of [...this.#unsent]) {
      if (!this.#send(uid)) {
        this.#sendLater();
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
    this.#young.clear();
    this.#unsent.clear();
    for (const uid of this.#kept.keys()) {
      this.#unsent.add(uid);
    }
    this.#sendLater();
    return true;
  }

  #sendLater(): void {
    this.#timer ??= setTimeout(() => this.#flush(), RETRY_MS).unref();
  }
}

/** A service manager's descriptor store. */
export interface ManagerStore {
  /** of its notification socket, as connect(2) takes it */
  readonly address: string;
  readonly capacity: number;
}

/**
 * Whether the service manager keeps descriptors for us. systemd says so by $FDSTORE since version 254; before that it takes them
 * for a unit with FileDescriptorStoreMax=, and says nothing.
 * @param pid our own: variables that an ancestor's manager has set are not for us (systemd.exec(5), $SYSTEMD_EXEC_PID)
 */
export function findManagerStore(environment: NodeJS.ProcessEnv, pid: number): ManagerStore | undefined {
  const { NOTIFY_SOCKET: socket = '', FDSTORE: count, SYSTEMD_EXEC_PID: forPid } = environment;
  const address = notifyAddress(socket);
  if (address === undefined || (forPid !== undefined && forPid !== String(pid))) {
    return undefined;
  }
  if (count !== undefined) {
    return /^[1-9]\d{0,9}$/.test(count) ? { address, capacity: Math.min(Number(count), LOCKS_KEPT_MAX) } : undefined;
  }
  return socket === SYSTEMD_NOTIFY ? { address, capacity: LOCKS_KEPT_MAX } : undefined;
}

/** What the service manager keeps for us. */
export interface KeptLocks {
  /** its descriptor store, if it has one for us */
  readonly manager: ManagerStore | undefined;
  /** what it passed out of it, each with its name */
  readonly stored: readonly { readonly descriptor: number; readonly name: string }[];
}

export interface LockStoreChoice extends KeptLocks {
  readonly runtimeDirectory: string;
  /** the path of dynuser-helper */
  readonly helper: string;
  readonly onFailure: (what: string, cause?: unknown) => void;
}

/**
 * Opens the manager's store, or connects to the lock keeper, which is started if it is not there.
 * @returns undefined if there is neither: the reason was told, and locks end with this daemon
 * @throws DynuserError HostFailed if a keeper is there and does not hand over what it has: every lease would be lost
 */
export function openLockStore(choice: LockStoreChoice): LockStore | undefined {
  const path = `${choice.runtimeDirectory}/${LOCK_KEEPER}`;
  const running = choice.manager === undefined ? connectKeeper(path) : undefined;
  if (running !== undefined) {
    try {
      return openKeeper(running, path, choice);
    } catch (error) {
      const advice =
        'end that process, which loses the locks of users whose UID somebody else takes, or restart the host';
      throw hostError(error, `the lock keeper at ${path} does not hand over its locks; ${advice}`);
    }
  }
  try {
    return choice.manager === undefined
      ? openKeeper(startKeeper(path, choice), path, choice)
      : openManager(choice.manager, choice);
  } catch (error) {
    choice.onFailure('the locks of users cannot be kept: they end with this daemon', error);
    return undefined;
  }
}

function openManager({ address, capacity }: ManagerStore, { stored, onFailure }: LockStoreChoice): LockStore {
  const inherited = new Map<Uid, number>();
  for (const { descriptor, name } of stored) {
    take(inherited, name, descriptor);
  }
  const socket = DescriptorSocket.connect(address, SOCK_DGRAM);
  // A manager that executes itself anew keeps its socket, and one that is gone takes us with it.
  return new LockStore({ socket, capacity, inherited, delayMs: MANAGER_DELAY_MS, onFailure });
}

function openKeeper(socket: DescriptorSocket, path: string, choice: LockStoreChoice): LockStore {
  const inherited = new Map<Uid, number>();
  socket.limitWait(KEEPER_WAIT_MS);
  for (let count = 0; count <= LOCKS_KEPT_MAX; count++) {
    const message = socket.receive();
    if (message === undefined) {
      throw new Error('it has closed the connection');
    }
    if (message.text === KEEPER_END) {
      break;
    }
    take(inherited, message.text, message.descriptor);
  }
  const { onFailure } = choice;
  const reopen = () => startKeeper(path, choice);
  return new LockStore({ socket, capacity: LOCKS_KEPT_MAX, inherited, reopen, onFailure });
}

function take(inherited: Map<Uid, number>, name: string, descriptor: number | undefined): void {
  const uid = uidOfKeptName(name);
  if (descriptor === undefined) {
    return;
  }
  if (uid === undefined || inherited.has(uid)) {
    closeSync(descriptor);
  } else {
    inherited.set(uid, descriptor);
  }
}

/** @returns undefined if no keeper listens there */
function connectKeeper(path: string): DescriptorSocket | undefined {
  // Whoever is root can put anything there; what is not a socket of ours is replaced by the next keeper.
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined || !status.isSocket() || status.uid !== process.geteuid?.()) {
    return undefined;
  }
  try {
    return DescriptorSocket.connect(path, SOCK_SEQPACKET);
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED', 'EPROTOTYPE'].includes(systemErrorCode(error) ?? '')) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Starts a keeper in a session and process group of its own, which a supervisor that kills ours does not reach. It has nothing
 * that could keep a pipe of the supervisor open.
 */
function startKeeper(path: string, { helper, onFailure }: LockStoreChoice): DescriptorSocket {
  const { near, far } = DescriptorSocket.pair();
  try {
    // The fourth is KEEPER_CONNECTION of native/helper/lock_keeper.h.
    const stdio: StdioOptions = ['ignore', 'ignore', 'ignore', far];
    const child = spawn(helper, ['keep-locks', path], { detached: true, env: {}, cwd: '/', stdio });
    child.on('error', error => onFailure('the lock keeper cannot be started', error));
    child.unref();
    return near;
  } finally {
    closeSync(far);
  }
}
