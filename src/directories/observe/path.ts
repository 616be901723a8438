/** Walks paths below a base component by component, each opened and checked; nothing on the way is followed. */
import { PARENT_MODE } from '../../core/directory-classes.ts';
import type { HeldDirectory } from '../held-directory.ts';

/** The directory that a path's last component is in, and that component. */
interface Entry extends Disposable {
  /** closed at the end of the scope, unless it is the base */
  readonly parent: HeldDirectory;
  readonly name: string;
}

/**
 * @returns undefined if a directory on the way is missing
 * @throws DynuserError DirectoryFailed if something on the way is not a directory
 */
export async function findEntry(base: HeldDirectory, components: readonly string[]): Promise<Entry | undefined> {
  return walk(base, components, (above, name) => above.open(name));
}

/** Like findEntry(), but makes the directories that are missing on the way: root's, with the mode 0755. */
export async function makeEntry(base: HeldDirectory, components: readonly string[]): Promise<Entry> {
  const entry = await walk(base, components, (above, name) => above.openOrMake(name, PARENT_MODE));
  if (entry === undefined) {
    throw new TypeError(`${base.path}/${components.join('/')} has no parent though it was made`);
  }
  return entry;
}

async function walk(
  base: HeldDirectory,
  components: readonly string[],
  open: (above: HeldDirectory, name: string) => Promise<HeldDirectory | undefined>,
): Promise<Entry | undefined> {
  let entry: Entry = { parent: base, name: components[0] ?? '', [Symbol.dispose]: () => {} };
  for (const name of components.slice(1)) {
    using above = entry;
    const parent = await open(above.parent, above.name);
    if (parent === undefined) {
      return undefined;
    }
    entry = { parent, name, [Symbol.dispose]: () => parent.close() };
  }
  return entry;
}

/** Opens a tree. @returns undefined if there is nothing at that place */
export async function openTree(base: HeldDirectory, components: readonly string[]): Promise<HeldDirectory | undefined> {
  using entry = await findEntry(base, components);
  return await entry?.parent.open(entry.name);
}
