/** The boundary below a base, <base>/private: nobody but root gets to what is behind it. Made where it is missing. */
import { BOUNDARY, BOUNDARY_MODE } from '../classes.ts';
import { directoryFailed } from '../errors.ts';
import type { HeldDirectory } from '../held-directory.ts';

/** @throws DynuserError DirectoryFailed where it is no directory, or not root's, or others may enter */
export async function openBoundary(base: HeldDirectory, field: string): Promise<HeldDirectory> {
  let boundary = await base.open(BOUNDARY);
  if (boundary === undefined) {
    await base.make(BOUNDARY, BOUNDARY_MODE);
    boundary = await base.open(BOUNDARY);
  }
  if (boundary === undefined) {
    throw directoryFailed(field, `${base.path}/${BOUNDARY} was removed the moment it was made`);
  }
  try {
    await checkBoundary(boundary, field);
    return boundary;
  } catch (error) {
    boundary.close();
    throw error;
  }
}

/** @throws DynuserError DirectoryFailed where the boundary is not root's, or others may enter */
export async function checkBoundary(boundary: HeldDirectory, field: string): Promise<void> {
  const { uid, gid, mode } = await boundary.status();
  if (uid !== 0 || gid !== 0) {
    throw directoryFailed(field, `${boundary.path} belongs to ${uid}:${gid}: chown it to root:root`);
  }
  if ((mode & 0o7777 & ~BOUNDARY_MODE) !== 0) {
    const bits = (mode & 0o7777).toString(8).padStart(4, '0');
    throw directoryFailed(field, `${boundary.path} has the mode ${bits}, and others may enter: chmod it to 0700`);
  }
}
