/** Explains the plan for the directories of a request: what a handover would be, and how many inodes it would change. */
import type { DirectoryUser, ExpectedHandover, HandoverOptions } from '../allocator/directory-ports.ts';
import type { DirectoriesInUse, RequestedDirectory } from '../core/directory.ts';
import { asUid } from '../core/ids.ts';
import type { DirectoryDeps } from './deps.ts';
import { OpenBases } from './held-directory.ts';
import { COUNT_DEADLINE_MS } from './limits.ts';
import { makePlan } from './make-plan.ts';
import { inspect } from './observe/inspect.ts';
import { openTree } from './observe/path.ts';
import { describeTree, type PlannedTree } from './plan/plan.ts';
import type { TreeCounts, TreeHelper } from './tree-helper.ts';

/**
 * @param countMs how long a tree is counted, in milliseconds
 * @throws DynuserError DirectoryFailed if the plan is a refusal
 */
export async function explainDirectories(
  deps: DirectoryDeps,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: HandoverOptions & { readonly live: () => readonly DirectoriesInUse[] },
  countMs: number = COUNT_DEADLINE_MS,
): Promise<readonly ExpectedHandover[]> {
  using bases = new OpenBases(deps.bases);
  using snapshot = await inspect(deps, directories);
  const { trees } = await makePlan(deps, bases, snapshot, { ...options, directories, user }, options.live);
  const expected: ExpectedHandover[] = [];
  for (const tree of trees) {
    const counts = await countTree(deps.helper, bases, tree, options.verify, countMs);
    expected.push({ ...describeTree(tree, user, deps.bases), ...counts });
  }
  return expected;
}

async function countTree(
  helper: TreeHelper,
  bases: OpenBases,
  { directory, present, handover }: PlannedTree,
  verify: boolean,
  countMs: number,
): Promise<Pick<ExpectedHandover, 'owner' | 'inodes' | 'changes' | 'counted'>> {
  const base = await bases.find(directory.kind);
  using top = present && base && (await openTree(base, present.components));
  if (present === undefined || top === undefined) {
    // It would be made.
    return { inodes: 0, changes: 1, counted: 'all' };
  }
  const deadline = AbortSignal.timeout(countMs);
  let counts: TreeCounts = { inodes: 0, changed: 0 };
  const onProgress = (progress: TreeCounts) => {
    counts = progress;
  };
  let counted: ExpectedHandover['counted'] = 'all';
  try {
    counts = await helper.count(top, handover.uid, handover.gid, { onProgress, signal: deadline });
  } catch (error) {
    if (!deadline.aborted) {
      throw error;
    }
    counted = 'some';
  }
  const owner = asUid(present.uid);
  const changes = handover.walk || verify ? counts.changed : 0;
  return { ...(owner === undefined ? {} : { owner }), inodes: counts.inodes, changes, counted };
}
