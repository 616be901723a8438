/**
 * The short way to directories that are as they are to be: in their places, with their links, the user's, with their
 * modes. Nothing is changed, so that nothing is locked. A tree that another process hands over is not taken for settled:
 * its top is marked for as long as that lasts. What this process does meanwhile is known by TreeWork.
 */
import type { RequestedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import type {
  DirectoryUser,
  PreparedDirectories,
  PreparedDirectory,
  PrepareOptions,
} from '../service/directory-ports.ts';
import { checkBoundary } from './boundary.ts';
import { BOUNDARY, DIRECTORY_CLASSES, MAPPED_ID } from './classes.ts';
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
import { directoryEnvironment } from './environment.ts';
import type { Tree } from './hand-over.ts';
import type { HeldDirectory } from './held-directory.ts';
import type { Layout } from './layout.ts';
import { type OpenBases, withBases } from './open-bases.ts';
import { findWhat } from './path.ts';
import { decideLink, decidePlacement } from './placement.ts';

/**
 * @returns what was committed; undefined where something is to be done to a directory, or cannot be had: the long way
 * does it, or says why
 */
export async function prepareSettled<T>(
  parts: RoomParts,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
  commit: (prepared: PreparedDirectories) => T,
): Promise<{ readonly committed: T } | undefined> {
  if (options.verify || directories.some(directory => isToExpose(directory, user))) {
    return undefined;
  }
  const look = parts.work.look(directories);
  try {
    return await withBases(parts.bases, async open => {
      const prepared = await findSettled(parts, open, directories, user, options);
      if (prepared === undefined || !look.holds || isRefused(user, directories, prepared, options)) {
        return undefined;
      }
      // In the tick of that answer: no other request comes between.
      return { committed: commit(prepared) };
    });
  } finally {
    look.end();
  }
}

async function findSettled(
  parts: RoomParts,
  open: OpenBases,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
): Promise<PreparedDirectories | undefined> {
  const trees: Tree[] = [];
  try {
    for (const directory of directories) {
      const base = await open.find(directory.kind);
      const tree = base === undefined ? undefined : await settledTree(parts, base, directory, user, options);
      if (tree === undefined) {
        return undefined;
      }
      trees.push(tree);
    }
    const decided = await decideAll(parts, trees, user, options);
    if (decided.some(({ handover }) => handover.walk)) {
      return undefined;
    }
    return await prepared(parts, decided, user);
  } catch (error) {
    if (error instanceof DynuserError) {
      return undefined;
    }
    throw error;
  } finally {
    for (const { top } of trees) {
      top.close();
    }
  }
}

async function prepared(
  { bases, marks }: RoomParts,
  decided: readonly Decided[],
  user: DirectoryUser,
): Promise<PreparedDirectories> {
  const nothingDone = { changed: 0, leftPaths: [], mountPaths: [] };
  const all: PreparedDirectory[] = [];
  // One after the other: nothing is under way on a descriptor once the first failure has closed all.
  for (const tree of decided) {
    if (tree.handover.kind === 'map' && tree.directory.below === undefined) {
      await marks.write(tree.top.descriptor, user.uid);
    }
    all.push(await preparedOf(bases, tree, user, nothingDone));
  }
  const environment = directoryEnvironment(
    decided.map(({ directory }) => directory),
    bases,
  );
  return { directories: all, environment };
}

/** @returns the tree, open, where it is in its place with its links and its mode */
async function settledTree(
  parts: RoomParts,
  base: HeldDirectory,
  directory: RequestedDirectory,
  user: DirectoryUser,
  options: PrepareOptions,
): Promise<Tree | undefined> {
  const layout = layoutNow(parts, directory, user, options);
  const isPart = directory.below !== undefined;
  const [opened, linked] = await Promise.allSettled([
    openSettled(base, directory, layout),
    hasLinks(base, layout, isPart),
  ]);
  if (opened.status === 'rejected') {
    throw opened.reason;
  }
  const top = opened.value;
  // Links that cannot be looked at are the long way's to complain of.
  const isLinked = linked.status === 'fulfilled' && linked.value;
  if (top === undefined) {
    return undefined;
  }
  if (isLinked && (await hasMode(top, layout.mode))) {
    return { directory, layout, top, fresh: false };
  }
  top.close();
  return undefined;
}

async function hasMode(top: HeldDirectory, mode: number): Promise<boolean> {
  try {
    return ((await top.status()).mode & 0o7777) === mode;
  } catch (error) {
    top.close();
    throw error;
  }
}

/** Opens the directories down to a tree, and looks whether the boundary is one and none above the tree is changing hands. */
async function openSettled(
  base: HeldDirectory,
  { kind }: RequestedDirectory,
  { tree }: Layout,
): Promise<HeldDirectory | undefined> {
  let top: HeldDirectory = base;
  for (const [depth, name] of tree.entries()) {
    const below: HeldDirectory | undefined = await top.open(name).finally(() => closeUnless(top, base));
    if (below === undefined) {
      return undefined;
    }
    top = below;
    if (depth === tree.length - 1) {
      break;
    }
    try {
      if (name === BOUNDARY && depth === 0) {
        await checkBoundary(top, DIRECTORY_CLASSES[kind].field);
      } else if (await isChangingHands(top)) {
        top.close();
        return undefined;
      }
    } catch (error) {
      top.close();
      throw error;
    }
  }
  return top;
}

/** The mark of a handover that is under way, or was interrupted; the helper that makes it is its one owner. */
async function isChangingHands(directory: HeldDirectory): Promise<boolean> {
  const { uid, gid } = await directory.status();
  return uid === 0 && gid === MAPPED_ID;
}

function closeUnless(directory: HeldDirectory, base: HeldDirectory): void {
  if (directory !== base) {
    directory.close();
  }
}

async function hasLinks(base: HeldDirectory, layout: Layout, isPart: boolean): Promise<boolean> {
  const [counterpart, ...aliases] = await Promise.all([
    isPart ? ({ kind: 'nothing' } as const) : findWhat(base, layout.counterpart),
    ...layout.aliases.map(link => findWhat(base, link.components)),
  ]);
  // What is at the tree's own place was opened, and is a directory.
  const placement = decidePlacement(layout, isPart, { kind: 'directory' }, counterpart);
  const isPlaced = placement.kind === 'keep' && placement.link === 'none';
  return isPlaced && aliases.every((found, at) => isKept(layout, at, found));
}

function isKept(layout: Layout, at: number, found: Awaited<ReturnType<typeof findWhat>>): boolean {
  const link = layout.aliases[at];
  return link !== undefined && decideLink('', link, found) === 'keep';
}

function isRefused(
  user: DirectoryUser,
  directories: readonly RequestedDirectory[],
  { directories: wanted }: PreparedDirectories,
  options: PrepareOptions,
): boolean {
  try {
    refuseAborted(options.signal, directories);
    refuseShared(user, wanted, options);
    return false;
  } catch {
    return true;
  }
}
