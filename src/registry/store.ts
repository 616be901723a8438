/**
 * The registry on tmpfs: the file system is the truth, and every method is one or two system calls on it. It keeps no
 * memory of what it wrote. It decides nothing about access, and checks everything that it reads.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import type { Registry, RegistryContents, RegistryRecovery } from '../allocator/ports.ts';
import { DynuserError, reasonOf } from '../core/errors.ts';
import { asUid, type Gid, type UserName } from '../core/ids.ts';
import { type DynamicUser, holderOf } from '../core/lease.ts';
import { isTold, membershipsAmong } from '../core/memberships.ts';
import { BY_NAME, BY_UID, GROUPS, HOLDERS, MEMBERS, MEMBERS_ASKED } from '../core/paths.ts';
import { hasCode, type PinnedDirectory } from '../files/pinned-directory.ts';
import { decodeLease, encodeLease } from './lease-file.ts';

// The names below the runtime directory that are the registry's own; core/paths.ts has those that others use.

/** Lease files of dynamic users, by UID. Not for others to read: the public part is the links and the socket. */
const LEASES = 'leases';
/** Lease files of static users that are in use, by name, since several names may share a number. */
const STATIC_LEASES = 'static';
/** Files that were found in place of leases and are not leases. */
const SET_ASIDE = 'set-aside';
/** Held by the one daemon of the runtime directory. */
export const DAEMON_LOCK = 'dynuserd.lock';
/** Marks a lease file that is being written: an intent until it is renamed. */
const INTENT_SUFFIX = '.new';
/** Marks the lease file of a user that ends. */
const ENDING_SUFFIX = '.end';

export const PUBLIC_MODE = 0o755;
const PRIVATE_MODE = 0o700;

/** A lease file of the greatest number of leases, each with all its directories, is smaller. */
const LEASE_FILE_MAX = 8 * 1024 * 1024;

/** PATH_MAX (limits.h) without the NUL: the longest text of a symlink, in bytes. */
const LINK_TEXT_MAX = 4_095;

export type SetAside = (file: string, reason: string) => void;

export class Store implements Registry, RegistryRecovery {
  readonly #byUid: PinnedDirectory;
  readonly #byName: PinnedDirectory;
  readonly #holders: PinnedDirectory;
  readonly #members: PinnedDirectory;
  readonly #groups: PinnedDirectory;
  readonly #leases: PinnedDirectory;
  readonly #static: PinnedDirectory;
  readonly #aside: PinnedDirectory;
  readonly #onSetAside: SetAside;
  /** the inode of ours */
  readonly #pidNamespace = statSync('/proc/self/ns/pid').ino;

  /** @param onSetAside told of every file in place of a lease that is not one */
  constructor(runtime: PinnedDirectory, onSetAside: SetAside) {
    this.#byUid = runtime.subdirectory(BY_UID, PUBLIC_MODE);
    this.#byName = runtime.subdirectory(BY_NAME, PUBLIC_MODE);
    this.#holders = runtime.subdirectory(HOLDERS, PUBLIC_MODE);
    this.#members = runtime.subdirectory(MEMBERS, PUBLIC_MODE);
    this.#groups = runtime.subdirectory(GROUPS, PUBLIC_MODE);
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
    if (!isTold(user)) {
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
    this.#tellHolder(user);
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
    // Last: a reader who does not find it reads the links again (native/nss/lookup.c).
    if (user.leases.length > 0) {
      this.#holders.remove(String(user.uid));
    }
  }

  tellMembers(gid: Gid, members: readonly UserName[]): void {
    tell(this.#members, String(gid), membersText(members));
  }

  tellGroups(user: UserName, gids: readonly Gid[]): void {
    tell(this.#groups, user, gids.join());
  }

  forget(user: DynamicUser): void {
    const [directory, name] = this.#place(user);
    directory.remove(name + INTENT_SUFFIX);
  }

  load(): RegistryContents {
    const names = this.#leases.names();
    const statics = this.#static.names();
    const intended = names
      .filter(isIntent)
      .map(name => asUid(Number(name.slice(0, -INTENT_SUFFIX.length))))
      .filter(uid => uid !== undefined);
    const read = (suffix: string): DynamicUser[] => [
      ...this.#read(this.#leases, names, true, suffix),
      ...this.#read(this.#static, statics, false, suffix),
    ];
    return { users: read(''), ending: read(ENDING_SUFFIX), intended };
  }

  reconcile(users: readonly DynamicUser[]): void {
    const dynamic = users.filter(isTold);
    const names = removeOthers(this.#byName, new Set(dynamic.map(user => user.name)));
    const numbers = removeOthers(this.#byUid, new Set(dynamic.map(user => String(user.uid))));
    for (const user of dynamic) {
      if (!names.has(user.name) || !numbers.has(String(user.uid))) {
        this.publish(user);
      }
    }
    const held = dynamic.filter(user => holderOf(user) !== undefined);
    removeOthers(this.#holders, new Set(held.map(user => String(user.uid))));
    for (const user of held) {
      this.#tellHolder(user);
    }
    const { members, groups } = membershipsAmong(users);
    removeOthers(this.#members, new Set(Array.from(members.keys(), String)));
    removeOthers(this.#groups, new Set(groups.keys()));
    for (const [gid, ofGroup] of members) {
      this.tellMembers(gid, ofGroup);
    }
    for (const [name, gids] of groups) {
      this.tellGroups(name, gids);
    }
    for (const directory of [this.#leases, this.#static]) {
      for (const name of directory.names().filter(isIntent)) {
        directory.remove(name);
      }
    }
  }

  compareLinks(users: readonly DynamicUser[]): void {
    const [numbers, names] = [this.#byUid, this.#byName];
    const isNumbered = numbers.inside(entry =>
      users.map(user => numbers.readLink(String(user.uid), entry) === user.name),
    );
    const isNamed = names.inside(entry => users.map(user => names.readLink(user.name, entry) === String(user.uid)));
    // Making a link that exists costs an error that is thrown and caught.
    for (const user of users.filter((_, index) => isNumbered[index] !== true || isNamed[index] !== true)) {
      this.publish(user);
    }
  }

  /**
   * Says with which process the user ends, and in which PID namespace the process has its number. A reader who finds that it has ended
   * makes the daemon look at once. Nothing depends on it: without the link a name resolves until the daemon has seen the end by itself.
   */
  #tellHolder(user: DynamicUser): void {
    const holder = holderOf(user);
    const name = String(user.uid);
    try {
      if (holder !== undefined) {
        this.#holders.link(name, `${holder.pid} ${this.#pidNamespace}`);
      } else if (user.leases.length > 1) {
        this.#holders.remove(name);
      }
    } catch {
      // A full file system.
    }
  }

  #place(user: DynamicUser): [PinnedDirectory, string] {
    return user.dynamic ? [this.#leases, String(user.uid)] : [this.#static, user.name];
  }

  /** Reads the lease files with a suffix, or those without any. @param entries what is in the directory */
  #read(directory: PinnedDirectory, entries: readonly string[], dynamic: boolean, suffix: string): DynamicUser[] {
    const wanted = entries.filter(
      name => !isIntent(name) && name.endsWith(ENDING_SUFFIX) === (suffix === ENDING_SUFFIX),
    );
    if (wanted.length === 0) {
      return [];
    }
    const found = directory.inside(entry => wanted.map(name => readLease(entry(name))));
    const users: DynamicUser[] = [];
    const names = new Set<string>();
    for (const [index, name] of wanted.entries()) {
      const user = found[index];
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
      directory.rename(name, name, this.#aside);
    } catch (error) {
      this.#onSetAside(`${directory.path}/${name}`, `it cannot be moved to ${this.#aside.path}: ${String(error)}`);
    }
  }
}

/** @param text of the link; empty: it is removed */
function tell(directory: PinnedDirectory, name: string, text: string): void {
  try {
    if (text === '') {
      directory.remove(name);
    } else if (directory.readLink(name) !== text) {
      directory.relink(name, text);
    }
  } catch (error) {
    throw registryFailure('symlink', `${directory.path}/${name}`, error);
  }
}

/** Names are ASCII. */
function membersText(members: readonly UserName[]): string {
  const text = members.join();
  return text.length > LINK_TEXT_MAX ? MEMBERS_ASKED : text;
}

function isIntent(name: string): boolean {
  return name.endsWith(INTENT_SUFFIX);
}

/** @returns those of the kept names that exist */
function removeOthers(directory: PinnedDirectory, kept: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(directory.names());
  for (const name of found) {
    if (!kept.has(name)) {
      directory.remove(name);
      found.delete(name);
    }
  }
  return found;
}

/** What is read at once: most lease files are a few hundred bytes. */
const LEASE_READ_BYTES = 64 * 1024;
const readBuffer = Buffer.allocUnsafeSlow(LEASE_READ_BYTES);

/** Three system calls for a file that fits into the buffer: a start has a hundred thousand of them. */
function readLease(path: string): DynamicUser | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (hasCode(error, 'ELOOP') || hasCode(error, 'ENXIO')) {
      return undefined;
    }
    throw error;
  }
  try {
    const length = readSync(descriptor, readBuffer, 0, readBuffer.length, 0);
    return decodeLease(length < readBuffer.length ? readBuffer.toString('utf8', 0, length) : readLong(descriptor));
  } catch (error) {
    // A directory, or a FIFO or a device, which has no place to read at.
    if (hasCode(error, 'EISDIR') || hasCode(error, 'ESPIPE') || hasCode(error, 'EINVAL')) {
      return undefined;
    }
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function readLong(descriptor: number): string {
  const status = fstatSync(descriptor);
  return status.isFile() && status.size <= LEASE_FILE_MAX ? readFileSync(descriptor, 'utf8') : '';
}

function writeWhole(path: string, text: string): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const descriptor = openSync(path, flags, 0o600);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

function registryFailure(call: string, path: string, cause: unknown): DynuserError {
  const full = ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].some(code => hasCode(cause, code));
  const reason = `${call} ${path}: ${reasonOf(cause)}`;
  return full
    ? new DynuserError('LimitReached', `the registry is full: ${reason}`, { field: 'registry' }, cause)
    : new DynuserError('HostFailed', reason, { field: 'registry' }, cause);
}
