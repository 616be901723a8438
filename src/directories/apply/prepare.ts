/**
 * Prepares the directories of a request by its plan. If something is to be done to one, it locks all, plans again, puts all
 * in their places, and only then hands one after the other over. Up to there everything can be taken back, and is.
 */

import type {
  DirectoriesOfLease,
  DirectoryUser,
  PreparedDirectory,
  PrepareOptions,
} from '../../allocator/directory-ports.ts';
import { DIRECTORY_KINDS, type DirectoryKind, type RequestedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES } from '../classes.ts';
import { type Decided, isToExpose, preparedOf, type RoomParts, refuseAborted } from '../decided.ts';
import { directoryFailed } from '../errors.ts';
import type { HeldDirectory } from '../held-directory.ts';
import { PROGRESS_SILENCE_MS } from '../limits.ts';
import { type OpenBases, withBases } from '../open-bases.ts';
import { directoryEnvironment } from '../plan/environment.ts';
import { type DirectoryPlan, type PlannedTree, planDirectories } from '../plan/plan.ts';
import { isUnshared } from '../plan/sharing.ts';
import { handOver } from './hand-over.ts';
import { type Heartbeat, heartbeat } from './heartbeat.ts';
import { lockTrees, type TreeLock } from './lock.ts';
import { place } from './place.ts';
import { openBoundary } from './private-directory.ts';
import { exposeTrees } from './publish.ts';
import { prepareSettled } from './settled.ts';
import { type UndoLog, undoLog } from './undo.ts';

export async function prepareDirectories<T>(
  parts: RoomParts,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
  commit: (prepared: DirectoriesOfLease) => Promise<T>,
): Promise<T> {
  const settled = await prepareSettled(parts, directories, user, options, commit);
  if (settled !== undefined) {
    return settled.committed;
  }
  // Before anything is made: a request that is refused leaves not even an empty boundary behind.
  const plan = await withBases(parts.bases, open => planDirectories(parts, open, directories, user, options));
  // It was not known whether a file system can map, and the plan has found out.
  const known = plan.isSettled ? await prepareSettled(parts, directories, user, options, commit) : undefined;
  if (known !== undefined) {
    return known.committed;
  }
  const end = parts.work.begin(directories);
  const alive = signsOfLife(parts, directories, options);
  try {
    return await prepareLocked(parts, directories, user, { ...options, ...alive }, commit);
  } finally {
    alive?.stop();
    end();
  }
}

function signsOfLife(
  { bases }: RoomParts,
  [first]: readonly RequestedDirectory[],
  { onProgress }: PrepareOptions,
): Heartbeat | undefined {
  return onProgress && first && heartbeat(`${bases[first.kind]}/${first.source}`, onProgress, PROGRESS_SILENCE_MS);
}

async function prepareLocked<T>(
  parts: RoomParts,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
  commit: (prepared: DirectoriesOfLease) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const signal = options.signal === undefined ? lost.signal : AbortSignal.any([options.signal, lost.signal]);
  const watched = { ...options, signal };
  return withBases(parts.bases, async open => {
    const locks: TreeLock[] = [];
    const tops: HeldDirectory[] = [];
    try {
      for (const kind of DIRECTORY_KINDS) {
        locks.push(await lock(open, kind, directories, () => lost.abort()));
      }
      // What was seen without the locks may be otherwise by now.
      const plan = await planDirectories(parts, open, directories, user, options);
      const decided = await placeAll(open, plan, tops);
      const prepared = await handAllOver(parts, decided, user, watched);
      refuseAborted(signal, directories);
      const committed = await commit(prepared);
      if (committed !== undefined) {
        await exposeTrees(
          parts.bases,
          open,
          directories.filter(directory => isToExpose(directory, user)),
        );
      }
      return committed;
    } finally {
      for (const top of tops) {
        top.close();
      }
      for (const held of locks.reverse()) {
        await held.release();
      }
    }
  });
}

/** Locks the trees of one class. */
async function lock(
  open: OpenBases,
  kind: DirectoryKind,
  directories: readonly RequestedDirectory[],
  lost: () => void,
): Promise<TreeLock> {
  const { field } = DIRECTORY_CLASSES[kind];
  const sources = directories.filter(directory => directory.kind === kind).map(directory => directory.source);
  if (sources.length === 0) {
    return { release: async () => {} };
  }
  const boundary = await openBoundary(await open.make(kind), field);
  try {
    // The lock is reached through the boundary's descriptor for as long as it is held.
    const held = await lockTrees(boundary, sources, field, lost);
    return { release: () => held.release().finally(() => boundary.close()) };
  } catch (error) {
    boundary.close();
    throw error;
  }
}

/** @param tops gets what was opened */
async function placeAll(open: OpenBases, { trees }: DirectoryPlan, tops: HeldDirectory[]): Promise<readonly Decided[]> {
  const undo = undoLog();
  try {
    const decided: Decided[] = [];
    for (const tree of trees) {
      const placed = await placeOne(open, tree, undo);
      tops.push(placed.top);
      decided.push(placed);
      await checkPlaced(tree, placed);
    }
    return decided;
  } catch (error) {
    throw await undo.takeBack(error);
  }
}

async function placeOne(
  open: OpenBases,
  { directory, layout, handover }: PlannedTree,
  undo: UndoLog,
): Promise<Decided> {
  const placed = await place(await open.make(directory.kind), layout, directory, undo);
  return { directory, layout, handover, ...placed };
}

/** Whether it is the tree that the plan is about: others may own a directory on the way, and heed no lock. */
async function checkPlaced({ present, directory, layout }: PlannedTree, { top, fresh }: Decided): Promise<void> {
  const { device, inode } = await top.identity();
  const isSame = present === undefined ? fresh : present.device === device && present.inode === inode;
  if (!isSame) {
    const { field } = DIRECTORY_CLASSES[directory.kind];
    throw directoryFailed(field, `${layout.publicPath} was replaced while it was put in its place: try again`);
  }
}

async function handAllOver(
  { bases, helper, marks }: RoomParts,
  decided: readonly Decided[],
  user: DirectoryUser,
  options: PrepareOptions,
): Promise<DirectoriesOfLease> {
  const directories = decided.map(({ directory }) => directory);
  const prepared: PreparedDirectory[] = [];
  for (const tree of decided) {
    refuseAborted(options.signal, directories);
    const { directory, handover, top } = tree;
    // Of a live lease: its processes could change a tree while it is walked, and be in the way of it.
    const verify = options.verify && isUnshared(directory, options.live());
    const done = await handOver(helper, tree, handover, { ...options, verify });
    if (handover.kind === 'map' && directory.below === undefined) {
      await marks.write(top.descriptor, user.uid);
    }
    prepared.push(preparedOf(bases, tree, await top.identity(), user, done));
  }
  return { directories: prepared, environment: directoryEnvironment(directories, bases) };
}
