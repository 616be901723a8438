/**
 * The short way to directories that are as they are to be: in their places, with their links, the user's, with their
 * modes. Nothing is changed but what a mapped tree remembers, which is a hint; so nothing is locked. A tree that another process hands over is not taken for settled:
 * its top is marked for as long as that lasts. What this process does meanwhile is known by TreeWork.
 */

import type { DirectoriesOfLease, DirectoryUser, PrepareOptions } from '../../allocator/directory-ports.ts';
import type { RequestedDirectory, SeenDirectory } from '../../core/directory.ts';
import { DynuserError } from '../../core/errors.ts';
import { BOUNDARY, BOUNDARY_MODE, MAPPED_ID } from '../classes.ts';
import {
  handoverOf,
  isToExpose,
  layoutNow,
  preparedOf,
  type RoomParts,
  refuseAborted,
  refuseShared,
} from '../decided.ts';
import { lookAt, RoomLook, type Sight } from '../observe/look.ts';
import { openTree } from '../observe/path.ts';
import { withBases } from '../open-bases.ts';
import { directoryEnvironment } from '../plan/environment.ts';
import { decideHandover, type Handover, wouldMap } from '../plan/handover.ts';
import type { Layout } from '../plan/layout.ts';
import { decideLink, decidePlacement } from '../plan/placement.ts';

interface Settled {
  readonly directory: RequestedDirectory;
  readonly layout: Layout;
  readonly top: SeenDirectory;
  readonly handover: Handover;
}

/**
 * @returns what was committed; undefined where something is to be done to a directory, or cannot be had: the long way
 * does it, or says why
 */
export async function prepareSettled<T>(
  parts: RoomParts,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
  commit: (prepared: DirectoriesOfLease) => Promise<T>,
): Promise<{ readonly committed: T } | undefined> {
  if (options.verify || directories.some(directory => isToExpose(directory, user))) {
    return undefined;
  }
  const { look: given } = options;
  const own = given instanceof RoomLook && given.holds ? undefined : await lookAt(parts, directories);
  const look = own ?? (given instanceof RoomLook ? given : undefined);
  try {
    const settled = look && findSettled(parts, look, directories, user, options);
    if (look === undefined || settled === undefined || !(await remember(parts, settled, user))) {
      return undefined;
    }
    const prepared = preparedDirectories(parts, settled, user);
    if (!look.holds || isRefused(user, directories, prepared, options)) {
      return undefined;
    }
    // In the tick of these: no other request comes between.
    return { committed: await commit(prepared) };
  } finally {
    own?.end();
  }
}

/** Marks the mapped trees that another user had last. @returns whether they are still those that were seen */
async function remember(parts: RoomParts, settled: readonly Settled[], user: DirectoryUser): Promise<boolean> {
  const forgetful = settled.filter(tree => !remembers(tree, user));
  if (forgetful.length === 0) {
    return true;
  }
  try {
    return await markAll(parts, forgetful, user);
  } catch (error) {
    if (error instanceof DynuserError) {
      return false;
    }
    throw error;
  }
}

async function markAll(parts: RoomParts, forgetful: readonly Settled[], user: DirectoryUser): Promise<boolean> {
  return withBases(parts.bases, async open => {
    for (const tree of forgetful) {
      const base = await open.find(tree.directory.kind);
      const top = base === undefined ? undefined : await openTree(base, tree.layout.tree);
      if (top === undefined) {
        return false;
      }
      try {
        const { device, inode } = await top.identity();
        if (device !== tree.top.device || inode !== tree.top.inode) {
          return false;
        }
        await parts.marks.write(top.descriptor, user.uid);
      } finally {
        top.close();
      }
    }
    return true;
  });
}

/** Of a tree that has its owner on disk, that is who had it; of a part, its tree remembers. */
function remembers({ handover, directory, top }: Settled, user: DirectoryUser): boolean {
  const isMarked = top.mark === user.uid || top.mark === 'unsupported';
  return isMarked || handover.kind !== 'map' || directory.below !== undefined;
}

function preparedDirectories(
  { bases }: RoomParts,
  settled: readonly Settled[],
  user: DirectoryUser,
): DirectoriesOfLease {
  const nothingDone = { changed: 0, leftPaths: [], mountPaths: [] };
  const directories = settled.map(tree => preparedOf(bases, tree, tree.top, user, nothingDone));
  const environment = directoryEnvironment(
    settled.map(({ directory }) => directory),
    bases,
  );
  return { directories, environment };
}

function findSettled(
  parts: RoomParts,
  look: RoomLook,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
): readonly Settled[] | undefined {
  const settled: Settled[] = [];
  for (const directory of directories) {
    const sight = look.at(directory);
    const layout = layoutNow(parts, directory, user, options);
    const top = sight && settledTop(sight, layout, directory);
    const handover = top && settledHandover(parts, settled, { directory, layout, top }, user, options);
    if (top === undefined || handover === undefined) {
      return undefined;
    }
    settled.push({ directory, layout, top, handover });
  }
  return settled;
}

/** @returns the tree's top, where it is in its place with its links and its mode, and what is above it is as it is to be */
function settledTop(sight: Sight, layout: Layout, { below }: RequestedDirectory): SeenDirectory | undefined {
  const directories = sight.directories(layout.tree);
  const top = directories?.at(-1);
  if (directories === undefined || top?.mode !== layout.mode || !hasLinks(sight, layout, below !== undefined)) {
    return undefined;
  }
  const isClear = directories
    .slice(0, -1)
    .every((each, depth) =>
      layout.tree[depth] === BOUNDARY && depth === 0 ? isBoundary(each) : !isChangingHands(each),
    );
  return isClear ? top : undefined;
}

/** What checkBoundary() asks for. */
function isBoundary({ uid, gid, mode }: SeenDirectory): boolean {
  return uid === 0 && gid === 0 && (mode & ~BOUNDARY_MODE) === 0;
}

/** The mark of a handover that is under way, or was interrupted; the helper that makes it is its one owner. */
function isChangingHands({ uid, gid }: SeenDirectory): boolean {
  return uid === 0 && gid === MAPPED_ID;
}

function hasLinks(sight: Sight, layout: Layout, isPart: boolean): boolean {
  const counterpart = isPart ? ({ kind: 'nothing' } as const) : sight.what(layout.counterpart);
  if (counterpart === undefined) {
    return false;
  }
  const placement = decidePlacement(layout, isPart, { kind: 'directory' }, counterpart);
  const isPlaced = placement.kind === 'keep' && placement.link === 'none';
  return isPlaced && layout.aliases.every(link => isKept(sight, link));
}

function isKept(sight: Sight, link: Layout['aliases'][number]): boolean {
  const found = sight.what(link.components);
  return found !== undefined && decideLink('', link, found) === 'keep';
}

/** @returns how it is the user's already; undefined where it is not, or there is no telling */
function settledHandover(
  { helper }: RoomParts,
  before: readonly Settled[],
  { directory, layout, top }: Omit<Settled, 'handover'>,
  user: DirectoryUser,
  options: PrepareOptions,
): Handover | undefined {
  const within = handoverOf(before, directory);
  const makesMounts = options.makesMounts && !directory.exposed;
  const facts = { owner: top, isPrivate: layout.isPrivate, makesMounts, ...(within === undefined ? {} : { within }) };
  const asks = wouldMap(facts, user) && within === undefined;
  const canMap = asks ? helper.couldMap(Number(top.device)) : true;
  const handover = canMap === undefined ? undefined : decideHandover(facts, user, canMap);
  return handover?.walk === true ? undefined : handover;
}

function isRefused(
  user: DirectoryUser,
  directories: readonly RequestedDirectory[],
  { directories: wanted }: DirectoriesOfLease,
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
