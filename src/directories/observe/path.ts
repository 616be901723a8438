/** Walks paths below a base component by component, each opened and checked; nothing on the way is followed. */
import { PARENT_MODE } from '../classes.ts';
import type { HeldDirectory } from '../held-directory.ts';

/** The directory that a path's last component is in, and that component. */
export interface Entry {
  readonly parent: HeldDirectory;
  readonly name: string;
  /** Closes the parent, unless that is the base. */
  close(): void;
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
  let parent = base;
  const close = () => {
    if (parent !== base) {
      parent.close();
    }
  };
  for (const name of components.slice(0, -1)) {
    let below: HeldDirectory | undefined;
    try {
      below = await openParent(parent, name, make);
    } finally {
      close();
    }
    if (below === undefined) {
      return undefined;
    }
    parent = below;
  }
  return { parent, name: components.at(-1) ?? '', close };
}

async function openParent(above: HeldDirectory, name: string, make: boolean): Promise<HeldDirectory | undefined> {
  const present = await above.open(name);
  if (present !== undefined || !make) {
    return present;
  }
  await above.make(name, PARENT_MODE);
  return above.open(name);
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
    entry.close();
  }
}

export async function lookAt({ parent, name }: Pick<Entry, 'parent' | 'name'>): Promise<Found> {
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
    entry.close();
  }
}
