/** The front door of the room: state, cache, logs and runtime directories of users. */
import type { Directories, DirectoryMarks, DirectoryPlaces } from '../allocator/directory-ports.ts';
import { prepareDirectories } from './apply/prepare.ts';
import { prepareScoped } from './apply/prepare-scoped.ts';
import { concealDirectories } from './apply/publish.ts';
import { removeDirectories } from './apply/remove.ts';
import { BASE_DIRECTORIES, type BaseDirectories } from './classes.ts';
import { expectHandovers } from './explain.ts';
import { TreeWork } from './observe/activity.ts';
import { lookAt } from './observe/look.ts';
import { remembering } from './observe/map-support.ts';
import { directoryEnvironment } from './plan/environment.ts';
import { requestedDirectories } from './plan/request.ts';
import { treeHelper } from './tree-helper.ts';

/**
 * @param program the path of dynuser-helper
 * @param host where mapped trees remember their users, and who looks at places
 * @param bases other directories than /run, /var/lib, /var/cache and /var/log, for tests
 */
export function openDirectories(
  program: string,
  host: { readonly marks: DirectoryMarks; readonly places: DirectoryPlaces },
  bases: BaseDirectories = BASE_DIRECTORIES,
): Directories {
  const parts = { ...host, bases, helper: remembering(treeHelper(program)), work: new TreeWork() };
  return {
    requested: requestedDirectories,
    environment: directories => directoryEnvironment(directories, bases),
    look: directories => lookAt(parts, directories),
    prepare: (directories, user, options) =>
      prepareScoped(commit => prepareDirectories(parts, directories, user, options, commit)),
    expect: (directories, user, options) => expectHandovers(parts, directories, user, options),
    putAway: async (directories, live) => {
      const end = parts.work.begin(directories);
      try {
        const removed = await removeDirectories(parts, directories, live);
        await concealDirectories(bases, directories, live);
        return removed;
      } finally {
        end();
      }
    },
  };
}
