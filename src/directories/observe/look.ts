/**
 * One look at the places of a request: who owns the trees that exist, and all that is needed to tell whether they are as they
 * are to be. What was seen holds as long as nobody in this process is at work on it, and is good for a short while.
 */

import type { DirectoryLook } from '../../allocator/directory-ports.ts';
import type { RequestedDirectory, Seen, SeenDirectory } from '../../core/directory.ts';
import { DynuserError } from '../../core/errors.ts';
import { asUid, type Uid } from '../../core/ids.ts';
import { MAPPED_ID } from '../classes.ts';
import type { RoomParts } from '../decided.ts';
import { LOOK_FRESH_MS } from '../limits.ts';
import { type OpenBases, withBases } from '../open-bases.ts';
import { type Layout, layoutOf } from '../plan/layout.ts';
import type { Look } from './activity.ts';
import { type Found, openTree } from './path.ts';

/** What was seen of one directory's places. */
export class Sight {
  readonly #seen: ReadonlyMap<string, readonly Seen[]>;

  constructor(seen: ReadonlyMap<string, readonly Seen[]>) {
    this.#seen = seen;
  }

  /** @returns the directories down to one; undefined where there is no directory at that place */
  directories(components: readonly string[]): readonly SeenDirectory[] | undefined {
    const seen = this.#seen.get(components.join('/')) ?? [];
    const directories = seen.filter(each => each.kind === 'directory');
    return directories.length === components.length ? directories : undefined;
  }

  /** @returns undefined where what is on the way to the place is no directory */
  what(components: readonly string[]): Found | undefined {
    const seen = this.#seen.get(components.join('/')) ?? [];
    const last = seen.at(-1);
    if (last === undefined || last.kind === 'nothing') {
      return last;
    }
    return seen.length === components.length ? last : undefined;
  }
}

export class RoomLook implements DirectoryLook {
  readonly owners: readonly Uid[];
  readonly #sights: ReadonlyMap<RequestedDirectory, Sight>;
  readonly #work: Look;
  readonly #since: number;

  constructor(
    owners: readonly Uid[],
    sights: ReadonlyMap<RequestedDirectory, Sight>,
    { work, since }: { readonly work: Look; readonly since: number },
  ) {
    this.owners = owners;
    this.#sights = sights;
    this.#work = work;
    this.#since = since;
  }

  /** Whether what was seen is to be believed. */
  get holds(): boolean {
    return this.#work.holds && performance.now() - this.#since < LOOK_FRESH_MS;
  }

  /** @returns undefined where it could not be seen */
  at(directory: RequestedDirectory): Sight | undefined {
    return this.#sights.get(directory);
  }

  end(): void {
    this.#work.end();
  }
}

/** The caller ends what it gets. */
export async function lookAt(parts: RoomParts, directories: readonly RequestedDirectory[]): Promise<RoomLook> {
  const work = parts.work.look(directories);
  const since = performance.now();
  try {
    const sights = await sightsOf(parts, directories);
    return new RoomLook(await ownersOf(parts, directories, sights), sights, { work, since });
  } catch (error) {
    work.end();
    throw error;
  }
}

async function sightsOf(
  { bases, places }: RoomParts,
  directories: readonly RequestedDirectory[],
): Promise<ReadonlyMap<RequestedDirectory, Sight>> {
  const sights = new Map<RequestedDirectory, Sight>();
  await Promise.all(
    directories.map(async directory => {
      const { tree, counterpart, aliases } = layoutOf(directory, true, bases);
      const paths = [tree, counterpart, ...aliases.map(alias => alias.components)].map(place => place.join('/'));
      const seen = await places.look(bases[directory.kind], paths);
      if (seen !== undefined) {
        sights.set(directory, new Sight(new Map(paths.map((path, at) => [path, seen[at] ?? []]))));
      }
    }),
  );
  return sights;
}

async function ownersOf(
  parts: RoomParts,
  directories: readonly RequestedDirectory[],
  sights: ReadonlyMap<RequestedDirectory, Sight>,
): Promise<readonly Uid[]> {
  return withBases(parts.bases, async open => {
    const owners: Uid[] = [];
    for (const directory of directories) {
      const sight = sights.get(directory);
      const layout = layoutOf(directory, true, parts.bases);
      const owner = sight === undefined ? await askOwner(parts, open, directory, layout) : seenOwner(sight, layout);
      if (owner !== undefined) {
        owners.push(owner);
      }
    }
    return owners;
  });
}

/** The owner of the tree in its place, or where it would be moved from; of a mapped one, who it was shown as last. */
function seenOwner(sight: Sight, { tree, counterpart }: Layout): Uid | undefined {
  const what = sight.what(tree);
  const place = what?.kind === 'nothing' ? counterpart : tree;
  const top = sight.directories(place)?.at(-1);
  if (top?.uid === MAPPED_ID) {
    return typeof top.mark === 'number' ? top.mark : undefined;
  }
  return top && asUid(top.uid);
}

/** Asks step by step where the one look said nothing. */
async function askOwner(
  parts: RoomParts,
  open: OpenBases,
  directory: RequestedDirectory,
  layout: Layout,
): Promise<Uid | undefined> {
  try {
    const base = await open.find(directory.kind);
    const top = base && ((await openTree(base, layout.tree)) ?? (await openTree(base, layout.counterpart)));
    if (top === undefined) {
      return undefined;
    }
    try {
      const { uid } = await top.status();
      return uid === MAPPED_ID ? await parts.marks.read(top.descriptor) : asUid(uid);
    } finally {
      top.close();
    }
  } catch (error) {
    if (error instanceof DynuserError && error.code === 'DirectoryFailed') {
      return undefined;
    }
    throw error;
  }
}
