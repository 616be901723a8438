/** Which store keeps the locks of this daemon, and what a former one left in it. */
import { type StdioOptions, spawn } from 'node:child_process';
import { closeSync, lstatSync } from 'node:fs';
import type { Uid } from '../../core/ids.ts';
import { hostError, systemErrorCode } from '../host-error.ts';
import { DescriptorSocket, SOCK_DGRAM, SOCK_SEQPACKET } from '../libc/descriptor-socket.ts';
import { LOCKS_KEPT_MAX, LockStore, uidOfKeptName } from './lock-store.ts';

/** The lock keeper's socket in the runtime directory. */
export const LOCK_KEEPER = 'lock-keeper';
/** How long the keeper may take for each message, in milliseconds. */
const KEEPER_WAIT_MS = 5_000;
/** What it sends after the last lock; END of native/helper/lock_keeper.c. */
const KEEPER_END = 'END';
/**
 * Each message costs systemd's process 1 a quarter of a millisecond. A user that ends sooner than this, in milliseconds, costs it
 * nothing; a crash of the daemon in this time leaves a lock that is taken again if it is free, and a lost lease if it is not.
 */
const MANAGER_DELAY_MS = 50;
const SYSTEMD_NOTIFY = '/run/systemd/notify';

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
  if (!/^[/@]./s.test(socket) || (forPid !== undefined && forPid !== String(pid))) {
    return undefined;
  }
  const address = socket.startsWith('@') ? `\0${socket.slice(1)}` : socket;
  if (count !== undefined) {
    return /^[1-9]\d{0,9}$/.test(count) ? { address, capacity: Math.min(Number(count), LOCKS_KEPT_MAX) } : undefined;
  }
  return socket === SYSTEMD_NOTIFY ? { address, capacity: LOCKS_KEPT_MAX } : undefined;
}

export interface OpenLockStore {
  readonly store: LockStore;
  /** the descriptors that a former daemon left, by UID: the caller's to keep or to close and drop() */
  readonly inherited: ReadonlyMap<Uid, number>;
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
export function openLockStore(choice: LockStoreChoice): OpenLockStore | undefined {
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

function openManager({ address, capacity }: ManagerStore, { stored, onFailure }: LockStoreChoice): OpenLockStore {
  const inherited = new Map<Uid, number>();
  for (const { descriptor, name } of stored) {
    take(inherited, name, descriptor);
  }
  const socket = DescriptorSocket.connect(address, SOCK_DGRAM);
  // A manager that executes itself anew keeps its socket, and one that is gone takes us with it.
  return adopted(new LockStore({ socket, capacity, delayMs: MANAGER_DELAY_MS, onFailure }), inherited);
}

function openKeeper(socket: DescriptorSocket, path: string, choice: LockStoreChoice): OpenLockStore {
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
  return adopted(new LockStore({ socket, capacity: LOCKS_KEPT_MAX, reopen, onFailure }), inherited);
}

function adopted(store: LockStore, inherited: ReadonlyMap<Uid, number>): OpenLockStore {
  for (const [uid, descriptor] of inherited) {
    store.adopt(uid, descriptor);
  }
  return { store, inherited };
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
