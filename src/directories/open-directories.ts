/** Opens the module: state, cache, logs and runtime directories of users. */
import type { Directories, OwnerHints, PathInspector } from '../allocator/directory-ports.ts';
import { BASE_DIRECTORIES, type BaseDirectories } from '../core/directory-classes.ts';
import type { SharedStorage } from '../core/fleet.ts';
import { sweepLocks } from './apply/lock.ts';
import { prepareDirectories } from './apply/prepare.ts';
import { unpublish } from './apply/publish.ts';
import { removeDirectories } from './apply/remove.ts';
import { explainDirectories } from './explain.ts';
import { OpenBases } from './held-directory.ts';
import { openBasesFor } from './in-memory.ts';
import { LOCK_STALE_MS } from './limits.ts';
import { Activity } from './observe/activity.ts';
import { inspect } from './observe/inspect.ts';
import { MapSupport } from './observe/map-support.ts';
import { directoryEnvironment, requestedDirectories } from './plan/request.ts';
import { treeHelper } from './tree-helper.ts';

/**
 * @param program the path of dynuser-helper
 * @param host the owner hints of mapped trees, who inspects paths, and what it shares with the hosts of its fleet
 * @param bases other directories than /run, /var/lib, /var/cache and /var/log, for tests
 */
export function openDirectories(
  program: string,
  host: {
    readonly hints: OwnerHints;
    readonly inspector: PathInspector;
    readonly sharedStorages?: () => readonly SharedStorage[];
  },
  bases: BaseDirectories = BASE_DIRECTORIES,
): Directories {
  const helper = treeHelper(program);
  const mapSupport = new MapSupport(directory => helper.canMap(directory));
  const { sharedStorages = () => [] } = host;
  const deps = { ...host, sharedStorages, bases, helper, mapSupport, activity: new Activity() };
  return {
    requested: requestedDirectories,
    environment: directories => directoryEnvironment(directories, bases),
    inspect: directories => inspect(deps, directories),
    prepare: (directories, user, options) => prepareDirectories(deps, directories, user, options),
    explain: (directories, user, options) => explainDirectories(deps, directories, user, options),
    async cleanUp(directories, live) {
      const end = deps.activity.begin(directories);
      using opened = openBasesFor(bases, directories);
      try {
        await removeDirectories(deps, opened, directories, live);
        await unpublish(deps, opened, directories, live);
      } finally {
        end();
      }
    },
  };
}

/**
 * Removes the locks of trees that a killed daemon has left: expired ones at once, and the others as soon as they have expired, unless
 * their holders still renew them.
 * @returns a function that stops it
 */
export function sweepTreeLocks(bases: BaseDirectories = BASE_DIRECTORIES, staleMs = LOCK_STALE_MS): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const sweep = async (): Promise<boolean> => {
    using opened = new OpenBases(bases);
    return await sweepLocks(opened, staleMs);
  };
  void sweep().then(isLeft => {
    if (isLeft && !isStopped) {
      timer = setTimeout(() => void sweep(), staleMs + SWEEP_MARGIN_MS).unref();
    }
  });
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** The times of a file system may be whole seconds. */
const SWEEP_MARGIN_MS = 1_000;
