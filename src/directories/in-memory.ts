/** Which directories of a request may be worked on without going to another thread: those in memory, where no call blocks. */
import { statfsSync } from 'node:fs';
import type { DirectoryKind, LeasedDirectory, RequestedDirectory } from '../core/directory.ts';
import type { BaseDirectories } from '../core/directory-classes.ts';
import { OpenBases } from './held-directory.ts';

/** statfs(2) */
const TMPFS_MAGIC = 0x01021994;

type Directories = readonly (RequestedDirectory | LeasedDirectory)[];

/** @returns the bases of a request */
export function openBasesFor(bases: BaseDirectories, directories: Directories): OpenBases {
  return new OpenBases(bases, kindsInMemory(bases, directories));
}

/**
 * Further down than one component, users may own a directory, and could mount something that does not answer. Right below /run and
 * /run/private only root mounts.
 * @returns the kinds of directories of a request that are in memory
 */
export function kindsInMemory(bases: BaseDirectories, directories: Directories): ReadonlySet<DirectoryKind> {
  const ofRuntime = directories.filter(({ kind }) => kind === 'runtime');
  const isFlat = ofRuntime.every(directory =>
    [directory.source, ...directory.aliases, ...innerNames(directory)].every(path => !path.includes('/')),
  );
  const inMemory = ofRuntime.length > 0 && isFlat && isTmpfs(bases.runtime);
  return new Set<DirectoryKind>(inMemory ? ['runtime'] : []);
}

/** @returns false also if it is missing, or cannot be asked */
function isTmpfs(path: string): boolean {
  try {
    return statfsSync(path).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}

function innerNames(directory: RequestedDirectory | LeasedDirectory): readonly string[] {
  return 'innerAliases' in directory ? (directory.innerAliases ?? []).map(({ path }) => path) : [];
}
