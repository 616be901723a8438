/**
 * Prepares the directories of a request. Where something is to be done to one, it looks at all, locks all, puts all in
 * their places, decides on all, and only then hands one after the other over. Up to there everything can be taken back, and is.
 */
import { DIRECTORY_KINDS, type DirectoryKind, type RequestedDirectory } from '../core/directory.ts';
import type {
  DirectoryUser,
  PreparedDirectories,
  PreparedDirectory,
  PrepareOptions,
} from '../service/directory-ports.ts';
import { openBoundary } from './boundary.ts';
import { DIRECTORY_CLASSES } from './classes.ts';
import {
  type Decided,
  decideAll,
  isToExpose,
  layoutNow,
  preparedOf,
  type RoomParts,
  refuseAborted,
  refuseShared,
} from './decided.ts';
import { lockTrees, type TreeLock } from './directory-lock.ts';
import { directoryEnvironment } from './environment.ts';
import { exposeTrees } from './expose.ts';
import { handOver, type Tree } from './hand-over.ts';
import { type Heartbeat, heartbeat } from './heartbeat.ts';
import { PROGRESS_SILENCE_MS } from './limits.ts';
import { type OpenBases, withBases } from './open-bases.ts';
import { place, survey } from './place.ts';
import { prepareSettled } from './settled.ts';
import { isUnshared } from './sharing.ts';
import { type UndoLog, undoLog } from './undo.ts';

export async function prepareDirectories<T>(
  parts: RoomParts,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
  commit: (prepared: PreparedDirectories) => T,
): Promise<T> {
  const settled = await prepareSettled(parts, directories, user, options, commit);
  if (settled !== undefined) {
    return settled.committed;
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
  commit: (prepared: PreparedDirectories) => T,
): Promise<T> {
  const lost = new AbortController();
  const signal = options.signal === undefined ? lost.signal : AbortSignal.any([options.signal, lost.signal]);
  const watched = { ...options, signal };
  return withBases(parts.bases, async open => {
    // Before anything is made: a request that is refused leaves not even an empty boundary behind.
    for (const directory of directories) {
      await look(parts, open, directory, user, options);
    }
    const locks: TreeLock[] = [];
    const trees: Tree[] = [];
    try {
      for (const kind of DIRECTORY_KINDS) {
        locks.push(await lock(open, kind, directories, () => lost.abort()));
      }
      refuseShared(user, directories, options);
      const decided = await placeAll(parts, open, directories, user, watched, trees);
      const prepared = await handAllOver(parts, decided, user, watched);
      refuseAborted(signal, directories);
      const committed = commit(prepared);
      if (committed !== undefined) {
        await exposeTrees(
          parts.bases,
          open,
          directories.filter(directory => isToExpose(directory, user)),
        );
      }
      return committed;
    } finally {
      for (const { top } of trees) {
        top.close();
      }
      for (const held of locks.reverse()) {
        await held.release();
      }
    }
  });
}

/** A look ahead, so that in most cases nothing has to be taken back of a request that cannot be met. */
async function look(
  parts: RoomParts,
  open: OpenBases,
  directory: RequestedDirectory,
  user: DirectoryUser,
  options: PrepareOptions,
): Promise<void> {
  const base = directory.below === undefined ? await open.find(directory.kind) : undefined;
  if (base !== undefined) {
    const { field } = DIRECTORY_CLASSES[directory.kind];
    await survey(base, layoutNow(parts, directory, user, options), false, field);
  }
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

async function placeAll(
  parts: RoomParts,
  open: OpenBases,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
  trees: Tree[],
): Promise<readonly Decided[]> {
  const undo = undoLog();
  try {
    for (const directory of directories) {
      trees.push(await placeOne(parts, open, directory, user, options, undo));
    }
    return await decideAll(parts, trees, user, options);
  } catch (error) {
    throw await undo.takeBack(error);
  }
}

async function placeOne(
  parts: RoomParts,
  open: OpenBases,
  directory: RequestedDirectory,
  user: DirectoryUser,
  options: PrepareOptions,
  undo: UndoLog,
): Promise<Tree> {
  const layout = layoutNow(parts, directory, user, options);
  const { field } = DIRECTORY_CLASSES[directory.kind];
  const placed = await place(await open.make(directory.kind), layout, directory.below !== undefined, field, undo);
  return { directory, layout, ...placed };
}

async function handAllOver(
  { bases, helper, marks }: RoomParts,
  decided: readonly Decided[],
  user: DirectoryUser,
  options: PrepareOptions,
): Promise<PreparedDirectories> {
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
