/** One daemon for one runtime directory: a lock on a file in it, which the kernel drops when its holder ends, however it ends. */
import { closeSync, constants, openSync } from 'node:fs';
import { PinnedDirectory } from '../files/pinned-directory.ts';
import { hostError } from './host-error.ts';
import { flock, LOCK_EXCLUSIVE } from './libc/libc.ts';

/** Others may neither read nor open it: whoever can open a file can flock it. */
const FILE_MODE = 0o600;
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface RuntimeLock {
  /** Lets go. The file stays: to unlink it would let two daemons hold a lock of that name each. */
  release(): void;
}

/**
 * Takes the lock, without waiting.
 * @param name the file's name in the directory
 * @returns undefined if another process has it
 * @throws DynuserError HostFailed, LimitReached
 */
export function takeRuntimeLock(directory: PinnedDirectory, name: string): RuntimeLock | undefined {
  const what = `cannot lock ${directory.path}/${name}`;
  let descriptor: number;
  try {
    descriptor = openSync(directory.entry(name), OPEN_FLAGS, FILE_MODE);
  } catch (error) {
    throw hostError(error, what);
  }
  let held = false;
  try {
    held = flock(descriptor, LOCK_EXCLUSIVE);
    return held ? { release: () => closeSync(descriptor) } : undefined;
  } catch (error) {
    throw hostError(error, what);
  } finally {
    if (!held) {
      closeSync(descriptor);
    }
  }
}

/**
 * @param mode of the directory if it has to be made
 * @throws DynuserError HostFailed, LimitReached
 */
export function openRuntimeDirectory(path: string, mode: number): PinnedDirectory {
  try {
    return PinnedDirectory.open(path, { create: { mode } });
  } catch (error) {
    throw hostError(error, `cannot use the runtime directory ${path}`);
  }
}
