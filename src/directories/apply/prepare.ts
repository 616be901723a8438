/**
 * Prepares the directories of a request by its plan. If the plan is empty, nothing is changed but the owner hints, and nothing
 * is locked. If it is not, all trees are locked and the plan is made again, all are put in their places, and only then one
 * after the other is handed over: up to there everything can be taken back, and is.
 */
import { statfs } from 'node:fs/promises';
import type {
  DirectoryUser,
  HandoverProgress,
  PreparedDirectories,
  PreparedDirectory,
  PrepareOptions,
} from '../../allocator/directory-ports.ts';
import { DIRECTORY_KINDS, type DirectoryQuota, type RequestedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES } from '../../core/directory-classes.ts';
import { Scope } from '../../core/scope.ts';
import type { DirectoryDeps } from '../deps.ts';
import { directoryFailed } from '../errors.ts';
import type { HeldDirectory, OpenBases } from '../held-directory.ts';
import { openBasesFor } from '../in-memory.ts';
import { PROGRESS_SILENCE_MS } from '../limits.ts';
import { makePlan } from '../make-plan.ts';
import { inspect } from '../observe/inspect.ts';
import { openTree } from '../observe/path.ts';
import { RequestSnapshot } from '../observe/snapshot.ts';
import {
  type DirectoryPlan,
  describeTree,
  isToExpose,
  type PlannedTree,
  type PlanRequest,
  refuseShared,
} from '../plan/plan.ts';
import { directoryEnvironment } from '../plan/request.ts';
import { isUnshared } from '../plan/sharing.ts';
import type { TreeResult } from '../tree-helper.ts';
import { lockTrees } from './lock.ts';
import { placeAll } from './place.ts';
import { publish } from './publish.ts';

type Request = PlanRequest & PrepareOptions;

const PERMYRIAD = 10_000;

export async function prepareDirectories(
  deps: DirectoryDeps,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PrepareOptions,
): Promise<PreparedDirectories> {
  const request = { ...options, directories, user };
  return (await prepareUnlocked(deps, request)) ?? (await prepareLocked(deps, request));
}

/**
 * Nothing is made before there is a plan: a request that is refused leaves not even an empty <base>/private.
 * @returns undefined if the plan is not empty, or that cannot be decided without the locks
 */
async function prepareUnlocked(deps: DirectoryDeps, request: Request): Promise<PreparedDirectories | undefined> {
  const { directories, live, snapshot: given } = request;
  refuseShared(request, live());
  await using scope = new Scope();
  const bases = scope.use(openBasesFor(deps.bases, directories));
  const isUsable = given instanceof RequestSnapshot && given.isCurrent && given.covers(directories);
  const snapshot = isUsable ? given : scope.use(await inspect(deps, directories));
  if (!snapshot.isCurrent) {
    // This process works on one of them: what was observed may be half done.
    return undefined;
  }
  const plan = await makePlan(deps, bases, snapshot, request, live);
  refuseAborted(request);
  if (!plan.isEmpty || !(await writeHints(deps, bases, plan, request.user)) || !snapshot.isCurrent) {
    return undefined;
  }
  const prepared = plan.trees.flatMap(tree =>
    tree.present === undefined ? [] : [preparedOf(deps, tree, tree.present, request.user, NOTHING_DONE)],
  );
  return ready(deps, request, prepared, scope.move(), {
    commit() {
      refuseAborted(request);
      if (!snapshot.isCurrent) {
        throw directoryFailed(fieldOf(request), 'the directories were changed at the same moment: try again');
      }
      refuseShared(request, live(), plan.trees);
    },
    publish: async () => {},
  });
}

async function prepareLocked(deps: DirectoryDeps, request: Request): Promise<PreparedDirectories> {
  const { directories, user } = request;
  refuseAborted(request);
  const end = new AbortController();
  const { signal } = end;
  const giveUp = () => end.abort();
  // AbortSignal.any() takes four times as long.
  request.signal?.addEventListener('abort', giveUp);
  const watched = { ...request, signal };
  await using scope = new Scope();
  scope.defer(deps.activity.begin(directories));
  const [first] = directories;
  const onProgress =
    first && request.onProgress && heartbeat(`${deps.bases[first.kind]}/${first.source}`, request.onProgress, scope);
  const bases = scope.use(openBasesFor(deps.bases, directories));
  for (const kind of DIRECTORY_KINDS) {
    const sources = directories.filter(directory => directory.kind === kind).map(directory => directory.source);
    if (sources.length > 0) {
      scope.use(await lockTrees(await bases.make(kind), sources, giveUp));
    }
  }
  // What was observed without the locks may have changed.
  using snapshot = await inspect(deps, directories);
  const plan = await makePlan(deps, bases, snapshot, request, request.live);
  const tops = await placeAll(bases, plan.trees, plan.innerLinks);
  for (const top of tops.values()) {
    scope.use(top);
  }
  const prepared: PreparedDirectory[] = [];
  for (const [tree, top] of tops) {
    refuseAborted(watched);
    const result = await handOver(deps, tree, top, { ...watched, onProgress });
    await limitTree(deps, tree, await bases.make(tree.directory.kind), top, signal);
    prepared.push(preparedOf(deps, tree, await top.status(), user, result));
  }
  refuseAborted(watched);
  const exposed = directories.filter(directory => isToExpose(directory, user));
  return ready(deps, request, prepared, scope.move(), {
    commit: () => refuseAborted(watched),
    publish: () => publish(deps, bases, exposed),
  });
}

function ready(
  { bases }: DirectoryDeps,
  { directories }: Request,
  prepared: readonly PreparedDirectory[],
  scope: Scope,
  steps: Pick<PreparedDirectories, 'commit' | 'publish'>,
): PreparedDirectories {
  return {
    directories: prepared,
    environment: directoryEnvironment(directories, bases),
    ...steps,
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}

/**
 * Says again how far a handover is while nothing happens: it may wait for another that works on the tree, or for its turn
 * among many, for longer than a caller stays with a daemon that is silent.
 * @param publicPath the directory that is told of until there is progress
 * @param scope at whose end it falls silent
 * @returns tells of progress
 */
export function heartbeat(
  publicPath: string,
  tell: (progress: HandoverProgress) => void,
  scope: Scope,
): (progress: HandoverProgress) => void {
  let last: HandoverProgress = { publicPath, inodes: 0, changed: 0 };
  const start = () => setInterval(() => tell(last), PROGRESS_SILENCE_MS);
  let timer = start();
  scope.defer(() => clearInterval(timer));
  return progress => {
    last = progress;
    clearInterval(timer);
    timer = start();
    tell(progress);
  };
}

const NOTHING_DONE = { changed: 0, leftPaths: [], mountPaths: [] };

/** Gives a tree that is in its place and locked to its user. @returns what was changed, and what was left alone */
async function handOver(
  { helper, hints }: DirectoryDeps,
  tree: PlannedTree,
  top: HeldDirectory,
  { user, verify, live, onProgress, signal }: Request,
): Promise<HandoverResult> {
  const { directory, layout, handover, present } = tree;
  const { uid, gid } = handover;
  let result: HandoverResult = NOTHING_DONE;
  if (present === undefined) {
    // It was made just now: it is empty, and root's, as are the directories above it.
    await top.give(uid, gid, layout.mode);
    result = { ...NOTHING_DONE, changed: 1 };
    // Processes of a live lease could change a tree while it is walked, and be in the way of the walk.
  } else if (handover.walk || (verify && isUnshared(directory, live()))) {
    const { publicPath } = layout;
    result = await helper.chown(top, uid, gid, layout.mode, {
      onProgress: counts => onProgress?.({ publicPath, ...counts }),
      signal,
    });
  } else if (present.mode !== layout.mode) {
    await top.setMode(layout.mode);
  }
  if (hasHint(tree)) {
    await hints.write(top.descriptor, user.uid);
  }
  return result;
}

/**
 * Bounds what a tree takes of its file system.
 * @param base the directory of its class: a share is a part of its file system, and statfs(2) of the tree would give what a quota leaves
 */
async function limitTree(
  { helper }: DirectoryDeps,
  { directory, layout }: PlannedTree,
  base: HeldDirectory,
  top: HeldDirectory,
  signal: AbortSignal,
): Promise<void> {
  const { quota, kind } = directory;
  if (quota === undefined) {
    return;
  }
  const { bytes, inodes } = await boundsOf(quota, base);
  const refusal = await helper.limit(top, bytes, inodes, { signal });
  // A quota that only counts bounds nothing, so it may fail.
  if (refusal === undefined || quota.kind === 'counted') {
    return;
  }
  const problem =
    refusal === 'project'
      ? `${layout.realPath} is in a project of an administrator's, or of a directory above it; bound that (setquota(8)), take the directory out of it (chattr -p 0),`
      : `the file system of ${layout.realPath} enforces no project quotas (${refusal.refused}); mount it with prjquota, ext4 after tune2fs -O project,quota,`;
  throw directoryFailed(`${DIRECTORY_CLASSES[kind].field}Quota`, `${problem} or leave the quota out`);
}

/** @returns 0 for what has no bound */
async function boundsOf(quota: DirectoryQuota, base: HeldDirectory): Promise<{ bytes: number; inodes: number }> {
  if (quota.kind !== 'share') {
    return { bytes: quota.kind === 'bytes' ? quota.bytes : 0, inodes: 0 };
  }
  const { blocks, bsize, files } = await statfs(`/proc/self/fd/${base.descriptor}`);
  const part = (whole: number) => Math.max(1, Math.floor((whole / PERMYRIAD) * quota.permyriad));
  return { bytes: part(blocks * bsize), inodes: part(files) };
}

type HandoverResult = Pick<TreeResult, 'changed' | 'leftPaths' | 'mountPaths'>;

/** A tree that has its owner on disk needs no hint; a part is found by the hint of its tree. */
function hasHint({ handover, directory }: PlannedTree): boolean {
  return handover.kind === 'map' && directory.below === undefined;
}

/**
 * Writes the owner hints of trees that are mapped already. It is all that an empty plan changes.
 * @returns false if a tree is not the one that was observed any more
 */
async function writeHints(
  { hints }: DirectoryDeps,
  bases: OpenBases,
  { trees }: DirectoryPlan,
  { uid }: DirectoryUser,
): Promise<boolean> {
  for (const tree of trees) {
    const { present, directory } = tree;
    if (present === undefined || !hasHint(tree) || present.ownerHint === uid || present.ownerHint === 'unsupported') {
      continue;
    }
    const base = await bases.find(directory.kind);
    using top = base && (await openTree(base, present.components));
    const status = await top?.status();
    if (top === undefined || status?.device !== present.device || status.inode !== present.inode) {
      return false;
    }
    await hints.write(top.descriptor, uid);
  }
  return true;
}

/** A tree as the caller is told of it, once it is the user's. @param top the status of its top */
function preparedOf(
  { bases }: DirectoryDeps,
  tree: PlannedTree,
  { device, inode }: Pick<PreparedDirectory, 'device' | 'inode'>,
  user: DirectoryUser,
  { changed, leftPaths, mountPaths }: HandoverResult,
): PreparedDirectory {
  const { directory, handover } = tree;
  return {
    ...describeTree(tree, user, bases),
    ...{ preserved: directory.preserved, exposed: isToExpose(directory, user), device, inode },
    ...{ diskUid: handover.uid, diskGid: handover.gid, changed, leftPaths, mountPaths },
  };
}

function fieldOf({ directories: [first] }: Request): string {
  return DIRECTORY_CLASSES[first?.kind ?? 'state'].field;
}

function refuseAborted(request: Request): void {
  if (request.signal?.aborted === true) {
    const reason = 'the handover was given up: the caller has gone, or the lock was lost; try again';
    throw directoryFailed(fieldOf(request), reason);
  }
}
