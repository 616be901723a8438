/**
 * The registry on tmpfs: the file system is the truth, and every method is one or two system calls on it. It keeps no
 * memory of what it wrote. Never asks who may; never reads what others wrote without checking it.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { Registry, RegistryContents, RegistryRecovery } from '../allocator/ports.ts';
import { DynuserError } from '../core/errors.ts';
import { asUid, type Uid } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { BY_NAME, BY_UID } from '../core/paths.ts';
import { hasCode, type PinnedDirectory } from '../files/pinned-directory.ts';
import { ENDING_SUFFIX, INTENT_SUFFIX, LEASES, PRIVATE_MODE, PUBLIC_MODE, SET_ASIDE, STATIC_LEASES } from './layout.ts';
import { decodeLease, encodeLease } from './lease-file.ts';

/** A lease file of the greatest number of leases, each with all its directories, is smaller. */
const LEASE_FILE_MAX = 8 * 1024 * 1024;

export type SetAside = (file: string, reason: string) => void;

export class Store implements Registry, RegistryRecovery {
  readonly #byUid: PinnedDirectory;
  readonly #byName: PinnedDirectory;
  readonly #leases: PinnedDirectory;
  readonly #static: PinnedDirectory;
  readonly #aside: PinnedDirectory;
  readonly #onSetAside: SetAside;

  /** @param onSetAside told of every file in place of a lease that is not one */
  constructor(runtime: PinnedDirectory, onSetAside: SetAside) {
    this.#byUid = runtime.subdirectory(BY_UID, PUBLIC_MODE);
    this.#byName = runtime.subdirectory(BY_NAME, PUBLIC_MODE);
    this.#leases = runtime.subdirectory(LEASES, PRIVATE_MODE);
    this.#static = runtime.subdirectory(STATIC_LEASES, PRIVATE_MODE);
    this.#aside = runtime.subdirectory(SET_ASIDE, PRIVATE_MODE);
    this.#onSetAside = onSetAside;
  }

  intend(user: DynamicUser): void {
    const [directory, name] = this.#place(user);
    const intent = name + INTENT_SUFFIX;
    try {
      writeWhole(directory.entry(intent), encodeLease(user));
    } catch (error) {
      directory.remove(intent);
      throw registryFailure('write', `${directory.path}/${intent}`, error);
    }
  }

  publish(user: DynamicUser): void {
    if (!user.dynamic || user.lost !== undefined) {
      return;
    }
    try {
      this.#byUid.link(String(user.uid), user.name);
      this.#byName.link(user.name, String(user.uid));
    } catch (error) {
      throw registryFailure('symlink', `${this.#byUid.path}/${user.uid}`, error);
    }
  }

  commit(user: DynamicUser): void {
    const [directory, name] = this.#place(user);
    directory.rename(name + INTENT_SUFFIX, name);
  }

  revoke(user: DynamicUser): void {
    const [directory, name] = this.#place(user);
    directory.rename(name, name + ENDING_SUFFIX);
  }

  erase(user: DynamicUser): void {
    const [directory, name] = this.#place(user);
    directory.remove(name + ENDING_SUFFIX);
  }

  unpublish(user: DynamicUser): void {
    if (!user.dynamic) {
      return;
    }
    this.#byName.remove(user.name);
    this.#byUid.remove(String(user.uid));
  }

  forget(user: DynamicUser): void {
    const [directory, name] = this.#place(user);
    directory.remove(name + INTENT_SUFFIX);
  }

  load(): RegistryContents {
    const intended = intents(this.#leases);
    const [live, liveStatic] = [this.#read(this.#leases, true, ''), this.#read(this.#static, false, '')];
    const ending = [
      this.#read(this.#leases, true, ENDING_SUFFIX),
      this.#read(this.#static, false, ENDING_SUFFIX),
    ].flat();
    return { users: [...live, ...liveStatic], ending, intended };
  }

  reconcile(users: readonly DynamicUser[]): void {
    const dynamic = users.filter(user => user.dynamic && user.lost === undefined);
    removeOthers(this.#byName, new Set(dynamic.map(user => user.name)));
    removeOthers(this.#byUid, new Set(dynamic.map(user => String(user.uid))));
    for (const user of dynamic) {
      // Most have both links still, and to make one that is there throws and catches an error.
      if (
        this.#byUid.readLink(String(user.uid)) !== user.name ||
        this.#byName.readLink(user.name) !== String(user.uid)
      ) {
        this.publish(user);
      }
    }
    for (const directory of [this.#leases, this.#static]) {
      for (const name of directory.names().filter(isIntent)) {
        directory.remove(name);
      }
    }
  }

  #place(user: DynamicUser): [PinnedDirectory, string] {
    return user.dynamic ? [this.#leases, String(user.uid)] : [this.#static, user.name];
  }

  /** Reads the lease files with a suffix, or those without any. */
  #read(directory: PinnedDirectory, dynamic: boolean, suffix: string): DynamicUser[] {
    const users: DynamicUser[] = [];
    const names = new Set<string>();
    for (const name of directory.names()) {
      if (isIntent(name) || name.endsWith(ENDING_SUFFIX) !== (suffix === ENDING_SUFFIX)) {
        continue;
      }
      const user = readLease(directory, name);
      if (user?.dynamic === dynamic && name === this.#place(user)[1] + suffix && !names.has(user.name)) {
        names.add(user.name);
        users.push(user);
      } else {
        this.#setAside(directory, name);
      }
    }
    return users;
  }

  #setAside(directory: PinnedDirectory, name: string): void {
    // By rename alone: whatever it is, it is neither opened again nor lost. A second of the same name replaces it.
    this.#onSetAside(`${directory.path}/${name}`, 'it is not a lease file');
    try {
      directory.renameInto(name, this.#aside);
    } catch (error) {
      this.#onSetAside(`${directory.path}/${name}`, `it cannot be moved to ${this.#aside.path}: ${String(error)}`);
    }
  }
}

function isIntent(name: string): boolean {
  return name.endsWith(INTENT_SUFFIX);
}

function intents(leases: PinnedDirectory): Uid[] {
  return leases
    .names()
    .filter(isIntent)
    .map(name => asUid(Number(name.slice(0, -INTENT_SUFFIX.length))))
    .filter(uid => uid !== undefined);
}

function removeOthers(directory: PinnedDirectory, kept: ReadonlySet<string>): void {
  for (const name of directory.names()) {
    if (!kept.has(name)) {
      directory.remove(name);
    }
  }
}

function readLease(directory: PinnedDirectory, name: string): DynamicUser | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(
      directory.entry(name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY,
    );
  } catch (error) {
    if (hasCode(error, 'ELOOP') || hasCode(error, 'ENXIO')) {
      return undefined;
    }
    throw error;
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile() || status.size > LEASE_FILE_MAX) {
      return undefined;
    }
    const bytes = Buffer.alloc(status.size);
    const length = readSync(descriptor, bytes, 0, bytes.length, 0);
    return decodeLease(bytes.toString('utf8', 0, length));
  } finally {
    closeSync(descriptor);
  }
}

function writeWhole(path: string, text: string): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const descriptor = openSync(path, flags, 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let offset = 0; offset < bytes.length; ) {
      offset += writeSync(descriptor, bytes, offset);
    }
  } finally {
    closeSync(descriptor);
  }
}

function registryFailure(call: string, path: string, cause: unknown): DynuserError {
  const full = ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].some(code => hasCode(cause, code));
  const reason = `${call} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return full
    ? new DynuserError('LimitReached', `the registry is full: ${reason}`, { field: 'registry' }, cause)
    : new DynuserError('HostFailed', reason, { field: 'registry' }, cause);
}
