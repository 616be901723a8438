/** The group file of this host, without NSS. */
import { readFile } from 'node:fs/promises';
import { DynuserError } from '../core/errors.ts';

const PATH = '/etc/group';

/** @returns its text, empty if there is none @throws DynuserError HostFailed */
export async function readGroupFile(): Promise<string> {
  try {
    // Names that are not ASCII are nobody's here.
    return await readFile(PATH, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return '';
    }
    throw new DynuserError('HostFailed', `cannot read ${PATH}: ${(error as Error).message}`, {}, error);
  }
}
