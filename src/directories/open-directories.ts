/** Opens the module: state, cache, logs and runtime directories of users. */
import type { Directories, OwnerHints, PathInspector } from '../allocator/directory-ports.ts';
import { BASE_DIRECTORIES, type BaseDirectories } from '../core/directory-classes.ts';
import { prepareDirectories } from './apply/prepare.ts';
import { unpublish } from './apply/publish.ts';
import { removeDirectories } from './apply/remove.ts';
import { explainDirectories } from './explain.ts';
import { Activity } from './observe/activity.ts';
import { inspect } from './observe/inspect.ts';
import { MapSupport } from './observe/map-support.ts';
import { OpenBases } from './open-bases.ts';
import { directoryEnvironment } from './plan/environment.ts';
import { requestedDirectories } from './plan/request.ts';
import { treeHelper } from './tree-helper.ts';

/**
 * @param program the path of dynuser-helper
 * @param host the owner hints of mapped trees, and who inspects paths
 * @param bases other directories than /run, /var/lib, /var/cache and /var/log, for tests
 */
export function openDirectories(
  program: string,
  host: { readonly hints: OwnerHints; readonly inspector: PathInspector },
  bases: BaseDirectories = BASE_DIRECTORIES,
): Directories {
  const helper = treeHelper(program);
  const mapSupport = new MapSupport(directory => helper.canMap(directory));
  const deps = { ...host, bases, helper, mapSupport, activity: new Activity() };
  return {
    requested: requestedDirectories,
    environment: directories => directoryEnvironment(directories, bases),
    inspect: directories => inspect(deps, directories),
    prepare: (directories, user, options) => prepareDirectories(deps, directories, user, options),
    explain: (directories, user, options) => explainDirectories(deps, directories, user, options),
    async cleanUp(directories, live) {
      const end = deps.activity.begin(directories);
      using opened = new OpenBases(bases);
      try {
        const removed = await removeDirectories(deps, opened, directories, live);
        await unpublish(deps, opened, directories, live);
        return removed;
      } finally {
        end();
      }
    },
  };
}
