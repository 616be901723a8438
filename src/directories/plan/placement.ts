/**
 * Decides what has to be done to have a tree where it belongs: nothing, make it, or move it across the boundary. Pure;
 * what it is told was found, and what it cannot tell apart it refuses, so that nothing is ever lost.
 */

import type { Found } from '../observe/path.ts';
import type { Layout, PlannedLink } from './layout.ts';

export type Placement =
  | { readonly kind: 'keep' | 'make' | 'move'; readonly link: LinkChange }
  | { readonly kind: 'refuse'; readonly reason: string };

/** What becomes of the symlink at the public path. */
export type LinkChange = 'none' | 'make' | 'remove';

/**
 * @param tree what is where the tree belongs
 * @param counterpart what is where it would be for a user of the other sort
 */
export function decidePlacement(layout: Layout, below: boolean, tree: Found, counterpart: Found): Placement {
  if (tree.kind === 'other' || (tree.kind === 'link' && layout.isPrivate)) {
    return refuse(layout.realPath, tree);
  }
  // What is below another directory of the request moved with that one.
  if (below) {
    return tree.kind === 'link' ? refuse(layout.realPath, tree) : { kind: keepOrMake(tree), link: 'none' };
  }
  return layout.isPrivate ? placePrivate(layout, tree, counterpart) : placePublic(layout, tree, counterpart);
}

function placePrivate(layout: Layout, tree: Found, open: Found): Placement {
  switch (open.kind) {
    case 'nothing':
      return { kind: keepOrMake(tree), link: 'make' };
    case 'link':
      return leadsToTree(layout, open.text)
        ? { kind: keepOrMake(tree), link: 'none' }
        : refuse(layout.publicPath, open);
    case 'directory':
      return tree.kind === 'nothing' ? { kind: 'move', link: 'make' } : refuseTwo(layout);
    case 'other':
      return refuse(layout.publicPath, open);
  }
}

function placePublic(layout: Layout, tree: Found, closed: Found): Placement {
  if (closed.kind === 'link' || closed.kind === 'other') {
    return refuse(counterpartPath(layout), closed);
  }
  switch (tree.kind) {
    case 'nothing':
      return { kind: closed.kind === 'nothing' ? 'make' : 'move', link: 'none' };
    case 'link':
      return leadsToCounterpart(layout, tree.text)
        ? { kind: closed.kind === 'nothing' ? 'make' : 'move', link: 'remove' }
        : refuse(layout.publicPath, tree);
    case 'directory':
      return closed.kind === 'nothing' ? { kind: 'keep', link: 'none' } : refuseTwo(layout);
    case 'other':
      return refuse(layout.publicPath, tree);
  }
}

function keepOrMake(found: Found): 'keep' | 'make' {
  return found.kind === 'directory' ? 'keep' : 'make';
}

/** Whether what is found at the place of a link can become it: it is it, or it is what it was before a migration. */
export function decideLink(path: string, link: PlannedLink, found: Found): 'keep' | 'make' | 'replace' | Refusal {
  switch (found.kind) {
    case 'nothing':
      return 'make';
    case 'link':
      if (found.text === link.text) {
        return 'keep';
      }
      return link.former.includes(found.text) ? 'replace' : refuse(path, found);
    case 'directory':
    case 'other':
      return refuse(path, found);
  }
}

type Refusal = Extract<Placement, { readonly kind: 'refuse' }>;

function counterpartPath(layout: Layout): string {
  return `${layout.base}/${layout.counterpart.join('/')}`;
}

function leadsToTree(layout: Layout, text: string): boolean {
  return text === layout.realPath || text === layout.link?.text;
}

function leadsToCounterpart(layout: Layout, text: string): boolean {
  const depth = layout.tree.length - 1;
  return text === counterpartPath(layout) || text === [...Array(depth).fill('..'), ...layout.counterpart].join('/');
}

function refuse(path: string, found: Found): Refusal {
  const words =
    found.kind === 'link' ? `a symlink to ${found.text}` : found.kind === 'directory' ? 'a directory' : 'a file';
  return { kind: 'refuse', reason: `${path} is ${words}, and in the way: move it elsewhere` };
}

function refuseTwo(layout: Layout): Refusal {
  const both = `${layout.realPath} and ${counterpartPath(layout)}`;
  return { kind: 'refuse', reason: `there are two directories, ${both}: move one of them elsewhere` };
}
