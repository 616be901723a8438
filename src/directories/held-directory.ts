/**
 * A directory that is held open, and everything that is done in it by name. What is reached through it is relative to the
 * very inode that was opened, and no symlink is ever followed but those on the way to a base: what a former user has
 * planted in a tree leads nowhere. Asynchronous, unlike PinnedDirectory: a file system that hangs must not hold up the
 * daemon.
 */
import fs, { constants, type Stats } from 'node:fs';
import { lstat, mkdir, readlink, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { DirectoryStatus } from '../core/directory.ts';
import { MODE_MAX } from '../core/directory-classes.ts';
import { DirectoryHandle, hasCode } from '../files/pinned-directory.ts';
import { callFailed, directoryFailed } from './errors.ts';

const BASE_MODE = 0o755;

/** By number: a FileHandle of node:fs/promises is closed on another thread, which takes as long as to open it. */
const open: (path: string, flags: number) => Promise<number> = promisify(fs.open);
const fchown = promisify(fs.fchown);
const fchmod = promisify(fs.fchmod);
const fstat = promisify(fs.fstat);

/** What fstat(2) says of a directory; device and inode are what no other inode of the host has meanwhile. */
type OpenStatus = Omit<DirectoryStatus, 'kind' | 'ownerHint'>;

export class HeldDirectory extends DirectoryHandle {
  /** the parameter of the request, for errors */
  readonly field: string;

  private constructor(path: string, descriptor: number, field: string) {
    super(path, descriptor);
    this.field = field;
  }

  /**
   * Opens a base directory, by its path: it and those above it are root's.
   * @param field the parameter of the request, for errors
   * @returns undefined if there is nothing
   */
  static async openBase(path: string, field: string): Promise<HeldDirectory | undefined> {
    try {
      return new HeldDirectory(path, await open(path, constants.O_RDONLY | constants.O_DIRECTORY), field);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) {
        return undefined;
      }
      throw callFailed(field, 'open', path, error);
    }
  }

  /** Makes a base directory that is missing, with those above it, as a host has them (file-hierarchy(7)). */
  static async makeBase(path: string, field: string): Promise<HeldDirectory> {
    try {
      await mkdir(path, { recursive: true, mode: BASE_MODE });
    } catch (error) {
      throw callFailed(field, 'mkdir', path, error);
    }
    const made = await HeldDirectory.openBase(path, field);
    if (made === undefined) {
      throw directoryFailed(field, `${path} was removed the moment it was made, or is a symlink that leads nowhere`);
    }
    return made;
  }

  /** Opens a directory in this one. @returns undefined if there is nothing of that name */
  async open(name: string): Promise<HeldDirectory | undefined> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    try {
      return new HeldDirectory(`${this.path}/${name}`, await open(this.entry(name), flags), this.field);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) {
        return undefined;
      }
      if (hasCode(error, 'ELOOP') || hasCode(error, 'ENOTDIR')) {
        throw directoryFailed(this.field, `${this.path}/${name} is not a directory: move it out of the way`, error);
      }
      throw callFailed(this.field, 'open', `${this.path}/${name}`, error);
    }
  }

  /** @returns what has the name, without following it, or undefined if there is nothing */
  async lookUp(name: string): Promise<Stats | undefined> {
    return this.#call('lstat', name, path => lstat(path), 'ENOENT');
  }

  /** @returns the status of the directory itself */
  async status(): Promise<OpenStatus> {
    try {
      // 64 bits, which a number may not hold exactly.
      const { uid, gid, mode, dev, ino } = await fstat(this.descriptor, { bigint: true });
      return {
        uid: Number(uid),
        gid: Number(gid),
        mode: Number(mode) & MODE_MAX,
        device: String(dev),
        inode: String(ino),
      };
    } catch (error) {
      throw callFailed(this.field, 'fstat', this.path, error);
    }
  }

  /** Makes a directory, with exactly that mode. @returns false if the name is taken */
  async make(name: string, mode: number): Promise<boolean> {
    const made = await this.#call('mkdir', name, path => mkdir(path, { mode: 0o700 }).then(() => true), 'EEXIST');
    if (made === true && mode !== 0o700) {
      const directory = await this.open(name);
      await directory?.setMode(mode).finally(() => directory.close());
    }
    return made === true;
  }

  async readLink(name: string): Promise<string> {
    return (await this.#call('readlink', name, path => readlink(path))) ?? '';
  }

  async link(name: string, text: string): Promise<void> {
    await this.#call('symlink', name, path => symlink(text, path));
  }

  /** Unlinks what is no directory. */
  async unlink(name: string): Promise<void> {
    await this.#call('unlink', name, path => unlink(path));
  }

  /** Removes an empty directory. */
  async removeDirectory(name: string): Promise<void> {
    await this.#call('rmdir', name, path => rmdir(path));
  }

  /** Moves an entry into another directory; whoever calls it has made sure that the new name is free. */
  async moveInto(name: string, target: HeldDirectory, newName: string): Promise<void> {
    try {
      await rename(this.entry(name), target.entry(newName));
    } catch (error) {
      const advice = hasCode(error, 'EBUSY') || hasCode(error, 'EXDEV');
      const words = advice ? `it is a mount point, or on another file system than ${target.path}` : undefined;
      const what = `rename ${this.path}/${name} to ${target.path}/${newName}`;
      throw words === undefined
        ? callFailed(this.field, 'rename', `${this.path}/${name} to ${target.path}/${newName}`, error)
        : directoryFailed(this.field, `cannot ${what}: ${words}; move it by hand`, error);
    }
  }

  /** Gives the directory itself an owner and a mode, in this order, since chown(2) may take bits of the mode away. */
  async give(uid: number, gid: number, mode: number): Promise<void> {
    try {
      await fchown(this.descriptor, uid, gid);
    } catch (error) {
      throw callFailed(this.field, 'chown', this.path, error);
    }
    await this.setMode(mode);
  }

  async setMode(mode: number): Promise<void> {
    try {
      await fchmod(this.descriptor, mode);
    } catch (error) {
      throw callFailed(this.field, 'chmod', this.path, error);
    }
  }

  /** @param expected a code that is an answer: undefined is returned then */
  async #call<T>(
    call: string,
    name: string,
    action: (path: string) => Promise<T>,
    expected?: string,
  ): Promise<T | undefined> {
    try {
      return await action(this.entry(name));
    } catch (error) {
      if (expected !== undefined && hasCode(error, expected)) {
        return undefined;
      }
      throw callFailed(this.field, call, `${this.path}/${name}`, error);
    }
  }
}
