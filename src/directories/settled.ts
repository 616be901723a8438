/**
 * The short way to directories that are as they are to be: in their places, with their links, the user's, with their
 * modes. Nothing is changed, so that nothing is locked. A tree that another process hands over is not taken for settled:
 * its top is marked for as long as that lasts. What this process does meanwhile is known by TreeWork. Pure, but for the look.
 */
import type { RequestedDirectory, SeenDirectory } from '../core/directory.ts';
import type {
  DirectoryUser,
  PreparedDirectories,
  PreparedDirectory,
  PrepareOptions,
} from '../service/directory-ports.ts';
import { BOUNDARY, BOUNDARY_MODE, MAPPED_ID } from './classes.ts';
import {
  handoverOf,
  isToExpose,
  layoutNow,
  preparedOf,
  type RoomParts,
  refuseAborted,
  refuseShared,
} from './decided.ts';
import { directoryEnvironment } from './environment.ts';
import { decideHandover, type Handover, wouldMap } from './handover.ts';
import type { Layout } from './layout.ts';
import { lookAt, RoomLook, type Sight } from './look.ts';
import { decideLink, decidePlacement } from './placement.ts';

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
  commit: (prepared: PreparedDirectories) => T,
): Promise<{ readonly committed: T } | undefined> {
  if (options.verify || directories.some(directory => isToExpose(directory, user))) {
    return undefined;
  }
  const { look: given } = options;
  const own = given instanceof RoomLook && given.holds ? undefined : await lookAt(parts, directories);
  const look = own ?? (given instanceof RoomLook ? given : undefined);
  try {
    const prepared = look && findSettled(parts, look, directories, user, options);
    if (!look?.holds || prepared === undefined || isRefused(user, directories, prepared, options)) {
      return undefined;
    }
    // In the tick of that answer: no other request comes between.
    return { committed: commit(prepared) };
  } finally {
    own?.end();
  }
}

function findSettled(
  parts: RoomParts,
  look: RoomLook,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
): PreparedDirectories | undefined {
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
  const nothingDone = { changed: 0, leftPaths: [], mountPaths: [] };
  const prepared: PreparedDirectory[] = settled.map(tree => preparedOf(parts.bases, tree, tree.top, user, nothingDone));
  return { directories: prepared, environment: directoryEnvironment(directories, parts.bases) };
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

/** @returns how it is the user's already; undefined where it is not, does not remember the user, or there is no telling */
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
  if (handover === undefined || handover.walk) {
    return undefined;
  }
  const remembers = handover.kind !== 'map' || directory.below !== undefined;
  return remembers || top.mark === user.uid || top.mark === 'unsupported' ? handover : undefined;
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
