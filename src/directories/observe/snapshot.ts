/** What was observed of the directories of a request: data, which a plan is made from. */
import type { DirectorySnapshot } from '../../allocator/directory-ports.ts';
import type { DirectoryStatus, PathStatus, RequestedDirectory } from '../../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES, MAPPED_ID } from '../../core/directory-classes.ts';
import { DynuserError } from '../../core/errors.ts';
import { asGid, asUid, type Gid, type Uid } from '../../core/ids.ts';
import { directoryFailed } from '../errors.ts';
import { SNAPSHOT_FRESH_MS } from '../limits.ts';
import { layoutOf } from '../plan/layout.ts';
import type { Watch } from './activity.ts';

/** What each component of a path is, down to the first that is not a directory; or why that could not be found out. */
export type ObservedPath = readonly PathStatus[] | DynuserError;

/** The paths of one requested directory: its private and its public one, and those of its aliases. */
export class PathSnapshot {
  readonly #base: string;
  readonly #field: string;
  readonly #paths: ReadonlyMap<string, ObservedPath>;

  /**
   * @param base the path of the base directory
   * @param field the parameter of the request, for errors
   * @param paths by their text below the base
   */
  constructor(base: string, field: string, paths: ReadonlyMap<string, ObservedPath>) {
    this.#base = base;
    this.#field = field;
    this.#paths = paths;
  }

  /** @throws DynuserError DirectoryFailed if the path could not be inspected, or leads through what is not a directory */
  at(components: readonly string[]): PathStatus {
    const statuses = this.#observed(components);
    if (statuses instanceof DynuserError) {
      throw statuses;
    }
    const last = statuses.at(-1);
    if (last === undefined || last.kind === 'nothing') {
      return { kind: 'nothing' };
    }
    if (statuses.length < components.length) {
      const path = [this.#base, ...components.slice(0, statuses.length)].join('/');
      throw directoryFailed(this.#field, `${path} is not a directory: move it out of the way`);
    }
    return last;
  }

  /** @returns the directories along a path that exist, the outermost first; none if it could not be inspected */
  directoriesAlong(components: readonly string[]): readonly DirectoryStatus[] {
    const statuses = this.#observed(components);
    return statuses instanceof DynuserError ? [] : statuses.filter(status => status.kind === 'directory');
  }

  #observed(components: readonly string[]): ObservedPath {
    const observed = this.#paths.get(components.join('/'));
    if (observed === undefined) {
      throw new TypeError(`${components.join('/')} was not inspected`);
    }
    return observed;
  }
}

export class RequestSnapshot implements DirectorySnapshot {
  readonly owners: readonly Uid[];
  readonly groups: readonly Gid[];
  readonly #paths: ReadonlyMap<RequestedDirectory, PathSnapshot>;
  readonly #watch: Watch;
  readonly #since: number;

  /**
   * @param watch of the directories, begun before they were inspected
   * @param since when the inspection began, by the monotonic clock, in milliseconds
   */
  constructor(
    bases: BaseDirectories,
    paths: ReadonlyMap<RequestedDirectory, PathSnapshot>,
    { watch, since }: { readonly watch: Watch; readonly since: number },
  ) {
    const tops = [...paths].map(([directory, seen]) => topOf(bases, directory, seen)).filter(top => top !== undefined);
    this.owners = tops.map(ownerOf).filter(uid => uid !== undefined);
    this.groups = tops.flatMap(({ uid, gid }) => (gid === MAPPED_ID || gid === uid ? [] : (asGid(gid) ?? [])));
    this.#paths = paths;
    this.#watch = watch;
    this.#since = since;
  }

  /** Whether a plan can be made of it: it is fresh, and this process has not worked on the directories meanwhile. */
  get isCurrent(): boolean {
    return this.#watch.isUndisturbed && performance.now() - this.#since < SNAPSHOT_FRESH_MS;
  }

  covers(directories: readonly RequestedDirectory[]): boolean {
    return directories.every(directory => this.#paths.has(directory));
  }

  of(directory: RequestedDirectory): PathSnapshot {
    const paths = this.#paths.get(directory);
    if (paths === undefined) {
      throw new TypeError(`${DIRECTORY_CLASSES[directory.kind].base}/${directory.source} was not inspected`);
    }
    return paths;
  }

  [Symbol.dispose](): void {
    this.#watch.end();
  }
}

/** The tree, if it is there and can be inspected. */
function topOf(
  bases: BaseDirectories,
  directory: RequestedDirectory,
  paths: PathSnapshot,
): DirectoryStatus | undefined {
  const { tree, counterpart } = layoutOf(directory, true, bases);
  try {
    const inPlace = paths.at(tree);
    const top = inPlace.kind === 'nothing' ? paths.at(counterpart) : inPlace;
    return top.kind === 'directory' ? top : undefined;
  } catch (error) {
    if (error instanceof DynuserError) {
      return undefined;
    }
    throw error;
  }
}

/** The owner of a tree; of a mapped one, who it was shown as last. */
function ownerOf({ uid, ownerHint }: DirectoryStatus): Uid | undefined {
  if (uid === MAPPED_ID) {
    return typeof ownerHint === 'number' ? ownerHint : undefined;
  }
  return asUid(uid);
}
