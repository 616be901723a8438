/**
 * Decides how a tree becomes a user's: by nothing, by an id-mapped mount, or by new owners on disk. Pure. What it decides
 * is what systemd 257 understands, and the reverse: a tree of 65534 is a mapped one, any other owner is its user.
 */
import type { DirectoryUser } from '../../allocator/directory-ports.ts';
import type { HandoverKind } from '../../core/directory.ts';
import { MAPPED_ID } from '../../core/directory-classes.ts';

export interface Handover {
  readonly kind: HandoverKind;
  /** the owner on disk, once it is done */
  readonly uid: number;
  readonly gid: number;
  /** whether inodes have another owner now, and have to be changed one by one */
  readonly walk: boolean;
}

export interface TreeFacts {
  /** the owner of the tree's top */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly isPrivate: boolean;
  /** whether the caller makes the mounts that mapped trees need */
  readonly makesMounts: boolean;
  /** how the tree was handed over that this one is a part of */
  readonly within?: HandoverKind | undefined;
}

type User = Pick<DirectoryUser, 'uid' | 'gid' | 'dynamic'>;

/**
 * @returns whether it matters what the file system can do: the tree is to be mapped if it can
 * A tree that a former user was given by chown is mapped from now on, unlike with systemd, which walks it every time.
 */
export function wouldMap(facts: TreeFacts, user: User): boolean {
  if (facts.within !== undefined) {
    return facts.within === 'map';
  }
  // An id-mapped mount of a root user would show root's own files as somebody else's.
  const possible = facts.makesMounts && facts.isPrivate && user.dynamic && user.uid !== 0 && user.gid !== 0;
  return possible && !owns(facts.owner, user);
}

/** @param canMap whether an id-mapped mount of the tree can be made; asked for only if wouldMap() says so */
export function decideHandover(facts: TreeFacts, user: User, canMap: boolean): Handover {
  if (wouldMap(facts, user) && canMap) {
    const mapped = { uid: MAPPED_ID, gid: MAPPED_ID };
    return { kind: 'map', ...mapped, walk: !owns(facts.owner, mapped) };
  }
  const right = owns(facts.owner, user);
  return { kind: right ? 'none' : 'chown', uid: user.uid, gid: user.gid, walk: !right };
}

function owns(one: TreeFacts['owner'], other: TreeFacts['owner']): boolean {
  return one.uid === other.uid && one.gid === other.gid;
}
