/** Puts a tree where it belongs, with its links, as planned; each step can be taken back. */
import { DIRECTORY_CLASSES } from '../../core/directory-classes.ts';
import { directoryFailed } from '../errors.ts';
import type { HeldDirectory } from '../held-directory.ts';
import { makeEntry, openTree } from '../observe/path.ts';
import type { LinkAt } from '../plan/placement.ts';
import type { PlannedPlace } from '../plan/plan.ts';
import type { UndoLog } from './undo.ts';

/**
 * @returns the tree's top; the caller closes it
 * @throws DynuserError DirectoryFailed if something is not as it was when the plan was made
 */
export async function place(base: HeldDirectory, planned: PlannedPlace, undo: UndoLog): Promise<HeldDirectory> {
  const { placement, directory } = planned;
  const { field } = DIRECTORY_CLASSES[directory.kind];
  for (const link of placement.unlink) {
    await removeLink(base, link, field, undo);
  }
  await moveOrMake(base, planned, field, undo);
  const top = await openTree(base, planned.layout.tree);
  if (top === undefined) {
    throw directoryFailed(field, `${planned.layout.realPath} was removed the moment it was put in its place`);
  }
  try {
    await checkPlaced(top, planned, field);
    for (const link of placement.link) {
      await makeLink(base, link, undo);
    }
    return top;
  } catch (error) {
    top.close();
    throw error;
  }
}

async function moveOrMake(
  base: HeldDirectory,
  { placement, layout }: PlannedPlace,
  field: string,
  undo: UndoLog,
): Promise<void> {
  if (placement.tree === 'move') {
    await move(base, layout.counterpart, layout.tree);
    undo.add(() => move(base, layout.tree, layout.counterpart));
  } else if (placement.tree === 'make') {
    using entry = await makeEntry(base, layout.tree);
    // Nobody enters it before it is its owner's.
    if (!(await entry.parent.make(entry.name, 0o700))) {
      throw directoryFailed(field, `${layout.realPath} was made by somebody else meanwhile: try again`);
    }
    undo.add(async () => {
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
async function checkPlaced(top: HeldDirectory, { present, layout }: PlannedPlace, field: string): Promise<void> {
  const { device, inode } = await top.status();
  if (present !== undefined && (present.device !== device || present.inode !== inode)) {
    throw directoryFailed(field, `${layout.publicPath} was replaced while it was put in its place: try again`);
  }
}

async function removeLink(
  base: HeldDirectory,
  { components, text }: LinkAt,
  field: string,
  undo: UndoLog,
): Promise<void> {
  using entry = await makeEntry(base, components);
  if ((await entry.parent.readLink(entry.name)) !== text) {
    throw directoryFailed(field, `${base.path}/${components.join('/')} was replaced meanwhile: try again`);
  }
  await entry.parent.unlink(entry.name);
  undo.add(async () => {
    using removed = await makeEntry(base, components);
    await removed.parent.link(removed.name, text);
  });
}

async function makeLink(base: HeldDirectory, { components, text }: LinkAt, undo: UndoLog): Promise<void> {
  using entry = await makeEntry(base, components);
  await entry.parent.link(entry.name, text);
  undo.add(async () => {
    using made = await makeEntry(base, components);
    await made.parent.unlink(made.name);
  });
}
