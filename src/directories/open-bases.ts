/** Opens the bases that directories are below, each once, and closes them all at the end. */
import { dirname } from 'node:path';
import type { DirectoryKind } from '../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES } from './classes.ts';
import { HeldDirectory } from './held-directory.ts';

export interface OpenBases {
  /** @returns the base, made where it is missing: a host may come up with an empty /var */
  make(kind: DirectoryKind): Promise<HeldDirectory>;
  /** @returns the base, or undefined where it is missing */
  find(kind: DirectoryKind): Promise<HeldDirectory | undefined>;
}

/** @param action gets what opens a base at its first use */
export async function withBases<T>(bases: BaseDirectories, action: (open: OpenBases) => Promise<T>): Promise<T> {
  const opened = new Map<DirectoryKind, HeldDirectory>();
  async function find(kind: DirectoryKind): Promise<HeldDirectory | undefined> {
    const base = opened.get(kind) ?? (await HeldDirectory.openBase(bases[kind], DIRECTORY_CLASSES[kind].field));
    if (base !== undefined) {
      opened.set(kind, base);
    }
    return base;
  }
  async function make(kind: DirectoryKind): Promise<HeldDirectory> {
    const base = (await find(kind)) ?? (await HeldDirectory.makeBase(bases[kind], DIRECTORY_CLASSES[kind].field));
    opened.set(kind, base);
    return base;
  }
  try {
    return await action({ make, find });
  } finally {
    for (const base of opened.values()) {
      base.close();
    }
  }
}

/** @returns the nearest directory above a path that there is: what is made at the path is on the same file system */
export async function openAbove(path: string, field: string): Promise<HeldDirectory> {
  const above = dirname(path);
  return (await HeldDirectory.openBase(above, field)) ?? openAbove(above, field);
}
