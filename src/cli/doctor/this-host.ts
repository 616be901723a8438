/** The host that this process runs on. Everything is read with a bound, nothing is changed. */
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
import { DOCTOR_FILE_BYTES_MAX, PROBE_OUTPUT_BYTES_MAX, PROBE_TIMEOUT_MS } from '../limits.ts';
import { type CommandResult, type FreeSpace, type Host, type Inode, type Observed, Unreadable } from './host.ts';

/** @param environment of the programs that are run */
export function thisHost(environment: Readonly<Record<string, string | undefined>>): Host {
  return {
    text: path => observe(() => readStart(path)),
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
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    return new Unreadable(code === 'EACCES' || code === 'EPERM' ? 'only root can see it' : String(error));
  }
}

function readStart(path: string): string {
  // What is no file must not make this wait.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(DOCTOR_FILE_BYTES_MAX);
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

/** access(2) says so to everybody, and before it looks at permissions. */
function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EROFS';
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
