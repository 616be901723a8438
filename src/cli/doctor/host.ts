/** What the checks can ask of the host, as types: this-host.ts is the real one, tests have their own. */

/** What could not be seen, and why: a value like any other, since an operator without rights gets as far as they go. */
export class Unreadable {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** undefined if it does not exist */
export type Observed<T> = T | undefined | Unreadable;

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

/** What is left on a file system. */
export interface FreeSpace {
  readonly bytes: number;
  readonly files: number;
  readonly isReadOnly: boolean;
}

export interface Host {
  /** the start of a text file */
  text(path: string): Observed<string>;
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

/** @returns the permission bits as ls and chmod write them */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
