/**
 * Moves trees between their private and their public paths for callers that make no mounts: out once all of a request is
 * theirs, and back when the last lease ends. By rename alone; what cannot be moved leaves everything where it was.
 */
import { type DirectoriesInUse, isPart, type LeasedDirectory, type RequestedDirectory } from '../../core/directory.ts';
import { EXPOSED_MODE_MASK } from '../../core/directory-classes.ts';
import type { DirectoryDeps } from '../deps.ts';
import type { OpenBases } from '../held-directory.ts';
import { inspect } from '../observe/inspect.ts';
import { exposedLayoutOf, type Layout, layoutOf } from '../plan/layout.ts';
import { type PlannedPlace, planPlace } from '../plan/plan.ts';
import { outermost } from '../plan/sharing.ts';
import { lockUnshared } from './lock.ts';
import { placeAll } from './place.ts';

/**
 * Moves trees to their public paths; those that are there already stay. The caller has locked them.
 * @param directories those that are to be exposed, each one after those that it is below
 * @throws DynuserError DirectoryFailed; all are where they were then
 */
export async function publish(
  deps: DirectoryDeps,
  bases: OpenBases,
  directories: readonly RequestedDirectory[],
): Promise<void> {
  const planned = await planPlaces(deps, directories, directory => exposedLayoutOf(directory, deps.bases));
  await putInPlace(bases, planned);
}

/** Moves those that were exposed back to their private paths, but for those that another live lease has. */
export async function unpublish(
  deps: DirectoryDeps,
  bases: OpenBases,
  directories: readonly LeasedDirectory[],
  live: () => readonly DirectoriesInUse[],
): Promise<void> {
  const exposed = directories.filter(directory => directory.exposed);
  for (const top of outermost(exposed)) {
    await using lock = await lockUnshared(bases, top, live);
    if (lock !== undefined) {
      const parts = exposed.filter(part => isPart(part, top));
      const trees = [
        { ...top, ...UNREQUESTED },
        ...parts.map(part => ({ ...part, ...UNREQUESTED, below: top.source })),
      ];
      const planned = await planPlaces(deps, trees, directory => layoutOf(directory, true, deps.bases));
      // If somebody has removed a tree, there is nothing to move, and nothing is made in its place.
      await putInPlace(
        bases,
        planned.filter(({ placement }) => placement.tree !== 'make'),
      );
    }
  }
}

/** What a layout does not depend on here: a tree that is moved back keeps the mode that it has. */
const UNREQUESTED = { readOnly: false, mode: EXPOSED_MODE_MASK };

async function planPlaces(
  deps: DirectoryDeps,
  directories: readonly RequestedDirectory[],
  layout: (directory: RequestedDirectory) => Layout,
): Promise<readonly PlannedPlace[]> {
  using snapshot = await inspect(deps, directories);
  const planned: PlannedPlace[] = [];
  for (const directory of directories) {
    planned.push(planPlace(snapshot.of(directory), planned, directory, layout(directory)));
  }
  return planned;
}

async function putInPlace(bases: OpenBases, planned: readonly PlannedPlace[]): Promise<void> {
  for (const top of (await placeAll(bases, planned)).values()) {
    top.close();
  }
}
