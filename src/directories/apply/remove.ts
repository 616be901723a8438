/** Removes the directories that go with their user, and all links to them: the links first, so that none ever dangles. */
import type { DirectoriesInUse, LeasedDirectory } from '../../core/directory.ts';
import { PRIVATE } from '../../core/directory-classes.ts';
import type { DirectoryDeps } from '../deps.ts';
import type { HeldDirectory, OpenBases } from '../held-directory.ts';
import { FEW_FILES } from '../limits.ts';
import { findEntry } from '../observe/path.ts';
import { relativePath } from '../plan/layout.ts';
import { outermost, overlap } from '../plan/sharing.ts';
import { lockUnshared } from './lock.ts';

/** Removes all of them but those that another live lease has. */
export async function removeDirectories(
  deps: DirectoryDeps,
  bases: OpenBases,
  directories: readonly LeasedDirectory[],
  live: () => readonly DirectoriesInUse[],
): Promise<void> {
  const own = directories.filter(directory => !directory.preserved);
  for (const directory of outermost(own)) {
    await using lock = await lockUnshared(bases, directory, live);
    if (lock !== undefined) {
      await removeOne(deps, lock.base, directory, own);
    }
  }
}

/** Tree and link may be at the private and at the public path: what a former version or systemd left is removed as well. */
async function removeOne(
  deps: DirectoryDeps,
  base: HeldDirectory,
  directory: LeasedDirectory,
  own: readonly LeasedDirectory[],
): Promise<void> {
  const open = directory.source.split('/');
  const closed = [PRIVATE, ...open];
  for (const one of own.filter(other => overlap(other, directory))) {
    for (const alias of one.aliases) {
      const target = one.source.split('/');
      await removeLink(base, alias.split('/'), [target, [PRIVATE, ...target]]);
    }
  }
  await removeLink(base, open, [closed]);
  await removeTree(deps, base, open);
  await removeTree(deps, base, closed);
}

async function removeLink(
  base: HeldDirectory,
  place: readonly string[],
  targets: readonly (readonly string[])[],
): Promise<void> {
  using entry = await findEntry(base, place);
  const found = entry && (await entry.parent.kindOf(entry.name));
  if (found?.kind === 'link' && targets.some(target => found.text === relativePath(place, target))) {
    await entry?.parent.unlink(entry.name);
  }
}

async function removeTree({ helper }: DirectoryDeps, base: HeldDirectory, place: readonly string[]): Promise<void> {
  using entry = await findEntry(base, place);
  if (entry === undefined || (await entry.parent.kindOf(entry.name)).kind !== 'directory') {
    return;
  }
  using top = await entry.parent.open(entry.name);
  if (top === undefined) {
    return;
  }
  if (!(await top.removeFew(FEW_FILES))) {
    await helper.removeContents(top);
  }
  await entry.parent.removeDirectory(entry.name);
}
