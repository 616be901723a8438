/**
 * The plan for the directories of a request: what is where, what has to be moved, made, linked and given, or why that is
 * refused. Acquire carries it out, after it was made once more under the locks; Explain prints it. Looks, and changes nothing.
 */

import type { DirectoryUser, PrepareOptions } from '../../allocator/directory-ports.ts';
import type { RequestedDirectory } from '../../core/directory.ts';
import { type Survey, survey } from '../apply/place.ts';
import { checkBoundary } from '../apply/private-directory.ts';
import { BOUNDARY, DIRECTORY_CLASSES } from '../classes.ts';
import { handoverOf, isToExpose, layoutNow, type RoomParts, refuseShared } from '../decided.ts';
import type { HeldDirectory } from '../held-directory.ts';
import { openTree } from '../observe/path.ts';
import { type OpenBases, openAbove } from '../open-bases.ts';
import { decideHandover, type Handover, wouldMap } from './handover.ts';
import type { Layout } from './layout.ts';

/** What there is of a tree now. */
export interface PresentTree {
  /** where it is, as components below the base */
  readonly components: readonly string[];
  readonly uid: number;
  readonly gid: number;
  /** permission bits */
  readonly mode: number;
  readonly device: string;
  readonly inode: string;
}

export interface PlannedTree {
  readonly directory: RequestedDirectory;
  readonly layout: Layout;
  readonly steps: Survey;
  /** absent if there is none yet */
  readonly present?: PresentTree;
  readonly handover: Handover;
}

export interface DirectoryPlan {
  /** in the order of the request, each one after those that it is below */
  readonly trees: readonly PlannedTree[];
  /** whether nothing is to be done: a plan that is carried out by committing the lease */
  readonly isSettled: boolean;
}

/** What a plan depends on beside what is on the disk. */
export type PlanOptions = Pick<PrepareOptions, 'makesMounts' | 'verify' | 'live'>;

/** @throws DynuserError DirectoryFailed if the directories cannot be had, with the field and what to do */
export async function planDirectories(
  parts: RoomParts,
  open: OpenBases,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PlanOptions,
): Promise<DirectoryPlan> {
  refuseShared(user, directories, options);
  const trees: PlannedTree[] = [];
  for (const directory of directories) {
    trees.push(await planTree(parts, open, trees, directory, user, options));
  }
  const isSettled = !options.verify && trees.every(tree => isInPlace(tree) && !isToExpose(tree.directory, user));
  if (!isSettled || trees.some(({ layout }) => layout.isPrivate)) {
    await checkBoundaries(open, directories);
  }
  const wanted = trees.map(({ directory, handover }) => ({ ...directory, handover: handover.kind }));
  refuseShared(user, wanted, options);
  return { trees, isSettled };
}

async function planTree(
  parts: RoomParts,
  open: OpenBases,
  before: readonly PlannedTree[],
  directory: RequestedDirectory,
  user: DirectoryUser,
  options: PlanOptions,
): Promise<PlannedTree> {
  const layout = layoutNow(parts, directory, user, options);
  const base = await open.find(directory.kind);
  const outer = before.find(
    tree => tree.directory.kind === directory.kind && tree.directory.source === directory.below,
  );
  // A part of a tree that will be moved is still where that is.
  const isInCounterpart = outer?.steps.placement.kind === 'move';
  const steps = await survey(base, layout, directory, isInCounterpart);
  const components = isInCounterpart || steps.placement.kind === 'move' ? layout.counterpart : layout.tree;
  const top = base === undefined || steps.placement.kind === 'make' ? undefined : await openTree(base, components);
  try {
    const present = top === undefined ? undefined : await presentTree(top, components);
    const owner = present ?? { uid: 0, gid: 0 };
    const within = handoverOf(before, directory);
    const makesMounts = options.makesMounts && !directory.exposed;
    const facts = { owner, isPrivate: layout.isPrivate, makesMounts, ...(within === undefined ? {} : { within }) };
    const asks = wouldMap(facts, user) && within === undefined;
    const canMap = asks ? await canMapAt(parts, base, top, layout, directory) : true;
    const handover = decideHandover(facts, user, canMap);
    return { directory, layout, steps, ...(present === undefined ? {} : { present }), handover };
  } finally {
    top?.close();
  }
}

async function presentTree(top: HeldDirectory, components: readonly string[]): Promise<PresentTree> {
  const { uid, gid, mode } = await top.status();
  const { device, inode } = await top.identity();
  return { components, uid, gid, mode: mode & 0o7777, device, inode };
}

/** Of a tree that would be made, the nearest directory above its place stands for it: it is on the same file system. */
async function canMapAt(
  { helper, bases }: RoomParts,
  base: HeldDirectory | undefined,
  top: HeldDirectory | undefined,
  layout: Layout,
  { kind }: RequestedDirectory,
): Promise<boolean> {
  const { field } = DIRECTORY_CLASSES[kind];
  if (top !== undefined) {
    return helper.canMap(top, field);
  }
  if (base === undefined) {
    const above = await openAbove(bases[kind], field);
    return helper.canMap(above, field).finally(() => above.close());
  }
  for (let depth = layout.tree.length - 1; depth > 0; depth--) {
    const above = await openTree(base, layout.tree.slice(0, depth));
    if (above !== undefined) {
      return helper.canMap(above, field).finally(() => above.close());
    }
  }
  return helper.canMap(base, field);
}

function isInPlace({ steps, present, layout, handover }: PlannedTree): boolean {
  const { placement, links } = steps;
  const isPlaced = placement.kind === 'keep' && placement.link === 'none' && links.every(change => change === 'keep');
  return isPlaced && present?.mode === layout.mode && !handover.walk;
}

/** The locks of trees are in the boundaries, of runtime directories too. One that is missing is made when it is needed. */
async function checkBoundaries(open: OpenBases, directories: readonly RequestedDirectory[]): Promise<void> {
  for (const kind of new Set(directories.map(directory => directory.kind))) {
    const base = await open.find(kind);
    const boundary = await base?.open(BOUNDARY);
    if (boundary !== undefined) {
      await checkBoundary(boundary, DIRECTORY_CLASSES[kind].field).finally(() => boundary.close());
    }
  }
}

/** @returns the public path of the tree of the same request that a directory is a part of */
export function outerPath(trees: readonly PlannedTree[], { kind, below }: RequestedDirectory): string | undefined {
  return trees.find(({ directory }) => directory.kind === kind && directory.source === below)?.layout.publicPath;
}
