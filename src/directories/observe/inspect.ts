/**
 * Takes the snapshot of a request's directories: a helper is asked once a directory. Each step is made here if it cannot answer, and in
 * memory, where they take less than the way to a helper and back.
 */
import type { DirectoryKind, PathStatus, RequestedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES, PRIVATE } from '../../core/directory-classes.ts';
import { DynuserError } from '../../core/errors.ts';
import type { DirectoryDeps } from '../deps.ts';
import { type HeldDirectory, OpenBases } from '../held-directory.ts';
import { kindsInMemory } from '../in-memory.ts';
import { layoutOf } from '../plan/layout.ts';
import { type ObservedPath, PathSnapshot, RequestSnapshot } from './snapshot.ts';

/** Changes nothing. What cannot be inspected is not an error here, but one of the plan. The caller ends what it gets. */
export async function inspect(
  deps: DirectoryDeps,
  directories: readonly RequestedDirectory[],
): Promise<RequestSnapshot> {
  const watch = deps.activity.watch(directories);
  const since = performance.now();
  try {
    const inMemory = kindsInMemory(deps.bases, directories);
    const paths = await Promise.all(directories.map(directory => inspectOne(deps, directory, inMemory)));
    const snapshots = new Map(directories.map((directory, index) => [directory, paths[index] as PathSnapshot]));
    return new RequestSnapshot(deps.bases, snapshots, { watch, since });
  } catch (error) {
    watch.end();
    throw error;
  }
}

async function inspectOne(
  deps: DirectoryDeps,
  directory: RequestedDirectory,
  inMemory: ReadonlySet<DirectoryKind>,
): Promise<PathSnapshot> {
  const { bases, inspector } = deps;
  const base = bases[directory.kind];
  // Private and public path, whoever the user will be.
  const { tree, counterpart, aliases } = layoutOf(directory, true, bases);
  const inner = (directory.innerAliases ?? []).map(({ path }) => path.split('/'));
  const places = [
    ...[tree, counterpart, ...aliases.map(alias => alias.components)],
    // Where the tree that it is in may be.
    ...inner.flatMap(place => [place, [PRIVATE, ...place]]),
  ];
  const texts = places.map(place => place.join('/'));
  const answer = inMemory.has(directory.kind) ? undefined : await inspector.inspect(base, texts);
  const found = answer ?? (await walkAll(deps, directory, places, inMemory));
  const paths = new Map(texts.map((text, index) => [text, found[index] ?? []]));
  return new PathSnapshot(base, DIRECTORY_CLASSES[directory.kind].field, paths);
}

async function walkAll(
  deps: DirectoryDeps,
  { kind }: RequestedDirectory,
  places: readonly (readonly string[])[],
  inMemory: ReadonlySet<DirectoryKind>,
): Promise<readonly ObservedPath[]> {
  using bases = new OpenBases(deps.bases, inMemory);
  const found: ObservedPath[] = [];
  for (const place of places) {
    try {
      const base = await bases.find(kind);
      found.push(base === undefined ? [{ kind: 'nothing' }] : await walk(deps, base, place));
    } catch (error) {
      if (!(error instanceof DynuserError)) {
        throw error;
      }
      found.push(error);
    }
  }
  return found;
}

async function walk({ hints }: DirectoryDeps, base: HeldDirectory, place: readonly string[]): Promise<PathStatus[]> {
  const statuses: PathStatus[] = [];
  let parent = base;
  try {
    for (const name of place) {
      const status = await parent.kindOf(name);
      const below = status.kind === 'directory' ? await parent.open(name) : undefined;
      if (below === undefined) {
        statuses.push(status.kind === 'directory' ? { kind: 'nothing' } : status);
        break;
      }
      if (parent !== base) {
        parent.close();
      }
      parent = below;
      const ownerHint = (await hints.read(below.descriptor, below.inMemory)) ?? 'none';
      statuses.push({ kind: 'directory', ...(await below.status()), ownerHint });
    }
    return statuses;
  } finally {
    if (parent !== base) {
      parent.close();
    }
  }
}
