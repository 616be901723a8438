/**
 * A directory that is held open, and everything that is done in it by name. What is reached through it is relative to the
 * very inode that was opened, and no symlink is ever followed but those on the way to a base: what a former user has
 * planted in a tree leads nowhere. Asynchronous, unlike PinnedDirectory: a file system that hangs must not hold up the
 * daemon.
 */
import fs, { constants } from 'node:fs';
import { lstat, mkdir, opendir, readdir, readlink, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { DirectoryKind, DirectoryStatus, PathStatus } from '../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES, MODE_MAX } from '../core/directory-classes.ts';
import { DirectoryHandle, hasCode } from '../files/pinned-directory.ts';
import { directoryFailed, systemWords } from './errors.ts';
import { SMALL_FILE_BYTES } from './limits.ts';

const BASE_MODE = 0o755;

const bigint = { bigint: true } as const;

/** The size of a directory on tmpfs is this for each entry, "." and ".." among them (BOGO_DIRENT_SIZE of the kernel's mm/shmem.c). */
const TMPFS_ENTRY_BYTES = 20;
const TMPFS_OWN_ENTRIES = 2;

/** On other threads, so that nobody waits for a file system but who asked for it. */
const ELSEWHERE = {
  ...{ mkdir, readlink, rename, rmdir, symlink, unlink },
  lstat: (path: string): Promise<fs.Stats | undefined> => lstat(path).catch(unless('ENOENT', rethrow)),
  /** By number: a FileHandle of node:fs/promises is closed on another thread, which takes as long as to open it. */
  open: promisify(fs.open) as (path: string, flags: number) => Promise<number>,
  fchown: promisify(fs.fchown),
  fchmod: promisify(fs.fchmod),
  fstat: (descriptor: number): Promise<fs.BigIntStats> => promisify(fs.fstat)(descriptor, bigint),
};

/**
 * On this thread. In memory such a call takes microseconds, and a job of a pool would go to another thread and back some forty times.
 * Only for what nobody but root can mount anything at: it could be something that does not answer.
 */
const HERE: typeof ELSEWHERE = {
  lstat: async path => fs.lstatSync(path, { throwIfNoEntry: false }),
  mkdir: (async (path: string, options: fs.MakeDirectoryOptions) => fs.mkdirSync(path, options)) as typeof mkdir,
  readlink: (async (path: string) => fs.readlinkSync(path)) as typeof readlink,
  rename: async (from, to) => fs.renameSync(from, to),
  rmdir: async path => fs.rmdirSync(path),
  symlink: async (text, path) => fs.symlinkSync(text, path),
  unlink: async path => fs.unlinkSync(path),
  open: async (path, flags) => fs.openSync(path, flags),
  fchown: async (descriptor, uid, gid) => fs.fchownSync(descriptor, uid, gid),
  fchmod: async (descriptor, mode) => fs.fchmodSync(descriptor, mode),
  fstat: async descriptor => fs.fstatSync(descriptor, bigint),
};

/** What fstat(2) says of a directory; device and inode are what no other inode of the host has meanwhile. */
type OpenStatus = Omit<DirectoryStatus, 'kind' | 'ownerHint'>;

export class HeldDirectory extends DirectoryHandle {
  /** the parameter of the request, for errors */
  readonly field: string;
  /** what is done here is done on this thread */
  readonly inMemory: boolean;
  readonly #calls: typeof ELSEWHERE;

  private constructor(path: string, descriptor: number, field: string, inMemory: boolean) {
    super(path, descriptor);
    this.field = field;
    this.inMemory = inMemory;
    this.#calls = inMemory ? HERE : ELSEWHERE;
  }

  /**
   * Opens a base directory, by its path: it and those above it are root's.
   * @param field the parameter of the request, for errors
   * @param inMemory whether calls below it may be made on this thread
   * @returns undefined if there is nothing
   */
  static openBase(path: string, field: string, inMemory = false): Promise<HeldDirectory | undefined> {
    const { open } = inMemory ? HERE : ELSEWHERE;
    return open(path, constants.O_RDONLY | constants.O_DIRECTORY).then(
      descriptor => new HeldDirectory(path, descriptor, field, inMemory),
      unless('ENOENT', failed(field, 'open', path)),
    );
  }

  /** Makes a base directory that is missing, with those above it, as a host has them (file-hierarchy(7)). */
  static async makeBase(path: string, field: string): Promise<HeldDirectory> {
    await mkdir(path, { recursive: true, mode: BASE_MODE }).catch(failed(field, 'mkdir', path));
    const made = await HeldDirectory.openBase(path, field);
    if (made === undefined) {
      throw directoryFailed(field, `${path} was removed the moment it was made, or is a symlink that leads nowhere`);
    }
    return made;
  }

  /** Opens a directory in this one. @returns undefined if there is nothing of that name */
  open(name: string): Promise<HeldDirectory | undefined> {
    const path = `${this.path}/${name}`;
    const opened = this.#calls.open(
      this.entry(name),
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
    return opened.then(
      descriptor => new HeldDirectory(path, descriptor, this.field, this.inMemory),
      (error: unknown) => {
        if (hasCode(error, 'ELOOP') || hasCode(error, 'ENOTDIR')) {
          throw directoryFailed(this.field, `${path} is not a directory: move it out of the way`, error);
        }
        return unless('ENOENT', failed(this.field, 'open', path))(error);
      },
    );
  }

  /** Opens a directory in this one, made with the mode if it is missing. @returns undefined if it was removed at that moment */
  async openOrMake(name: string, mode: number): Promise<HeldDirectory | undefined> {
    return (await this.open(name)) ?? (await this.make(name, mode).then(() => this.open(name)));
  }

  /** @returns what has the name, without following it; of a directory not whose it is */
  async kindOf(name: string): Promise<Exclude<PathStatus, DirectoryStatus> | Pick<DirectoryStatus, 'kind'>> {
    const status = await this.#calls.lstat(this.entry(name)).catch(this.#failed('lstat', name));
    if (status === undefined) {
      return { kind: 'nothing' };
    }
    if (status.isSymbolicLink()) {
      return { kind: 'link', text: await this.readLink(name) };
    }
    return { kind: status.isDirectory() ? 'directory' : 'other' };
  }

  /** @returns the status of the directory itself */
  async status(): Promise<OpenStatus> {
    // 64 bits, which a number may not hold exactly.
    const { uid, gid, mode, dev, ino } = await this.#calls
      .fstat(this.descriptor)
      .catch(failed(this.field, 'fstat', this.path));
    return {
      uid: Number(uid),
      gid: Number(gid),
      mode: Number(mode) & MODE_MAX,
      device: String(dev),
      inode: String(ino),
    };
  }

  /** Makes a directory, with exactly that mode. @returns false if the name is taken */
  async make(name: string, mode: number): Promise<boolean> {
    const isMade = await this.#calls
      .mkdir(this.entry(name), { mode: 0o700 })
      .then(() => true, unless('EEXIST', this.#failed('mkdir', name)));
    if (isMade === true && mode !== 0o700) {
      using directory = await this.open(name);
      await directory?.setMode(mode);
    }
    return isMade === true;
  }

  /** @returns the names in it */
  names(): Promise<string[]> {
    return readdir(`/proc/self/fd/${this.descriptor}`).catch(failed(this.field, 'readdir', this.path));
  }

  readLink(name: string): Promise<string> {
    return this.#calls.readlink(this.entry(name)).catch(this.#failed('readlink', name));
  }

  link(name: string, text: string): Promise<void> {
    return this.#calls.symlink(text, this.entry(name)).catch(this.#failed('symlink', name));
  }

  /** Unlinks what is not a directory. */
  unlink(name: string): Promise<void> {
    return this.#calls.unlink(this.entry(name)).catch(this.#failed('unlink', name));
  }

  /**
   * Removes all that is in the directory itself, if that is files alone, and no more than `max`: a name is unlinked, whatever it leads to.
   * @returns whether nothing is left, as far as this call has seen; false too for what cannot be removed this way
   */
  async removeFew(max: number): Promise<boolean> {
    const names = await this.#listFew(max).catch(() => undefined);
    if (names === undefined) {
      return false;
    }
    const removed = await Promise.all(names.map(name => this.#removeFile(this.entry(name))));
    return !removed.includes(false);
  }

  /** In memory, too, it takes as long as the file is large. @returns false if it is still there */
  async #removeFile(entry: string): Promise<boolean> {
    try {
      const isSmall = this.inMemory && (fs.lstatSync(entry, { throwIfNoEntry: false })?.size ?? 0) <= SMALL_FILE_BYTES;
      await (isSmall ? HERE : ELSEWHERE).unlink(entry);
      return true;
    } catch (error) {
      return hasCode(error, 'ENOENT');
    }
  }

  /** @returns the names in the directory itself; undefined if there are more than `max`, or directories */
  async #listFew(max: number): Promise<string[] | undefined> {
    const path = `/proc/self/fd/${this.descriptor}`;
    if (this.inMemory) {
      // By one call, once it is known to be short: a listing by parts takes Node as long as all else that a removal does.
      const isShort = fs.fstatSync(this.descriptor).size <= TMPFS_ENTRY_BYTES * (max + TMPFS_OWN_ENTRIES);
      const entries = isShort ? fs.readdirSync(path, { withFileTypes: true }) : [];
      const isFew = isShort && entries.length <= max && !entries.some(entry => entry.isDirectory());
      return isFew ? entries.map(({ name }) => name) : undefined;
    }
    // Of Node's own batches there is one, and then what tells that there is no more.
    const listing = await opendir(path, { bufferSize: max + 1 });
    const names: string[] = [];
    try {
      for (;;) {
        const entry = await listing.read();
        if (entry === null) {
          return names;
        }
        if (names.length === max || entry.isDirectory()) {
          return undefined;
        }
        names.push(entry.name);
      }
    } finally {
      await listing.close();
    }
  }

  /** Removes an empty directory. */
  removeDirectory(name: string): Promise<void> {
    return this.#calls.rmdir(this.entry(name)).catch(this.#failed('rmdir', name));
  }

  /** Moves an entry into another directory; whoever calls it has made sure that the new name is free. */
  async moveInto(name: string, target: HeldDirectory, newName: string): Promise<void> {
    const names = `${this.path}/${name} to ${target.path}/${newName}`;
    await this.#calls.rename(this.entry(name), target.entry(newName)).catch((error: unknown) => {
      if (hasCode(error, 'EBUSY') || hasCode(error, 'EXDEV')) {
        const reason = `it is a mount point, or on another file system than ${target.path}; move it by hand`;
        throw directoryFailed(this.field, `cannot rename ${names}: ${reason}`, error);
      }
      failed(this.field, 'rename', names)(error);
    });
  }

  /** Gives the directory itself an owner and a mode, in this order, since chown(2) may take bits of the mode away. */
  async give(uid: number, gid: number, mode: number): Promise<void> {
    await this.#calls.fchown(this.descriptor, uid, gid).catch(failed(this.field, 'chown', this.path));
    await this.setMode(mode);
  }

  setMode(mode: number): Promise<void> {
    return this.#calls.fchmod(this.descriptor, mode).catch(failed(this.field, 'chmod', this.path));
  }

  #failed(call: string, name: string) {
    return failed(this.field, call, `${this.path}/${name}`);
  }
}

/** @returns throws what tells of the error of a call */
function failed(field: string, call: string, path: string): (error: unknown) => never {
  return error => {
    throw directoryFailed(field, `${call} ${path}: ${systemWords(error)}`, error);
  };
}

/** @returns takes an error with the code for an answer: undefined */
function unless(code: string, otherwise: (error: unknown) => never): (error: unknown) => undefined {
  return error => (hasCode(error, code) ? undefined : otherwise(error));
}

function rethrow(error: unknown): never {
  throw error;
}

/** Opens the base directories of a request, each once. */
export class OpenBases implements Disposable {
  readonly #paths: BaseDirectories;
  readonly #inMemory: ReadonlySet<DirectoryKind>;
  readonly #opened = new Map<DirectoryKind, HeldDirectory>();

  /** @param inMemory those below which calls may be made on this thread */
  constructor(paths: BaseDirectories, inMemory: ReadonlySet<DirectoryKind> = new Set()) {
    this.#paths = paths;
    this.#inMemory = inMemory;
  }

  /** @returns the base, or undefined if it is missing */
  async find(kind: DirectoryKind): Promise<HeldDirectory | undefined> {
    const base =
      this.#opened.get(kind) ??
      (await HeldDirectory.openBase(this.#paths[kind], DIRECTORY_CLASSES[kind].field, this.#inMemory.has(kind)));
    if (base !== undefined) {
      this.#opened.set(kind, base);
    }
    return base;
  }

  /** @returns the base, made if it is missing: a host may come up with an empty /var */
  async make(kind: DirectoryKind): Promise<HeldDirectory> {
    const base =
      (await this.find(kind)) ?? (await HeldDirectory.makeBase(this.#paths[kind], DIRECTORY_CLASSES[kind].field));
    this.#opened.set(kind, base);
    return base;
  }

  [Symbol.dispose](): void {
    for (const base of this.#opened.values()) {
      base.close();
    }
    this.#opened.clear();
  }
}

/** @returns the nearest directory on a path that exists: what is made at the path is on the same file system */
export async function openNearest(path: string, field: string): Promise<HeldDirectory> {
  return (await HeldDirectory.openBase(path, field)) ?? openNearest(dirname(path), field);
}
