/** Where a directory of a request is: its tree, its public path, its links. Pure; follows systemd.exec(5), DynamicUser=. */
import type { RequestedDirectory } from '../../core/directory.ts';
import { type BaseDirectories, DYNAMIC_MODE_MASK, EXPOSED_MODE_MASK, PRIVATE } from '../../core/directory-classes.ts';

/** A symlink, as its place below the base and its text. */
export interface PlannedLink {
  readonly components: readonly string[];
  readonly text: string;
  /** texts that it may have had for the same directory */
  readonly former: readonly string[];
}

export interface Layout {
  readonly base: string;
  /** a private directory, with a link at the public path */
  readonly isPrivate: boolean;
  /** where the tree is, and where it would be for the other kind of user, static or dynamic, as components below the base */
  readonly tree: readonly string[];
  readonly counterpart: readonly string[];
  readonly publicPath: string;
  readonly realPath: string;
  /** the link at the public path; absent for a public tree, and below another directory, whose link leads there */
  readonly link?: PlannedLink;
  readonly aliases: readonly PlannedLink[];
  /** permission bits of the tree's top */
  readonly mode: number;
}

/**
 * Of an exposed directory it is the private layout, which it has before and after; exposedLayoutOf() says the other.
 * @param dynamic whether the user is one; a static user's directories are all public
 */
export function layoutOf(directory: RequestedDirectory, dynamic: boolean, bases: BaseDirectories): Layout {
  const base = bases[directory.kind];
  const isPrivate = dynamic && directory.preserved;
  const open = directory.source.split('/');
  const closed = [PRIVATE, ...open];
  const [tree, counterpart] = isPrivate ? [closed, open] : [open, closed];
  const link = isPrivate && directory.below === undefined ? linkTo(open, closed, []) : undefined;
  return {
    base,
    isPrivate,
    tree,
    counterpart,
    publicPath: `${base}/${directory.source}`,
    realPath: `${base}/${tree.join('/')}`,
    ...(link === undefined ? {} : { link }),
    // As with systemd they lead to the public path, and stay right wherever the tree is; earlier versions had other texts.
    aliases: directory.aliases.map(alias => linkTo(alias.split('/'), open, [closed])),
    mode: dynamic ? directory.mode & (directory.exposed ? EXPOSED_MODE_MASK : DYNAMIC_MODE_MASK) : directory.mode,
  };
}

/** Where an exposed directory of a dynamic user is while the user has it: at its public path, as what goes with a user is. */
export function exposedLayoutOf(directory: RequestedDirectory, bases: BaseDirectories): Layout {
  return layoutOf({ ...directory, preserved: false }, true, bases);
}

function linkTo(
  place: readonly string[],
  target: readonly string[],
  former: readonly (readonly string[])[],
): PlannedLink {
  return {
    components: place,
    text: relativePath(place, target),
    former: former.map(components => relativePath(place, components)),
  };
}

/** @returns the text of a symlink at one place below a base that leads to another */
export function relativePath(place: readonly string[], target: readonly string[]): string {
  let shared = 0;
  while (shared < place.length - 1 && shared < target.length - 1 && place[shared] === target[shared]) {
    shared++;
  }
  return [...place.slice(shared + 1).map(() => '..'), ...target.slice(shared)].join('/');
}
