/** The directory below each base that the private directories are in, <base>/private: nobody but root gets to them. Pure. */
import type { DirectoryStatus } from '../../core/directory.ts';
import { PRIVATE_MODE } from '../../core/directory-classes.ts';
import { directoryFailed } from '../errors.ts';

/**
 * @param path of it, for errors
 * @throws DynuserError DirectoryFailed if it is not root's, or others may enter
 */
export function checkPrivateParent(
  path: string,
  { uid, gid, mode }: Pick<DirectoryStatus, 'uid' | 'gid' | 'mode'>,
  field: string,
): void {
  if (uid !== 0 || gid !== 0) {
    throw directoryFailed(field, `${path} belongs to ${uid}:${gid}: chown it to root:root`);
  }
  if ((mode & ~PRIVATE_MODE) !== 0) {
    const bits = mode.toString(8).padStart(4, '0');
    throw directoryFailed(field, `${path} has the mode ${bits}, and others may enter: chmod it to 0700`);
  }
}
