/**
 * Directories that are held by a descriptor: every later access is relative to the very inode that was checked when it was opened, whatever
 * happens to its path. Node has no openat(2), and `/proc/self/fd/<n>/<name>` resolves in the same way (proc_pid_fd(5)). A symlink that is the
 * last component is never followed, and a name with a slash is never accepted.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  type Stats,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';

const GROUP_OR_OTHERS_MAY_WRITE = 0o022;

/** A directory that is held open. May be closed twice. */
export class DirectoryHandle implements Disposable {
  /** for messages: it was the path when the directory was opened */
  readonly path: string;
  /** undefined once it is closed: the number may be another file's then */
  #descriptor: number | undefined;

  protected constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** The descriptor, valid until close(). */
  get descriptor(): number {
    if (this.#descriptor === undefined) {
      throw new TypeError(`${this.path} was closed`);
    }
    return this.#descriptor;
  }

  /**
   * @param name one path component
   * @returns a path that resolves from the inode that is held; valid in this process alone, while the directory is open
   */
  entry(name: string): string {
    return `/proc/self/fd/${this.descriptor}/${component(name)}`;
  }

  close(): void {
    if (this.#descriptor !== undefined) {
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A directory that belongs to this user alone, and what is done in it, synchronously: for file systems in memory. */
export class PinnedDirectory extends DirectoryHandle {
  /**
   * @param path an absolute path; with `create`, it and its parents are made where they are missing
   * @throws Error when it is not a directory, belongs to another user, or others may write to it
   */
  static open(path: string, options: { readonly create?: { readonly mode: number } } = {}): PinnedDirectory {
    if (options.create !== undefined) {
      makeDirectories(path, options.create.mode);
    }
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      checkOwn(path, fstatSync(descriptor));
      return new PinnedDirectory(path, descriptor);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Whether the path still leads to this directory: it may have been removed, renamed, or replaced by another. */
  isInPlace(): boolean {
    const pinned = fstatSync(this.descriptor);
    try {
      const named = lstatSync(this.path);
      return named.ino === pinned.ino && named.dev === pinned.dev;
    } catch (error) {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
        return false;
      }
      throw error;
    }
  }

  /** Opens a directory below this one, made with the mode where it is missing. */
  subdirectory(name: string, mode: number): PinnedDirectory {
    const entry = this.entry(name);
    ignoring('EEXIST', () => mkdirSync(entry, { mode }));
    const below = PinnedDirectory.open(entry);
    return new PinnedDirectory(`${this.path}/${name}`, below.descriptor);
  }

  /** @returns the names in the directory, in the order of the file system */
  names(): string[] {
    return readdirSync(`/proc/self/fd/${this.descriptor}`);
  }

  /**
   * For work on very many names: with this directory as the working directory a name alone is a path, and the kernel has one component to
   * look up instead of five. Nothing else may use a relative path meanwhile, so the work must not wait.
   * @param work gets what to use in place of entry()
   */
  inside<Result>(work: (entry: (name: string) => string) => Result): Result {
    const before = workingDirectory();
    process.chdir(`/proc/self/fd/${this.descriptor}`);
    try {
      return work(component);
    } finally {
      process.chdir(before);
    }
  }

  /**
   * @param entry within inside(): its own
   * @returns the text of the symlink, or undefined if nothing has that name, or it is not a symlink
   */
  readLink(name: string, entry = (text: string) => this.entry(text)): string | undefined {
    try {
      return readlinkSync(entry(name));
    } catch (error) {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'EINVAL')) {
        return undefined;
      }
      throw error;
    }
  }

  /** Makes a symlink; one of that name with another text is replaced. */
  link(name: string, text: string): void {
    try {
      symlinkSync(text, this.entry(name));
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) {
        throw error;
      }
      if (this.readLink(name) !== text) {
        unlinkSync(this.entry(name));
        symlinkSync(text, this.entry(name));
      }
    }
  }

  /** Makes a symlink in place of what has the name: whoever reads it sees one of the two. */
  relink(name: string, text: string): void {
    const fresh = `${name}.new`;
    this.remove(fresh);
    symlinkSync(text, this.entry(fresh));
    this.rename(fresh, name);
  }

  /** Renames, also into another directory of the same file system; what has the new name is replaced. */
  rename(from: string, to: string, target: PinnedDirectory = this): void {
    renameSync(this.entry(from), target.entry(to));
  }

  /** Unlinks a name, if it exists. */
  remove(name: string): void {
    ignoring('ENOENT', () => unlinkSync(this.entry(name)));
  }
}

/** @throws Error unless a directory is that of the user this process runs as, and nobody else may write to it */
export function checkOwn(path: string, { uid, mode }: Pick<Stats, 'uid' | 'mode'>): void {
  const owner = process.geteuid?.() ?? 0;
  if (uid !== owner || (mode & GROUP_OR_OTHERS_MAY_WRITE) !== 0) {
    throw new Error(`${path} must belong to the user ${owner} and be writable by nobody else`);
  }
}

/** The root directory if it was removed. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** @returns the name, which leads to nothing outside of its directory */
function component(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw new TypeError(`not a single path component: ${JSON.stringify(name)}`);
  }
  return name;
}

/** @returns whether a thrown value is a system error with that code, such as 'ENOENT' */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function ignoring(code: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!hasCode(error, code)) {
      throw error;
    }
  }
}

/** Not mkdirSync's `recursive`: that says ENOENT where a file system is full or read-only (Node, MKDirpSync). */
function makeDirectories(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // On a read-only file system also what is there already is an EROFS (mkdir(2)).
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      return;
    }
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) {
      throw error;
    }
    makeDirectories(dirname(path), mode);
    mkdirSync(path, { mode });
  }
}
