/** Carries out the handover of one tree that is in its place and locked. */
import type { HandoverKind, RequestedDirectory } from '../core/directory.ts';
import type { DirectoryUser, PrepareOptions } from '../service/directory-ports.ts';
import { DIRECTORY_CLASSES } from './classes.ts';
import { decideHandover, type Handover, wouldMap } from './handover.ts';
import type { HeldDirectory } from './held-directory.ts';
import type { Layout } from './layout.ts';
import type { TreeHelper, TreeResult } from './tree-helper.ts';

export interface Tree {
  readonly directory: RequestedDirectory;
  readonly layout: Layout;
  readonly top: HeldDirectory;
  readonly fresh: boolean;
}

/** @param within how the tree of the same request was handed over that this one is a part of */
export async function decideFor(
  helper: TreeHelper,
  tree: Pick<Tree, 'directory' | 'layout' | 'top'>,
  user: DirectoryUser,
  makesMounts: boolean,
  within: HandoverKind | undefined,
): Promise<Handover> {
  const { uid, gid } = await tree.top.status();
  const { isPrivate } = tree.layout;
  const facts = { owner: { uid, gid }, isPrivate, makesMounts, ...(within === undefined ? {} : { within }) };
  const asks = wouldMap(facts, user) && within === undefined;
  const canMap = asks ? await helper.canMap(tree.top, DIRECTORY_CLASSES[tree.directory.kind].field) : true;
  return decideHandover(facts, user, canMap);
}

/** @returns what was changed, and what was left alone */
export async function handOver(
  helper: TreeHelper,
  tree: Tree,
  handover: Handover,
  options: PrepareOptions,
): Promise<Pick<TreeResult, 'changed' | 'leftPaths' | 'mountPaths'>> {
  const { top, layout, directory } = tree;
  const { uid, gid } = handover;
  if (tree.fresh) {
    // It is empty, and behind directories of root's: one call is all.
    await top.give(uid, gid, layout.mode);
    return { changed: 1, leftPaths: [], mountPaths: [] };
  }
  if (handover.walk || options.verify) {
    const { publicPath } = layout;
    return helper.chown(top, uid, gid, layout.mode, {
      field: DIRECTORY_CLASSES[directory.kind].field,
      onProgress: counts => options.onProgress?.({ publicPath, ...counts }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }
  if (((await top.status()).mode & 0o7777) !== layout.mode) {
    await top.setMode(layout.mode);
  }
  return { changed: 0, leftPaths: [], mountPaths: [] };
}
