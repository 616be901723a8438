/**
 * The plan for the directories of a request: what has to be moved, made, linked and given, or why that is refused. Acquire
 * carries it out, after it made it once more under the locks; Explain prints it. If it is empty, nothing has to be done, and
 * nothing is locked. Pure.
 */
import type { DirectoryUser, HandoverOptions } from '../../allocator/directory-ports.ts';
import type {
  DirectoriesInUse,
  DirectoryKind,
  DirectoryStatus,
  HandoverKind,
  RequestedDirectory,
} from '../../core/directory.ts';
import {
  type BaseDirectories,
  DIRECTORY_CLASSES,
  MAPPED_ID,
  PRIVATE,
  PRIVATE_MODE,
} from '../../core/directory-classes.ts';
import { directoryFailed } from '../errors.ts';
import type { PathSnapshot } from '../observe/snapshot.ts';
import { decideHandover, type Handover, type TreeFacts, wouldMap } from './handover.ts';
import { exposedLayoutOf, type Layout, layoutOf, relativePath } from './layout.ts';
import { inTheWay, type LinkAt, type Placement, planPlacement } from './placement.ts';
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
  /** undefined if the tree is to be made */
  readonly present: PresentTree | undefined;
}

export interface PlannedTree extends PlannedPlace {
  readonly handover: Handover;
}

export interface InnerLink extends LinkAt {
  readonly kind: DirectoryKind;
}

export interface DirectoryPlan {
  /** in the order of the request */
  readonly trees: readonly PlannedTree[];
  /** aliases that have to be made in trees, once all of these are in their places */
  readonly innerLinks: readonly InnerLink[];
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
  const innerLinks = directories.flatMap(directory => planInnerLinks(observed.of(directory), trees, directory));
  // Only the helper sees whether a quota is right.
  const hasQuota = directories.some(({ quota }) => quota !== undefined);
  const isEmpty = !request.verify && isInPlace && innerLinks.length === 0 && !hasQuota;
  // The locks of directories are there, too.
  if (!isEmpty || trees.some(({ layout }) => layout.isPrivate)) {
    checkPrivateParents(observed, trees);
  }
  refuseShared(request, live, trees);
  return { trees, innerLinks, isEmpty };
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
    return { ...directory, exposed: isToExpose(directory, user), handover: trees?.[index]?.handover.kind };
  });
  const refusal = refuseSharing(user.name, wanted, makesMounts, live);
  if (refusal !== undefined) {
    throw refusal;
  }
}

/** @returns whether the directory is at its public path while the user has it, and private before and after */
export function isToExpose(directory: Pick<RequestedDirectory, 'exposed'>, user: DirectoryUser): boolean {
  return directory.exposed && user.dynamic;
}

function planTree(
  bases: BaseDirectories,
  observed: ObservedDirectories,
  before: readonly PlannedTree[],
  directory: RequestedDirectory,
  request: PlanRequest,
  live: readonly DirectoriesInUse[],
): PlannedTree {
  const { user } = request;
  // Live processes may have it at its public path already.
  const layout =
    isToExpose(directory, user) && isExposed(directory, live)
      ? exposedLayoutOf(directory, bases)
      : layoutOf(directory, user.dynamic, bases);
  const place = planPlace(observed.of(directory), before, directory, layout);
  const outer = outerTree(before, directory);
  const facts = factsOf(directory, layout, request, place.present, outer?.handover.kind);
  const canMap = outer === undefined ? observed.mappable.has(directory) : true;
  return { ...place, handover: decideHandover(facts, user, canMap) };
}

/**
 * The text is that of a link between the public paths: the private ones lie to each other as these do.
 * @throws DynuserError DirectoryFailed if something else is in the place of an alias
 */
function planInnerLinks(
  paths: PathSnapshot,
  trees: readonly PlannedTree[],
  { kind, source, innerAliases = [] }: RequestedDirectory,
): InnerLink[] {
  return innerAliases.flatMap(({ path, within }) => {
    const holder = trees.find(({ directory }) => directory.kind === kind && directory.source === within);
    if (holder === undefined) {
      throw new TypeError(`${path} is in no directory of the request`);
    }
    const { layout, present } = holder;
    const place = path.split('/');
    const rest = place.slice(within.split('/').length);
    const text = textOf(place, source.split('/'));
    const found = present === undefined ? { kind: 'nothing' as const } : paths.at([...present.components, ...rest]);
    if (found.kind === 'link' && found.text === text) {
      return [];
    }
    if (found.kind !== 'nothing') {
      throw inTheWay(DIRECTORY_CLASSES[kind].field, `${layout.realPath}/${rest.join('/')}`, found);
    }
    return [{ kind, components: [...layout.tree, ...rest], text }];
  });
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
  const found = placement.tree === 'make' ? undefined : paths.at(components);
  const present = found?.kind === 'directory' ? { ...found, components } : undefined;
  return { directory, layout, placement, present };
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
    within,
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

/**
 * Nobody but root gets to <base>/private, which the private directories are in.
 * @param path of it, for errors
 * @throws DynuserError DirectoryFailed if it is not root's, or others may enter
 */
export function checkPrivateParent(
  path: string,
  { uid, gid, mode }: Pick<DirectoryStatus, 'uid' | 'gid' | 'mode'>,
  field: string,
): void {
  if (uid !== 0 || gid !== 0) {
    throw directoryFailed(field, `${path} belongs to ${uid}:${gid}: chown it to root:root`);
  }
  if ((mode & ~PRIVATE_MODE) !== 0) {
    const bits = mode.toString(8).padStart(4, '0');
    throw directoryFailed(field, `${path} has the mode ${bits}, and others may enter: chmod it to 0700`);
  }
}

/** @returns the tree of the same request that a directory is a part of */
export function outerTree<Tree extends PlannedPlace>(
  trees: readonly Tree[],
  { kind, below }: RequestedDirectory,
): Tree | undefined {
  return trees.find(({ directory }) => directory.kind === kind && directory.source === below);
}

/** In the tree of the directory itself it is the shortest way up, as with systemd. */
function textOf(place: readonly string[], target: readonly string[]): string {
  const isInside = target.every((name, index) => place[index] === name);
  const up = place.length - 1 - target.length;
  return !isInside ? relativePath(place, target) : up === 0 ? '.' : Array<string>(up).fill('..').join('/');
}

/** @returns what the caller is told of a directory, whether it has it or is to know what it would get */
export function describeTree(
  { directory, layout, handover }: PlannedTree,
  user: DirectoryUser,
  bases: BaseDirectories,
) {
  const { kind, source, aliases, innerAliases = [], coveredAliases = [], readOnly, below } = directory;
  const { publicPath, realPath } = isToExpose(directory, user) ? exposedLayoutOf(directory, bases) : layout;
  const otherNames = { inner: innerAliases.map(({ path }) => path), covered: coveredAliases };
  return {
    ...{ kind, source, publicPath, realPath, readOnly, aliases, handover: handover.kind },
    ...(innerAliases.length + coveredAliases.length === 0 ? {} : { otherNames }),
    ...(below === undefined ? {} : { within: `${layout.base}/${below}` }),
  };
}
