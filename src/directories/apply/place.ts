/** Puts trees where they belong, with their links, as planned; each step can be taken back. */
import { DynuserError, reasonOf } from '../../core/errors.ts';
import { directoryFailed } from '../errors.ts';
import type { HeldDirectory, OpenBases } from '../held-directory.ts';
import { makeEntry, openTree } from '../observe/path.ts';
import type { LinkAt } from '../plan/placement.ts';
import type { InnerLink, PlannedPlace } from '../plan/plan.ts';

/** What takes back each step that was done, in their order. */
type UndoLog = (() => Promise<void>)[];

/**
 * @param innerLinks aliases in trees
 * @returns the top of each tree; the caller closes them
 * @throws DynuserError DirectoryFailed if something is not as it was when the plan was made; all are where they were then
 */
export async function placeAll<Tree extends PlannedPlace>(
  bases: OpenBases,
  trees: readonly Tree[],
  innerLinks: readonly InnerLink[] = [],
): Promise<ReadonlyMap<Tree, HeldDirectory>> {
  const undo: UndoLog = [];
  const tops = new Map<Tree, HeldDirectory>();
  try {
    for (const tree of trees) {
      tops.set(tree, await place(await bases.make(tree.directory.kind), tree, undo));
    }
    for (const link of innerLinks) {
      await makeLink(await bases.make(link.kind), link, undo);
    }
    return tops;
  } catch (error) {
    for (const top of tops.values()) {
      top.close();
    }
    throw await takeBack(undo, error);
  }
}

/**
 * Takes everything back because of an error, the last step first. A step that cannot be taken back stops none of the others.
 * @returns the error to throw: the same one, or one that says in addition what could not be taken back
 */
export async function takeBack(undo: UndoLog, error: unknown): Promise<unknown> {
  const left: string[] = [];
  for (const action of undo.splice(0).reverse()) {
    try {
      await action();
    } catch (failure) {
      left.push(reasonOf(failure));
    }
  }
  if (left.length === 0 || !(error instanceof DynuserError)) {
    return error;
  }
  const reason = `${error.message}; and not all could be put back: ${left.join('; ')}`;
  return new DynuserError(error.code, reason, error.detail, error);
}

async function place(base: HeldDirectory, planned: PlannedPlace, undo: UndoLog): Promise<HeldDirectory> {
  const { placement } = planned;
  for (const link of placement.unlink) {
    await removeLink(base, link, undo);
  }
  await moveOrMake(base, planned, undo);
  const top = await openTree(base, planned.layout.tree);
  if (top === undefined) {
    throw directoryFailed(base.field, `${planned.layout.realPath} was removed the moment it was put in its place`);
  }
  try {
    await checkPlaced(top, planned);
    for (const link of placement.link) {
      await makeLink(base, link, undo);
    }
    return top;
  } catch (error) {
    top.close();
    throw error;
  }
}

async function moveOrMake(base: HeldDirectory, { placement, layout }: PlannedPlace, undo: UndoLog): Promise<void> {
  if (placement.tree === 'move') {
    await move(base, layout.counterpart, layout.tree);
    undo.push(() => move(base, layout.tree, layout.counterpart));
  } else if (placement.tree === 'make') {
    using entry = await makeEntry(base, layout.tree);
    // Nobody enters it before it is its owner's.
    if (!(await entry.parent.make(entry.name, 0o700))) {
      throw directoryFailed(base.field, `${layout.realPath} was made by somebody else meanwhile: try again`);
    }
    undo.push(async () => {
      using made = await makeEntry(base, layout.tree);
      await made.parent.removeDirectory(made.name);
    });
  }
}

async function move(base: HeldDirectory, from: readonly string[], to: readonly string[]): Promise<void> {
  using source = await makeEntry(base, from);
  using target = await makeEntry(base, to);
  await source.parent.moveInto(source.name, target.parent, target.name);
}

/** Whether it is the tree that the plan is about: others may own a directory on the way, and heed no lock. */
async function checkPlaced(top: HeldDirectory, { present, layout }: PlannedPlace): Promise<void> {
  const { device, inode } = await top.status();
  if (present !== undefined && (present.device !== device || present.inode !== inode)) {
    throw directoryFailed(top.field, `${layout.publicPath} was replaced while it was put in its place: try again`);
  }
}

async function removeLink(base: HeldDirectory, { components, text }: LinkAt, undo: UndoLog): Promise<void> {
  using entry = await makeEntry(base, components);
  if ((await entry.parent.readLink(entry.name)) !== text) {
    throw directoryFailed(base.field, `${base.path}/${components.join('/')} was replaced meanwhile: try again`);
  }
  await entry.parent.unlink(entry.name);
  undo.push(async () => {
    using removed = await makeEntry(base, components);
    await removed.parent.link(removed.name, text);
  });
}

async function makeLink(base: HeldDirectory, { components, text }: LinkAt, undo: UndoLog): Promise<void> {
  using entry = await makeEntry(base, components);
  await entry.parent.link(entry.name, text);
  undo.push(async () => {
    using made = await makeEntry(base, components);
    await made.parent.unlink(made.name);
  });
}
