/** Finds out for which directories of a request id-mapped mounts can be made, if the plan depends on it. */
import type { DirectoryStatus, RequestedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES } from '../../core/directory-classes.ts';
import type { DirectoryDeps } from '../deps.ts';
import { directoryFailed } from '../errors.ts';
import { HeldDirectory } from '../held-directory.ts';
import { type OpenBases, openAbove } from '../open-bases.ts';
import { layoutOf } from '../plan/layout.ts';
import { mayMap, type PlanRequest } from '../plan/plan.ts';
import { openTree } from './path.ts';
import type { PathSnapshot, RequestSnapshot } from './snapshot.ts';

interface Place {
  readonly components: readonly string[];
  readonly status: DirectoryStatus;
}

/** @throws DynuserError DirectoryFailed if a file system cannot be asked */
export async function mappableDirectories(
  deps: DirectoryDeps,
  bases: OpenBases,
  snapshot: RequestSnapshot,
  request: PlanRequest,
): Promise<ReadonlySet<RequestedDirectory>> {
  const mappable = new Set<RequestedDirectory>();
  if (!request.makesMounts) {
    return mappable;
  }
  for (const directory of request.directories) {
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
  const above = (await HeldDirectory.openBase(paths[kind], field)) ?? (await openAbove(paths[kind], field));
  try {
    return await mapSupport.canMap((await above.status()).device, async () => above);
  } finally {
    above.close();
  }
}
