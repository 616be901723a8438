/**
 * Finds the inodes whose owner is a UID of the range and that belong to nobody: neither to a user that lives, nor to a directory that waits
 * for its next user. Pure.
 */

/** An inode that the search found. */
export interface OwnedPath {
  readonly uid: number;
  /** absolute */
  readonly path: string;
}

/** What explains the owner of a file. */
export interface Explanations {
  /** of users that live or are ending */
  readonly live: ReadonlySet<number>;
  /**
   * The directories that keep their last owner for the next user of their unit, /var/lib/private/web and its like: path → owner. What
   * is below one and has the same owner belongs to it.
   */
  readonly directories: ReadonlyMap<string, number>;
}

/** A tree, or a single file, of one former user. */
export interface Orphan extends OwnedPath {
  /** inodes of that owner at the path and below it */
  readonly files: number;
}

export function isExplained({ uid, path }: OwnedPath, { live, directories }: Explanations): boolean {
  if (live.has(uid)) {
    return true;
  }
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (directories.get(path.slice(0, end)) === uid) {
      return true;
    }
  }
  return false;
}

/** @returns for each owner the topmost paths, with what is below them, by owner and path */
export function topmost(found: readonly OwnedPath[]): Orphan[] {
  const byOwner = new Map<number, Set<string>>();
  for (const { uid, path } of found) {
    const paths = byOwner.get(uid) ?? new Set();
    byOwner.set(uid, paths.add(path));
  }
  const orphans: Orphan[] = [];
  for (const [uid, paths] of byOwner) {
    const counts = new Map<string, number>();
    for (const path of paths) {
      const top = topOf(path, paths);
      counts.set(top, (counts.get(top) ?? 0) + 1);
    }
    for (const [path, files] of counts) {
      orphans.push({ uid, path, files });
    }
  }
  return orphans.sort((one, other) => one.uid - other.uid || (one.path < other.path ? -1 : 1));
}

/** @returns the highest of the directories above a path that are among the paths without a gap, or the path */
function topOf(path: string, paths: ReadonlySet<string>): string {
  let top = path;
  for (
    let end = path.lastIndexOf('/');
    end > 0 && paths.has(path.slice(0, end));
    end = path.lastIndexOf('/', end - 1)
  ) {
    top = path.slice(0, end);
  }
  return top;
}
