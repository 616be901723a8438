/** One daemon for one runtime directory: a lock on a file in it, which the kernel drops when its holder ends, however it ends. */
import { closeSync, constants, openSync } from 'node:fs';
import { PinnedDirectory } from '../files/pinned-directory.ts';
import { attempt } from './host-error.ts';
import { closeUnless, flock, LOCK_EXCLUSIVE } from './libc/libc.ts';

/** Others may neither read nor open it: whoever can open a file can flock it. */
const FILE_MODE = 0o600;
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Takes the lock, without waiting.
 * @param name the file's name in the directory
 * @returns a function that lets go of it, or undefined if another process has it. The file stays: to unlink it would let two daemons hold a
 *   lock of that name each
 * @throws DynuserError HostFailed, LimitReached
 */
export function takeRuntimeLock(directory: PinnedDirectory, name: string): (() => void) | undefined {
  return attempt(`cannot lock ${directory.path}/${name}`, () => {
    const descriptor = openSync(directory.entry(name), OPEN_FLAGS, FILE_MODE);
    const isHeld = closeUnless(descriptor, () => flock(descriptor, LOCK_EXCLUSIVE));
    return isHeld ? () => closeSync(descriptor) : undefined;
  });
}

/**
 * @param mode of the directory if it has to be made
 * @throws DynuserError HostFailed, LimitReached
 */
export function openRuntimeDirectory(path: string, mode: number): PinnedDirectory {
  return attempt(`cannot use the runtime directory ${path}`, () => PinnedDirectory.open(path, { create: { mode } }));
}
