/**
 * Moves trees between their public paths and the boundary for callers that make no mounts: out when all of a request is
 * theirs, and back when the last lease ends. By rename alone; what cannot be moved leaves everything where it was.
 */
import type { DirectoriesInUse, LeasedDirectory, RequestedDirectory } from '../../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES, EXPOSED_MODE_MASK } from '../classes.ts';
import type { HeldDirectory } from '../held-directory.ts';
import { type OpenBases, withBases } from '../open-bases.ts';
import { exposedLayoutOf, layoutOf } from '../plan/layout.ts';
import { isBelow } from '../plan/request.ts';
import { isUnshared } from '../plan/sharing.ts';
import { lockTrees } from './lock.ts';
import { place, survey } from './place.ts';
import { openBoundary } from './private-directory.ts';
import { type UndoLog, undoLog } from './undo.ts';

/**
 * Moves trees to their public paths; those that are there already stay. The caller has locked them.
 * @param directories those that are to be exposed, each one after those that it is below
 */
export async function exposeTrees(
  bases: BaseDirectories,
  open: OpenBases,
  directories: readonly RequestedDirectory[],
): Promise<void> {
  const undo = undoLog();
  try {
    for (const directory of directories) {
      const layout = exposedLayoutOf(directory, bases);
      const { top } = await place(await open.make(directory.kind), layout, directory, undo);
      top.close();
    }
  } catch (error) {
    throw await undo.takeBack(error);
  }
}

/** Moves those that were exposed behind the boundary, but for those that another live lease has. */
export async function concealDirectories(
  bases: BaseDirectories,
  directories: readonly LeasedDirectory[],
  live: () => readonly DirectoriesInUse[],
): Promise<void> {
  const exposed = directories.filter(directory => directory.exposed);
  const tops = exposed.filter(
    one => !exposed.some(other => other.kind === one.kind && isBelow(one.source, other.source)),
  );
  await withBases(bases, async open => {
    for (const top of tops) {
      const { field } = DIRECTORY_CLASSES[top.kind];
      const base = await open.find(top.kind);
      if (base === undefined) {
        continue;
      }
      const boundary = await openBoundary(base, field);
      try {
        const lock = await lockTrees(boundary, [top.source], field, () => {});
        try {
          // Asked under the lock: who has prepared the directory meanwhile has its lease by now.
          if (isUnshared(top, live())) {
            await concealTree(bases, base, top, exposed);
          }
        } finally {
          await lock.release();
        }
      } finally {
        boundary.close();
      }
    }
  });
}

async function concealTree(
  bases: BaseDirectories,
  base: HeldDirectory,
  top: LeasedDirectory,
  exposed: readonly LeasedDirectory[],
): Promise<void> {
  const undo = undoLog();
  try {
    await concealOne(bases, base, { ...top, ...UNREQUESTED }, undo);
    for (const part of exposed) {
      if (part.kind === top.kind && isBelow(part.source, top.source)) {
        await concealOne(bases, base, { ...part, ...UNREQUESTED, below: top.source }, undo);
      }
    }
  } catch (error) {
    throw await undo.takeBack(error);
  }
}

/** What a layout does not depend on here: a tree that is moved back keeps the mode that it has. */
const UNREQUESTED = { readOnly: false, mode: EXPOSED_MODE_MASK };

async function concealOne(
  bases: BaseDirectories,
  base: HeldDirectory,
  directory: RequestedDirectory,
  undo: UndoLog,
): Promise<void> {
  const layout = layoutOf(directory, true, bases);
  // Somebody has removed the tree: there is nothing to move, and nothing is made in its place.
  if ((await survey(base, layout, directory)).placement.kind !== 'make') {
    (await place(base, layout, directory, undo)).top.close();
  }
}
