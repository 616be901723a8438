/** Puts a tree where it belongs, with its links, by the decisions of placement.ts; each step can be taken back. */
import type { Stats } from 'node:fs';
import type { RequestedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES } from '../classes.ts';
import { directoryFailed } from '../errors.ts';
import type { HeldDirectory } from '../held-directory.ts';
import { type Entry, type Found, findEntry, findWhat, lookAt, openTree } from '../observe/path.ts';
import type { Layout, PlannedLink } from '../plan/layout.ts';
import { decideLink, decidePlacement, type LinkChange, type Placement } from '../plan/placement.ts';
import type { UndoLog } from './undo.ts';

/** What a layout's place needs. */
export interface Survey {
  readonly placement: Exclude<Placement, { readonly kind: 'refuse' }>;
  /** of each alias, in order */
  readonly links: readonly AliasChange[];
}

type AliasChange = 'keep' | 'make' | 'replace';

export interface PlacedTree {
  /** the tree's top; the caller closes it */
  readonly top: HeldDirectory;
  /** it was made just now, so that it is root's and empty */
  readonly fresh: boolean;
}

const NOTHING: Found = { kind: 'nothing' };

/**
 * Says what a layout's place needs, and changes nothing.
 * @param base undefined if it is missing: there is nothing below it then
 * @param isInCounterpart it is a part of a tree that is to be moved, and still where that is
 * @throws DynuserError DirectoryFailed if something is in the way
 */
export async function survey(
  base: HeldDirectory | undefined,
  layout: Layout,
  { kind, below }: Pick<RequestedDirectory, 'kind' | 'below'>,
  isInCounterpart = false,
): Promise<Survey> {
  const { field } = DIRECTORY_CLASSES[kind];
  const find = (components: readonly string[]) => (base === undefined ? NOTHING : findWhat(base, components));
  const [tree, counterpart] = await Promise.all([
    find(isInCounterpart ? layout.counterpart : layout.tree),
    // Of a part of another tree, the other place is behind the link to that tree, or moves with it.
    below === undefined ? find(layout.counterpart) : NOTHING,
  ]);
  const placement = decidePlacement(layout, below !== undefined, tree, counterpart);
  if (placement.kind === 'refuse') {
    throw directoryFailed(field, placement.reason);
  }
  const links: AliasChange[] = [];
  for (const link of layout.aliases) {
    links.push(linkChange(layout, link, await find(link.components), field));
  }
  return { placement, links };
}

export async function place(
  base: HeldDirectory,
  layout: Layout,
  directory: Pick<RequestedDirectory, 'kind' | 'below'>,
  undo: UndoLog,
): Promise<PlacedTree> {
  const { field } = DIRECTORY_CLASSES[directory.kind];
  const { placement } = await survey(base, layout, directory);
  await changeLink(base, layout, placement.link, 'remove', undo);
  const top = await placeTree(base, layout, placement.kind, field, undo);
  try {
    await changeLink(base, layout, placement.link, 'make', undo);
    for (const alias of layout.aliases) {
      await withEntry(base, alias.components, entry => makeAlias(base, layout, alias, entry, field, undo));
    }
    return { top, fresh: placement.kind === 'make' };
  } catch (error) {
    top.close();
    throw error;
  }
}

async function placeTree(
  base: HeldDirectory,
  layout: Layout,
  kind: 'keep' | 'make' | 'move',
  field: string,
  undo: UndoLog,
): Promise<HeldDirectory> {
  if (kind === 'move') {
    return moveTree(base, layout, field, undo);
  }
  if (kind === 'make') {
    await withEntry(base, layout.tree, async ({ parent, name }) => {
      // Nobody enters it before it is its owner's.
      if (await parent.make(name, 0o700)) {
        undo.add(() => withEntry(base, layout.tree, entry => entry.parent.removeDirectory(entry.name)));
      }
    });
  }
  return opened(await openTree(base, layout.tree), layout, field);
}

async function moveTree(base: HeldDirectory, layout: Layout, field: string, undo: UndoLog): Promise<HeldDirectory> {
  const before = await statusOf(base, layout.counterpart);
  await move(base, layout.counterpart, layout.tree);
  undo.add(() => move(base, layout.tree, layout.counterpart));
  const top = await opened(await openTree(base, layout.tree), layout, field);
  const after = await top.status();
  // Where others own a directory on the way, they may have put something else there before it was moved.
  if (before?.ino !== after.ino || before.dev !== after.dev) {
    top.close();
    throw directoryFailed(field, `${layout.publicPath} was replaced while it was moved to ${layout.realPath}`);
  }
  return top;
}

async function move(base: HeldDirectory, from: readonly string[], to: readonly string[]): Promise<void> {
  await withEntry(base, from, source =>
    withEntry(base, to, target => source.parent.moveInto(source.name, target.parent, target.name)),
  );
}

async function statusOf(base: HeldDirectory, components: readonly string[]): Promise<Stats | undefined> {
  const entry = await findEntry(base, components, false);
  return entry?.parent.look(entry.name).finally(() => entry.close());
}

function opened(top: HeldDirectory | undefined, layout: Layout, field: string): HeldDirectory {
  if (top === undefined) {
    throw directoryFailed(field, `${layout.realPath} was removed the moment it was made`);
  }
  return top;
}

/** The link at the public path. What it was, for taking it back, is a link to the boundary in any case. */
async function changeLink(
  base: HeldDirectory,
  layout: Layout,
  change: LinkChange,
  now: Exclude<LinkChange, 'none'>,
  undo: UndoLog,
): Promise<void> {
  if (change !== now) {
    return;
  }
  const components = layout.isPrivate ? layout.counterpart : layout.tree;
  await withEntry(base, components, async ({ parent, name }) => {
    if (now === 'make') {
      await parent.link(name, layout.link?.text ?? '');
      undo.add(() => withEntry(base, components, entry => entry.parent.unlink(entry.name)));
    } else {
      const text = await parent.readLink(name);
      await parent.unlink(name);
      undo.add(() => withEntry(base, components, entry => entry.parent.link(entry.name, text)));
    }
  });
}

function linkChange(layout: Layout, link: PlannedLink, found: Found, field: string): AliasChange {
  const decision = decideLink(`${layout.base}/${link.components.join('/')}`, link, found);
  if (typeof decision !== 'string') {
    throw directoryFailed(field, decision.reason);
  }
  return decision;
}

async function makeAlias(
  base: HeldDirectory,
  layout: Layout,
  alias: PlannedLink,
  { parent, name }: Entry,
  field: string,
  undo: UndoLog,
): Promise<void> {
  const found = await lookAt({ parent, name });
  const decision = linkChange(layout, alias, found, field);
  if (decision === 'keep') {
    return;
  }
  if (found.kind === 'link') {
    await parent.unlink(name);
    undo.add(() => withEntry(base, alias.components, entry => entry.parent.link(entry.name, found.text)));
  }
  await parent.link(name, alias.text);
  undo.add(() => withEntry(base, alias.components, entry => entry.parent.unlink(entry.name)));
}

/** Opens the parent of a place, making what is missing on the way. */
async function withEntry<T>(
  base: HeldDirectory,
  components: readonly string[],
  action: (entry: Entry) => Promise<T>,
): Promise<T> {
  const entry = await findEntry(base, components, true);
  if (entry === undefined) {
    throw new TypeError(`${base.path}/${components.join('/')} has no parent though it was made`);
  }
  try {
    return await action(entry);
  } finally {
    entry.close();
  }
}
