/** What commands read of the host. Every read is bounded, and nothing is changed. Tests have hosts that are tables. */
import { execFile } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statfsSync,
} from 'node:fs';
import { release } from 'node:os';
import { hasCode } from '../files/pinned-directory.ts';
import { HOST_FILE_BYTES_MAX, PROBE_OUTPUT_BYTES_MAX, PROBE_TIMEOUT_MS } from './limits.ts';

/** What could not be seen, and why: a value, since an operator with few rights gets what these allow. */
export class Unreadable {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** undefined if it does not exist */
export type Observed<T> = T | undefined | Unreadable;

/** Whether it is there and could be seen. */
export function isSeen<T>(observed: Observed<T>): observed is T {
  return observed !== undefined && !(observed instanceof Unreadable);
}

export interface Inode {
  readonly kind: 'directory' | 'file' | 'link' | 'socket' | 'other';
  readonly uid: number;
  readonly gid: number;
  /** permission bits, setuid, setgid and sticky bit among them */
  readonly mode: number;
  readonly device: bigint;
  readonly inode: bigint;
}

export interface CommandResult {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** Status of getent(1): a key was not found. */
export const GETENT_NOT_FOUND = 2;

/** What is left on a file system. */
export interface FreeSpace {
  readonly bytes: number;
  readonly files: number;
  readonly isReadOnly: boolean;
}

export interface Host {
  /** the start of a text file: at most so many bytes, or a mebibyte */
  text(path: string, most?: number): Observed<string>;
  /** of the path itself, even if it is a symlink */
  inode(path: string): Observed<Inode>;
  /** what a symlink says */
  link(path: string): Observed<string>;
  /** the names in a directory */
  names(path: string): Observed<readonly string[]>;
  /** f_type of statfs(2); symlinks are followed */
  fileSystem(path: string): Observed<number>;
  /** what is left on the file system; symlinks are followed */
  freeSpace(path: string): Observed<FreeSpace>;
  /** the release of the kernel, as uname(2) has it */
  readonly kernel: string;
  /** Runs a program for a bounded time. @returns undefined if there is no such program */
  run(
    argv: readonly [string, ...string[]],
    environment?: Readonly<Record<string, string>>,
  ): Promise<Observed<CommandResult>>;
}

/** @param environment of the programs that are run */
export function thisHost(environment: Readonly<Record<string, string | undefined>>): Host {
  return {
    text: (path, most) => observe(() => readStart(path, most)),
    inode: path => observe(() => inodeOf(path)),
    link: path => observe(() => readlinkSync(path)),
    names: path => observe(() => readdirSync(path)),
    fileSystem: path => observe(() => statfsSync(path).type),
    freeSpace: path => observe(() => freeSpaceOf(path)),
    kernel: release(),
    run: (argv, added = {}) => run(argv, { ...environment, ...added }),
  };
}

function observe<T>(read: () => T): Observed<T> {
  try {
    return read();
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
      return undefined;
    }
    return new Unreadable(hasCode(error, 'EACCES') || hasCode(error, 'EPERM') ? 'only root can see it' : String(error));
  }
}

function readStart(path: string, most = HOST_FILE_BYTES_MAX): string {
  // A FIFO must not block.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(most);
    let length = 0;
    // Files of /proc come in pieces.
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(descriptor);
  }
}

function inodeOf(path: string): Inode {
  const { uid, gid, mode, dev, ino } = lstatSync(path, { bigint: true });
  const kind = KINDS.get(Number(mode) & constants.S_IFMT) ?? 'other';
  return { kind, uid: Number(uid), gid: Number(gid), mode: Number(mode) & 0o7777, device: dev, inode: ino };
}

function freeSpaceOf(path: string): FreeSpace {
  const { bavail, bsize, ffree, files } = statfsSync(path);
  // A file system that counts no files (tmpfs with nr_inodes=0) has no bound on them.
  return { bytes: bavail * bsize, files: files === 0 ? Number.POSITIVE_INFINITY : ffree, isReadOnly: isReadOnly(path) };
}

/** Whether something is at a path; a symlink is, whatever it leads to. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** access(2) says so to everybody, and before it looks at permissions. */
export function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return hasCode(error, 'EROFS');
  }
}

const KINDS: ReadonlyMap<number, Inode['kind']> = new Map([
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFREG, 'file'],
  [constants.S_IFLNK, 'link'],
  [constants.S_IFSOCK, 'socket'],
]);

function run(
  [program, ...argv]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Observed<CommandResult>> {
  const options = {
    env: environment,
    timeout: PROBE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: PROBE_OUTPUT_BYTES_MAX,
  } as const;
  return new Promise(resolve => {
    const child = execFile(program, argv, options, (error, output, errors) => {
      if (error === null) {
        resolve({ status: 0, output, errors });
      } else if (typeof error.code === 'number') {
        resolve({ status: error.code, output, errors });
      } else if (error.code === 'ENOENT') {
        resolve(undefined);
      } else {
        const late =
          error.killed === true ? `${program} gave no answer within ${PROBE_TIMEOUT_MS / 1_000} s` : undefined;
        resolve(new Unreadable(late ?? `${program}: ${error.message}`));
      }
    });
    child.stdin?.end();
  });
}

/** @returns the permission bits as ls and chmod write them */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
