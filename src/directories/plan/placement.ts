/**
 * Plans what has to be done to have a tree where it belongs, with its links: nothing, make it, or move it between its
 * private and its public path. Pure; whatever is ambiguous is refused, so that nothing is ever lost.
 */
import type { PathStatus, RequestedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES } from '../../core/directory-classes.ts';
import { directoryFailed } from '../errors.ts';
import type { PathSnapshot } from '../observe/snapshot.ts';
import { type Layout, type PlannedLink, relativePath } from './layout.ts';

/** A symlink, as its place below the base and its text. */
export type LinkAt = Pick<PlannedLink, 'components' | 'text'>;

export interface Placement {
  readonly tree: 'keep' | 'make' | 'move';
  /** links that have to go before the tree is moved or made */
  readonly unlink: readonly LinkAt[];
  /** links to make once the tree is in its place */
  readonly link: readonly LinkAt[];
}

const NOTHING: PathStatus = { kind: 'nothing' };

/**
 * @param isInCounterpart it is a part of a tree that is to be moved, and still where that is
 * @throws DynuserError DirectoryFailed if something is in the way, or a path could not be inspected
 */
export function planPlacement(
  paths: PathSnapshot,
  layout: Layout,
  { kind, below }: Pick<RequestedDirectory, 'kind' | 'below'>,
  isInCounterpart = false,
): Placement {
  const { field } = DIRECTORY_CLASSES[kind];
  const tree = paths.at(isInCounterpart ? layout.counterpart : layout.tree);
  // The other place of a part is behind the link to its tree, or moves with that.
  const counterpart = below === undefined ? paths.at(layout.counterpart) : NOTHING;
  const placement = placeTree(layout, below !== undefined, tree, counterpart, field);
  const [unlink, link] = [[...placement.unlink], [...placement.link]];
  for (const alias of layout.aliases) {
    const found = paths.at(alias.components);
    if (found.kind === 'link' && found.text === alias.text) {
      continue;
    }
    if (found.kind !== 'nothing') {
      // A link can be what it was before a migration.
      if (found.kind !== 'link' || !alias.former.includes(found.text)) {
        throw inTheWay(field, `${layout.base}/${alias.components.join('/')}`, found);
      }
      unlink.push({ components: alias.components, text: found.text });
    }
    link.push(alias);
  }
  return { tree: placement.tree, unlink, link };
}

function placeTree(
  layout: Layout,
  isPart: boolean,
  tree: PathStatus,
  counterpart: PathStatus,
  field: string,
): Placement {
  if (tree.kind === 'other' || (tree.kind === 'link' && (layout.isPrivate || isPart))) {
    throw inTheWay(field, layout.realPath, tree);
  }
  if (isPart) {
    return { tree: keepOrMake(tree), unlink: [], link: [] };
  }
  return layout.isPrivate
    ? placePrivate(layout, tree, counterpart, field)
    : placePublic(layout, tree, counterpart, field);
}

function placePrivate(layout: Layout, tree: PathStatus, open: PathStatus, field: string): Placement {
  const link = layout.link === undefined ? [] : [layout.link];
  if (open.kind === 'directory') {
    if (tree.kind !== 'nothing') {
      throw twoTrees(field, layout);
    }
    return { tree: 'move', unlink: [], link };
  }
  const isLinked = open.kind === 'link' && (open.text === layout.realPath || open.text === layout.link?.text);
  if (open.kind !== 'nothing' && !isLinked) {
    throw inTheWay(field, layout.publicPath, open);
  }
  return { tree: keepOrMake(tree), unlink: [], link: isLinked ? [] : link };
}

function placePublic(layout: Layout, tree: PathStatus, closed: PathStatus, field: string): Placement {
  if (closed.kind === 'link' || closed.kind === 'other') {
    throw inTheWay(field, counterpartPath(layout), closed);
  }
  if (tree.kind === 'directory') {
    if (closed.kind !== 'nothing') {
      throw twoTrees(field, layout);
    }
    return { tree: 'keep', unlink: [], link: [] };
  }
  if (tree.kind === 'link' && !leadsToCounterpart(layout, tree.text)) {
    throw inTheWay(field, layout.publicPath, tree);
  }
  const unlink = tree.kind === 'link' ? [{ components: layout.tree, text: tree.text }] : [];
  return { tree: closed.kind === 'nothing' ? 'make' : 'move', unlink, link: [] };
}

function keepOrMake(found: PathStatus): 'keep' | 'make' {
  return found.kind === 'directory' ? 'keep' : 'make';
}

function counterpartPath(layout: Layout): string {
  return `${layout.base}/${layout.counterpart.join('/')}`;
}

function leadsToCounterpart(layout: Layout, text: string): boolean {
  return text === counterpartPath(layout) || text === relativePath(layout.tree, layout.counterpart);
}

export function inTheWay(field: string, path: string, found: PathStatus) {
  const what =
    found.kind === 'link' ? `a symlink to ${found.text}` : found.kind === 'directory' ? 'a directory' : 'a file';
  return directoryFailed(field, `${path} is ${what}, and in the way: move it elsewhere`);
}

function twoTrees(field: string, layout: Layout) {
  const both = `${layout.realPath} and ${counterpartPath(layout)}`;
  return directoryFailed(field, `there are two directories, ${both}: move one of them elsewhere`);
}
