/**
 * Reads a file tree that somebody else made as if its top were "/": no symlink, no ".." and no mount leads out of it. Symlinks are resolved
 * here, one component at a time, and each component is opened by the descriptor of the one before it. So a change meanwhile leads to another
 * file of the same tree at most. Nothing is opened before it is known to be a file or a directory: a FIFO would block, and a device could do
 * something.
 */
import { closeSync, constants, fstatSync, opendirSync, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { hasCode } from './pinned-directory.ts';

/** open(2): a descriptor of the place alone; Node has no name for it. The same on every architecture that Node runs on. */
const O_PATH = 0o10000000;
/** As many as the kernel follows, and more directories than any system has below each other (path_resolution(7)). */
const LINKS_MAX = 40;
const DEPTH_MAX = 64;
const COMPONENTS_MAX = 4096;
const CHUNK_BYTES = 65_536;

/** Something in the tree is not what it must be; the message says what, by its path in the tree. */
export class RootedTreeError extends Error {
  override readonly name = 'RootedTreeError';
}

export class RootedTree implements Disposable {
  readonly #root: number;

  private constructor(root: number) {
    this.#root = root;
  }

  /** @param path of the top, which must be a directory itself and no symlink. @throws NodeJS.ErrnoException */
  static open(path: string): RootedTree {
    return new RootedTree(openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW));
  }

  /**
   * @returns the bytes of a file; undefined if it is missing
   * @throws RootedTreeError if it is not a regular file, or has more bytes than `max`
   */
  readFile(path: string, max: number): Buffer | undefined {
    using found = this.#find(path);
    if (found === undefined) {
      return undefined;
    }
    if (!found.status.isFile()) {
      throw new RootedTreeError(`${path}: not a regular file`);
    }
    using file = new Descriptor(
      openSync(`/proc/self/fd/${found.number}`, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY),
    );
    const chunks: Buffer[] = [];
    for (let length = 0; ; ) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, max + 1 - length));
      const count = readSync(file.number, chunk, 0, chunk.length, null);
      if (count === 0) {
        return Buffer.concat(chunks);
      }
      length += count;
      if (length > max) {
        throw new RootedTreeError(`${path}: more than ${max} bytes`);
      }
      chunks.push(chunk.subarray(0, count));
    }
  }

  /**
   * @returns the names in a directory, with the text of those that are symlinks; undefined if there is no such directory
   * @throws RootedTreeError if there are more than `max`
   */
  names(path: string, max: number): { readonly name: string; readonly link?: string }[] | undefined {
    using found = this.#find(path);
    if (found === undefined || !found.status.isDirectory()) {
      return undefined;
    }
    const directory = `/proc/self/fd/${found.number}`;
    const listing = opendirSync(directory);
    const entries = [];
    try {
      for (let entry = listing.readSync(); entry !== null; entry = listing.readSync()) {
        if (entries.length === max) {
          throw new RootedTreeError(`${path}: more than ${max} names`);
        }
        const link = entry.isSymbolicLink() ? linkText(`${directory}/${entry.name}`) : undefined;
        entries.push(link === undefined ? { name: entry.name } : { name: entry.name, link });
      }
    } finally {
      listing.closeSync();
    }
    return entries;
  }

  /** @returns a descriptor of the place, and what is there; undefined if a part of the path is missing or no directory */
  #find(path: string): Descriptor | undefined {
    using above = new DirectoryStack(this.#root);
    const pending = componentsOf(path);
    for (let links = 0, steps = 0; ; steps++) {
      const name = pending.pop();
      if (name === undefined) {
        return above.takeTop();
      }
      if (steps > COMPONENTS_MAX) {
        throw new RootedTreeError(`${path}: its links make a path of more than ${COMPONENTS_MAX} parts`);
      }
      if (name === '..') {
        above.pop();
        continue;
      }
      const place = `/proc/self/fd/${above.top}/${name}`;
      const opened = openPlace(place);
      if (opened === undefined) {
        return undefined;
      }
      if (opened.status.isDirectory()) {
        above.push(opened, path);
        continue;
      }
      const isLink = opened.status.isSymbolicLink();
      if (!isLink && pending.length === 0) {
        return opened;
      }
      opened[Symbol.dispose]();
      const text = isLink ? linkText(place) : undefined;
      if (text === undefined) {
        return undefined;
      }
      if (++links > LINKS_MAX) {
        throw new RootedTreeError(`${path}: more than ${LINKS_MAX} symlinks`);
      }
      if (text.startsWith('/')) {
        above.clear();
      }
      pending.push(...componentsOf(text));
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#root);
  }
}

/** @returns the parts of a path, the first one last; "." and empty ones mean nothing */
function componentsOf(path: string): string[] {
  return path
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .reverse();
}

function openPlace(place: string): Descriptor | undefined {
  try {
    return new Descriptor(openSync(place, O_PATH | constants.O_NOFOLLOW));
  } catch (error) {
    return missing(error);
  }
}

/** @returns undefined also for what is no longer a symlink */
function linkText(place: string): string | undefined {
  try {
    return readlinkSync(place);
  } catch (error) {
    return hasCode(error, 'EINVAL') ? undefined : missing(error);
  }
}

/** @returns undefined if the error says that nothing is there @throws any other error */
function missing(error: unknown): undefined {
  if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || hasCode(error, 'ENAMETOOLONG')) {
    return undefined;
  }
  throw error;
}

class Descriptor implements Disposable {
  readonly number: number;
  readonly status: Stats;

  constructor(number: number) {
    this.number = number;
    this.status = fstatSync(number);
  }

  [Symbol.dispose](): void {
    closeSync(this.number);
  }
}

/** The directories from the top to where a path has come. */
class DirectoryStack implements Disposable {
  readonly #root: number;
  readonly #below: Descriptor[] = [];

  constructor(root: number) {
    this.#root = root;
  }

  get top(): number {
    return this.#below.at(-1)?.number ?? this.#root;
  }

  push(directory: Descriptor, path: string): void {
    this.#below.push(directory);
    if (this.#below.length > DEPTH_MAX) {
      throw new RootedTreeError(`${path}: more than ${DEPTH_MAX} directories below each other`);
    }
  }

  /** Above the top is the top. */
  pop(): void {
    this.#below.pop()?.[Symbol.dispose]();
  }

  clear(): void {
    while (this.#below.length > 0) {
      this.pop();
    }
  }

  /** @returns the last directory, which the caller closes */
  takeTop(): Descriptor {
    return this.#below.pop() ?? new Descriptor(openSync(`/proc/self/fd/${this.#root}`, O_PATH | constants.O_DIRECTORY));
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}
