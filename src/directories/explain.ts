/** Prints the plan for the directories of a request: what a handover would be, and how many inodes it would change. */

import type { DirectoryUser, ExpectedHandover } from '../allocator/directory-ports.ts';
import type { RequestedDirectory } from '../core/directory.ts';
import { asUid } from '../core/ids.ts';
import { DIRECTORY_CLASSES } from './classes.ts';
import { isToExpose, type RoomParts } from './decided.ts';
import type { HeldDirectory } from './held-directory.ts';
import { COUNT_DEADLINE_MS } from './limits.ts';
import { openTree } from './observe/path.ts';
import { type OpenBases, withBases } from './open-bases.ts';
import type { Handover } from './plan/handover.ts';
import { exposedLayoutOf } from './plan/layout.ts';
import { outerPath, type PlannedTree, type PlanOptions, planDirectories } from './plan/plan.ts';
import type { TreeCounts, TreeHelper } from './tree-helper.ts';

/** @throws DynuserError DirectoryFailed if the plan is a refusal */
export async function expectHandovers(
  parts: RoomParts,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: PlanOptions,
): Promise<readonly ExpectedHandover[]> {
  return withBases(parts.bases, async open => {
    const { trees } = await planDirectories(parts, open, directories, user, options);
    const expected: ExpectedHandover[] = [];
    for (const tree of trees) {
      const { kind, source, readOnly, aliases } = tree.directory;
      const { publicPath, realPath } = isToExpose(tree.directory, user)
        ? exposedLayoutOf(tree.directory, parts.bases)
        : tree.layout;
      const outer = outerPath(trees, tree.directory);
      const within = outer === undefined ? {} : { within: outer };
      const counts = await countTree(parts.helper, open, tree, options.verify);
      const handover = tree.handover.kind;
      expected.push({ kind, source, publicPath, realPath, readOnly, aliases, ...within, handover, ...counts });
    }
    return expected;
  });
}

async function countTree(
  helper: TreeHelper,
  open: OpenBases,
  { directory, present, handover }: PlannedTree,
  verify: boolean,
): Promise<Pick<ExpectedHandover, 'owner' | 'inodes' | 'changes' | 'counted'>> {
  const base = await open.find(directory.kind);
  const top = present === undefined || base === undefined ? undefined : await openTree(base, present.components);
  if (present === undefined || top === undefined) {
    // It would be made.
    return { inodes: 0, changes: 1, counted: 'all' };
  }
  try {
    const { inodes, changed, counted } = await countWithin(
      helper,
      top,
      handover,
      DIRECTORY_CLASSES[directory.kind].field,
    );
    const owner = asUid(present.uid);
    return {
      ...(owner === undefined ? {} : { owner }),
      inodes,
      changes: handover.walk || verify ? changed : 0,
      counted,
    };
  } finally {
    top.close();
  }
}

async function countWithin(
  helper: TreeHelper,
  top: HeldDirectory,
  { uid, gid }: Handover,
  field: string,
): Promise<TreeCounts & { readonly counted: 'all' | 'some' }> {
  const deadline = AbortSignal.timeout(COUNT_DEADLINE_MS);
  let counts: TreeCounts = { inodes: 0, changed: 0 };
  const onProgress = (progress: TreeCounts) => {
    counts = progress;
  };
  try {
    const { inodes, changed } = await helper.count(top, uid, gid, { field, onProgress, signal: deadline });
    return { inodes, changed, counted: 'all' };
  } catch (error) {
    if (deadline.aborted) {
      return { ...counts, counted: 'some' };
    }
    throw error;
  }
}
