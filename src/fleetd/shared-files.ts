/** How files are used on storage that several hosts share: each host may have cached what was there before. */
import { open, unlink } from 'node:fs/promises';
import { systemErrorCode } from '../host/host-error.ts';

/** The umask decides: companions of several hosts may share the registry by a group. */
export const DIRECTORY_MODE = 0o777;
export const FILE_MODE = 0o666;

/**
 * What an NFS client knows of a directory may be old, such as that a name is not there: it asks the server again after it has changed
 * the directory itself (nfs(5), "Directory entry caching").
 * @param host tells the files of several hosts apart
 */
export async function askAnew(directory: string, host: string): Promise<void> {
  const probe = `${directory}/.probe.${host}`;
  await ignoring(
    ['ENOENT', 'ENOTDIR', 'EEXIST'],
    open(probe, 'wx', FILE_MODE).then(file => file.close()),
  );
  await ignoring(['ENOENT', 'ENOTDIR'], unlink(probe));
}

/** Whether it is a file of askAnew(), which is there for a moment or was left when its host crashed, or one of the NFS client itself. */
export function isHidden(name: string): boolean {
  return name.startsWith('.');
}

/** @returns undefined for errors of those codes */
export async function ignoring<Result>(
  codes: readonly string[],
  promise: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (codes.includes(systemErrorCode(error) ?? '')) {
      return undefined;
    }
    throw error;
  }
}
