/** Carries out the handover of one tree that is in its place and locked. */

import type { PrepareOptions } from '../../allocator/directory-ports.ts';
import type { RequestedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES } from '../classes.ts';
import type { HeldDirectory } from '../held-directory.ts';
import type { Handover } from '../plan/handover.ts';
import type { Layout } from '../plan/layout.ts';
import type { TreeHelper, TreeResult } from '../tree-helper.ts';

export interface Tree {
  readonly directory: RequestedDirectory;
  readonly layout: Layout;
  readonly top: HeldDirectory;
  readonly fresh: boolean;
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
