/**
 * Puts one file in its place as an installer has to: with its mode whatever the umask is, and in one step, so that a
 * program that starts meanwhile sees the old file or the new one, never half of it.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';

const DIRECTORY_MODE = 0o755;

/** Makes a directory and what is missing above it, each 0755. One that exists is left as it is. */
export function installDirectory(path: string): void {
  if (existsSync(path)) {
    return;
  }
  installDirectory(dirname(path));
  mkdirSync(path);
  chmodSync(path, DIRECTORY_MODE);
}

/** @param mode permission bits, such as 0o644 */
export function installFile(path: string, content: string | Uint8Array, mode: number): void {
  place(path, temporary => {
    // "wx" is O_EXCL: a link that somebody planted under the temporary name is an error, not followed.
    const file = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(file, content);
      fchmodSync(file, mode);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** @param target what the link says, relative to the directory of path */
export function installLink(path: string, target: string): void {
  place(path, temporary => symlinkSync(target, temporary));
}

function place(path: string, create: (temporary: string) => void): void {
  installDirectory(dirname(path));
  const temporary = `${dirname(path)}/.${basename(path)}.${process.pid}`;
  rmSync(temporary, { force: true });
  try {
    create(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
