/** Walks paths below a base component by component, each opened and checked; nothing on the way is followed. */
import { PARENT_MODE } from './classes.ts';
import type { HeldDirectory } from './held-directory.ts';

/** The directory that a path's last component is in, and that component. The parent is the caller's to close. */
export interface Entry {
  readonly parent: HeldDirectory;
  readonly name: string;
}

/**
 * @param make whether directories that are missing on the way are made, root's and 0755
 * @returns undefined where one is missing
 * @throws DynuserError DirectoryFailed where something on the way is no directory
 */
export async function findEntry(
  base: HeldDirectory,
  components: readonly string[],
  make: boolean,
): Promise<Entry | undefined> {
  const names = components.slice(0, -1);
  // A handle of its own, so that a caller always has one to close, even for an entry right below the base.
  let parent: HeldDirectory | undefined = await base.duplicate();
  for (const name of names) {
    const above: HeldDirectory = parent;
    try {
      if (make) {
        await above.make(name, PARENT_MODE);
      }
      parent = await above.open(name);
    } finally {
      await above.close();
    }
    if (parent === undefined) {
      return undefined;
    }
  }
  return { parent, name: components.at(-1) ?? '' };
}

/** What is found at a place below a base. */
export type Found =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'directory' }
  | { readonly kind: 'link'; readonly text: string }
  | { readonly kind: 'other' };

export async function findWhat(base: HeldDirectory, components: readonly string[]): Promise<Found> {
  const entry = await findEntry(base, components, false);
  if (entry === undefined) {
    return { kind: 'nothing' };
  }
  try {
    return await lookAt(entry);
  } finally {
    await entry.parent.close();
  }
}

export async function lookAt({ parent, name }: Entry): Promise<Found> {
  const status = await parent.look(name);
  if (status === undefined) {
    return { kind: 'nothing' };
  }
  if (status.isSymbolicLink()) {
    return { kind: 'link', text: await parent.readLink(name) };
  }
  return { kind: status.isDirectory() ? 'directory' : 'other' };
}

/** Opens a tree. @returns undefined where there is nothing at that place */
export async function openTree(base: HeldDirectory, components: readonly string[]): Promise<HeldDirectory | undefined> {
  const entry = await findEntry(base, components, false);
  if (entry === undefined) {
    return undefined;
  }
  try {
    return await entry.parent.open(entry.name);
  } finally {
    await entry.parent.close();
  }
}
