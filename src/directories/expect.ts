/** Looks at trees without changing them: what a handover would be. */

import type { HandoverKind, RequestedDirectory } from '../core/directory.ts';
import { asUid } from '../core/ids.ts';
import type { DirectoryUser, ExpectedHandover } from '../service/directory-ports.ts';
import { DIRECTORY_CLASSES } from './classes.ts';
import type { RoomParts } from './decided.ts';
import { decideFor } from './hand-over.ts';
import type { Handover } from './handover.ts';
import type { HeldDirectory } from './held-directory.ts';
import { exposedLayoutOf, type Layout, layoutOf } from './layout.ts';
import { COUNT_DEADLINE_MS } from './limits.ts';
import { openAbove, withBases } from './open-bases.ts';
import { openTree } from './path.ts';
import { survey } from './place.ts';
import type { TreeCounts, TreeHelper } from './tree-helper.ts';

/** The tree in its place, or where it would be moved from. */
export async function openEither(base: HeldDirectory, layout: Layout): Promise<HeldDirectory | undefined> {
  return (await openTree(base, layout.tree)) ?? (await openTree(base, layout.counterpart));
}

export async function expectHandovers(
  parts: RoomParts,
  directories: readonly RequestedDirectory[],
  user: DirectoryUser,
  options: { readonly makesMounts: boolean; readonly verify: boolean },
): Promise<readonly ExpectedHandover[]> {
  return withBases(parts.bases, async open => {
    const expected: ExpectedHandover[] = [];
    for (const directory of directories) {
      const { kind, source, below, readOnly, aliases } = directory;
      const outer = expected.find(other => other.kind === kind && other.source === below);
      const layout = layoutOf(directory, user.dynamic, parts.bases);
      const base = await open.find(kind);
      const tree = { directory, layout };
      if (base !== undefined) {
        await survey(base, layout, below !== undefined, DIRECTORY_CLASSES[kind].field);
      }
      const found = await (base === undefined
        ? expectBase(parts, tree, user, options.makesMounts, outer?.handover)
        : expectOne(parts.helper, base, tree, user, options, outer?.handover));
      const exposed = directory.exposed && user.dynamic;
      const { publicPath, realPath } = exposed ? exposedLayoutOf(directory, parts.bases) : layout;
      const within = outer === undefined ? {} : { within: outer.publicPath };
      expected.push({ kind, source, publicPath, realPath, readOnly, aliases, ...within, ...found });
    }
    return expected;
  });
}

type Expected = Pick<ExpectedHandover, 'handover' | 'owner' | 'inodes' | 'changes' | 'counted'>;

async function expectOne(
  helper: TreeHelper,
  base: HeldDirectory,
  tree: { readonly directory: RequestedDirectory; readonly layout: Layout },
  user: DirectoryUser,
  options: { readonly makesMounts: boolean; readonly verify: boolean },
  within: HandoverKind | undefined,
): Promise<Expected> {
  const top = await openEither(base, tree.layout);
  if (top === undefined) {
    return expectFresh(helper, base, tree, user, options.makesMounts, within);
  }
  try {
    const handover = await decideFor(helper, { ...tree, top }, user, options.makesMounts, within);
    const owner = asUid((await top.status()).uid);
    const counts = await countWithin(helper, top, handover, DIRECTORY_CLASSES[tree.directory.kind].field);
    const changes = handover.walk || options.verify ? counts.changed : 0;
    const { inodes, counted } = counts;
    return { handover: handover.kind, ...(owner === undefined ? {} : { owner }), inodes, changes, counted };
  } finally {
    top.close();
  }
}

/** A tree that would be made, and its base with it. */
async function expectBase(
  { helper, bases }: RoomParts,
  tree: { readonly directory: RequestedDirectory; readonly layout: Layout },
  user: DirectoryUser,
  makesMounts: boolean,
  within: HandoverKind | undefined,
): Promise<Expected> {
  const { kind } = tree.directory;
  const above = await openAbove(bases[kind], DIRECTORY_CLASSES[kind].field);
  try {
    return await expectFresh(helper, above, tree, user, makesMounts, within);
  } finally {
    above.close();
  }
}

/** A tree that would be made: its base stands for it, being on the same file system, and root's as it would be. */
async function expectFresh(
  helper: TreeHelper,
  base: HeldDirectory,
  tree: { readonly directory: RequestedDirectory; readonly layout: Layout },
  user: DirectoryUser,
  makesMounts: boolean,
  within: HandoverKind | undefined,
): Promise<Expected> {
  const { kind } = await decideFor(helper, { ...tree, top: base }, user, makesMounts, within);
  return { handover: kind, inodes: 0, changes: 1, counted: 'all' };
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
