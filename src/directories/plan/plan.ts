/**
 * The plan for the directories of a request: what has to be moved, made, linked and given, or why that is refused. Acquire
 * carries it out, after it made it once more under the locks; Explain prints it. If it is empty, nothing has to be done, and
 * nothing is locked. Pure.
 */
import type { DirectoryUser, HandoverOptions } from '../../allocator/directory-ports.ts';
import type { DirectoriesInUse, DirectoryStatus, HandoverKind, RequestedDirectory } from '../../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES, MAPPED_ID, PRIVATE } from '../../core/directory-classes.ts';
import { directoryFailed } from '../errors.ts';
import type { PathSnapshot } from '../observe/snapshot.ts';
import { decideHandover, type Handover, type TreeFacts, wouldMap } from './handover.ts';
import { exposedLayoutOf, type Layout, layoutOf } from './layout.ts';
import { type Placement, planPlacement } from './placement.ts';
import { checkPrivateParent } from './private-parent.ts';
import { isExposed, refuseSharing } from './sharing.ts';

/** What a plan is made from. */
export interface ObservedDirectories {
  of(directory: RequestedDirectory): PathSnapshot;
  /** of the directories that mayMap() names, those whose file system makes id-mapped mounts */
  readonly mappable: ReadonlySet<RequestedDirectory>;
}

export interface PlanRequest extends HandoverOptions {
  /** each one after those that it is below */
  readonly directories: readonly RequestedDirectory[];
  readonly user: DirectoryUser;
}

/** What there is of a tree now. */
export interface PresentTree extends DirectoryStatus {
  /** where it is, as components below the base */
  readonly components: readonly string[];
}

/** How a tree gets where it belongs. */
export interface PlannedPlace {
  readonly directory: RequestedDirectory;
  readonly layout: Layout;
  readonly placement: Placement;
  /** absent if there is none yet */
  readonly present?: PresentTree;
}

export interface PlannedTree extends PlannedPlace {
  readonly handover: Handover;
}

export interface DirectoryPlan {
  /** in the order of the request */
  readonly trees: readonly PlannedTree[];
  /** whether nothing has to be done to any of them */
  readonly isEmpty: boolean;
}

/**
 * @param live the live leases
 * @throws DynuserError DirectoryFailed if the directories cannot be had, with the field and what to do
 */
export function planDirectories(
  bases: BaseDirectories,
  observed: ObservedDirectories,
  request: PlanRequest,
  live: readonly DirectoriesInUse[],
): DirectoryPlan {
  const { directories, user } = request;
  refuseShared(request, live);
  const trees: PlannedTree[] = [];
  for (const directory of directories) {
    trees.push(planTree(bases, observed, trees, directory, request, live));
  }
  const isInPlace = trees.every(tree => !isToExpose(tree.directory, user) && isUnchanged(tree, observed));
  const isEmpty = !request.verify && isInPlace;
  // The locks of directories are there, too.
  if (!isEmpty || trees.some(({ layout }) => layout.isPrivate)) {
    checkPrivateParents(observed, trees);
  }
  refuseShared(request, live, trees);
  return { trees, isEmpty };
}

/**
 * @param trees the plan, once there is one
 * @throws DynuserError DirectoryFailed if a live lease keeps the request from one of its directories
 */
export function refuseShared(
  { directories, user, makesMounts }: PlanRequest,
  live: readonly DirectoriesInUse[],
  trees?: readonly PlannedTree[],
): void {
  const wanted = directories.map((directory, index) => {
    const handover = trees?.[index]?.handover.kind;
    return { ...directory, exposed: isToExpose(directory, user), ...(handover === undefined ? {} : { handover }) };
  });
  const refusal = refuseSharing(user.name, wanted, makesMounts, live);
  if (refusal !== undefined) {
    throw directoryFailed(refusal.field, refusal.reason);
  }
}

/** @returns whether the directory is at its public path while the user has it, and private before and after */
export function isToExpose(directory: Pick<RequestedDirectory, 'exposed'>, user: DirectoryUser): boolean {
  return directory.exposed && user.dynamic;
}

/** Where a tree is handed over: at its private path, unless live processes have it at its public path already. */
function layoutNow(
  bases: BaseDirectories,
  directory: RequestedDirectory,
  user: DirectoryUser,
  live: readonly DirectoriesInUse[],
): Layout {
  return isToExpose(directory, user) && isExposed(directory, live)
    ? exposedLayoutOf(directory, bases)
    : layoutOf(directory, user.dynamic, bases);
}

function planTree(
  bases: BaseDirectories,
  observed: ObservedDirectories,
  before: readonly PlannedTree[],
  directory: RequestedDirectory,
  request: PlanRequest,
  live: readonly DirectoriesInUse[],
): PlannedTree {
  const layout = layoutNow(bases, directory, request.user, live);
  const place = planPlace(observed.of(directory), before, directory, layout);
  const outer = outerTree(before, directory);
  const facts = factsOf(directory, layout, request, place.present, outer?.handover.kind);
  const canMap = outer === undefined ? observed.mappable.has(directory) : true;
  return { ...place, handover: decideHandover(facts, request.user, canMap) };
}

/**
 * @param before those of the same request that the directory may be a part of
 * @throws DynuserError DirectoryFailed if something is in the way
 */
export function planPlace(
  paths: PathSnapshot,
  before: readonly PlannedPlace[],
  directory: RequestedDirectory,
  layout: Layout,
): PlannedPlace {
  // A part of a tree that will be moved is still where that is.
  const isInCounterpart = outerTree(before, directory)?.placement.tree === 'move';
  const placement = planPlacement(paths, layout, directory, isInCounterpart);
  const components = isInCounterpart || placement.tree === 'move' ? layout.counterpart : layout.tree;
  const present = placement.tree === 'make' ? undefined : presentTree(paths, components);
  return { directory, layout, placement, ...(present === undefined ? {} : { present }) };
}

function presentTree(paths: PathSnapshot, components: readonly string[]): PresentTree | undefined {
  const status = paths.at(components);
  return status.kind === 'directory' ? { ...status, components } : undefined;
}

function factsOf(
  directory: RequestedDirectory,
  { isPrivate }: Layout,
  { makesMounts }: PlanRequest,
  present: DirectoryStatus | undefined,
  within: HandoverKind | undefined,
): TreeFacts {
  return {
    owner: present ?? { uid: 0, gid: 0 },
    isPrivate,
    makesMounts: makesMounts && !directory.exposed,
    ...(within === undefined ? {} : { within }),
  };
}

/**
 * @param present the top of the tree, if there is one
 * @returns whether the plan depends on whether the file system makes id-mapped mounts
 */
export function mayMap(
  directory: RequestedDirectory,
  layout: Layout,
  request: PlanRequest,
  present: DirectoryStatus | undefined,
): boolean {
  return (
    directory.below === undefined && wouldMap(factsOf(directory, layout, request, present, undefined), request.user)
  );
}

function isUnchanged(tree: PlannedTree, observed: ObservedDirectories): boolean {
  const { directory, placement, present, layout, handover } = tree;
  const isPlaced = placement.tree === 'keep' && placement.unlink.length === 0 && placement.link.length === 0;
  if (!isPlaced || present?.mode !== layout.mode || handover.walk) {
    return false;
  }
  const above = observed.of(directory).directoriesAlong(layout.tree).slice(0, -1);
  return !above.some(isInTransition);
}

/** A handover is under way, or was interrupted: it begins with this owner, and the helper that makes it is the only one. */
function isInTransition({ uid, gid }: DirectoryStatus): boolean {
  return uid === 0 && gid === MAPPED_ID;
}

function checkPrivateParents(observed: ObservedDirectories, trees: readonly PlannedTree[]): void {
  const checked = new Set<string>();
  for (const { directory, layout } of trees) {
    const closed = layout.tree[0] === PRIVATE ? layout.tree : layout.counterpart;
    const [parent] = checked.has(layout.base) ? [] : observed.of(directory).directoriesAlong(closed);
    checked.add(layout.base);
    if (parent !== undefined) {
      checkPrivateParent(`${layout.base}/${PRIVATE}`, parent, DIRECTORY_CLASSES[directory.kind].field);
    }
  }
}

/** @returns the tree of the same request that a directory is a part of */
export function outerTree<Tree extends PlannedPlace>(
  trees: readonly Tree[],
  { kind, below }: RequestedDirectory,
): Tree | undefined {
  return trees.find(({ directory }) => directory.kind === kind && directory.source === below);
}
