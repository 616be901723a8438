/** Opens <base>/private, which the private directories are in, and makes it if it is missing. */
import { PRIVATE, PRIVATE_MODE } from '../../core/directory-classes.ts';
import { directoryFailed } from '../errors.ts';
import type { HeldDirectory } from '../held-directory.ts';
import { checkPrivateParent } from '../plan/private-parent.ts';

/** @throws DynuserError DirectoryFailed if it is not a directory, or not root's, or others may enter */
export async function openPrivateParent(base: HeldDirectory, field: string): Promise<HeldDirectory> {
  let opened = await base.open(PRIVATE);
  if (opened === undefined) {
    await base.make(PRIVATE, PRIVATE_MODE);
    opened = await base.open(PRIVATE);
  }
  if (opened === undefined) {
    throw directoryFailed(field, `${base.path}/${PRIVATE} was removed the moment it was made`);
  }
  try {
    checkPrivateParent(opened.path, await opened.status(), field);
    return opened;
  } catch (error) {
    opened.close();
    throw error;
  }
}
