/**
 * From a snapshot to the plan, for Acquire and for Explain. What it depends on besides the paths is found out first: for which
 * directories id-mapped mounts can be made.
 */
import type { DirectoriesInUse, DirectoryStatus, RequestedDirectory } from '../core/directory.ts';
import { DIRECTORY_CLASSES } from '../core/directory-classes.ts';
import { sharedPlaces } from '../core/fleet.ts';
import type { DirectoryDeps } from './deps.ts';
import { directoryFailed } from './errors.ts';
import { type OpenBases, openNearest } from './held-directory.ts';
import { openTree } from './observe/path.ts';
import type { PathSnapshot, RequestSnapshot } from './observe/snapshot.ts';
import { layoutOf } from './plan/layout.ts';
import { type DirectoryPlan, mayMap, type PlanRequest, planDirectories } from './plan/plan.ts';

interface Place {
  readonly components: readonly string[];
  readonly status: DirectoryStatus;
}

/** @throws DynuserError DirectoryFailed if the plan is a refusal, or a file system cannot be asked */
export async function makePlan(
  deps: DirectoryDeps,
  bases: OpenBases,
  snapshot: RequestSnapshot,
  request: PlanRequest,
  live: () => readonly DirectoriesInUse[],
): Promise<DirectoryPlan> {
  const mappable = await mappableDirectories(deps, bases, snapshot, request);
  return planDirectories(deps.bases, { of: directory => snapshot.of(directory), mappable }, request, live());
}

async function mappableDirectories(
  deps: DirectoryDeps,
  bases: OpenBases,
  snapshot: RequestSnapshot,
  request: PlanRequest,
): Promise<ReadonlySet<RequestedDirectory>> {
  const mappable = new Set<RequestedDirectory>();
  if (!request.makesMounts) {
    return mappable;
  }
  const storages = deps.sharedStorages();
  for (const directory of request.directories) {
    if (sharedPlaces([directory], storages).length > 0) {
      // The other hosts have it by its owner's number, also those that cannot map it.
      continue;
    }
    const layout = layoutOf(directory, request.user.dynamic, deps.bases);
    const paths = snapshot.of(directory);
    const top =
      deepest(paths, layout.tree, layout.tree.length) ?? deepest(paths, layout.counterpart, layout.counterpart.length);
    if (mayMap(directory, layout, request, top?.status)) {
      // Of a tree that would be made, the nearest directory above its place stands for it: it is on the same file system.
      const place = top ?? deepest(paths, layout.tree, 1);
      if (await canMap(deps, bases, directory, place)) {
        mappable.add(directory);
      }
    }
  }
  return mappable;
}

/** @returns the deepest directory along a path, if there are so many at least */
function deepest(paths: PathSnapshot, components: readonly string[], count: number): Place | undefined {
  const along = paths.directoriesAlong(components);
  const status = along.at(-1);
  return status === undefined || along.length < count
    ? undefined
    : { components: components.slice(0, along.length), status };
}

async function canMap(
  { mapSupport, bases: paths }: DirectoryDeps,
  bases: OpenBases,
  { kind }: RequestedDirectory,
  place: Place | undefined,
): Promise<boolean> {
  const { field } = DIRECTORY_CLASSES[kind];
  if (place !== undefined) {
    return mapSupport.canMap(place.status.device, async () => {
      const base = await bases.find(kind);
      const directory = base && (await openTree(base, place.components));
      if (directory === undefined) {
        throw directoryFailed(field, `${paths[kind]}/${place.components.join('/')} was removed meanwhile: try again`);
      }
      return directory;
    });
  }
  // Not even <base>/private exists, or not the base.
  using nearest = await openNearest(paths[kind], field);
  return await mapSupport.canMap((await nearest.status()).device, async () => nearest);
}
