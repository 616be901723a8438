/** Opens the bases that directories are below, each once, and closes them all at the end. */
import type { DirectoryKind } from '../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES } from './classes.ts';
import { HeldDirectory } from './held-directory.ts';

export type OpenBases = (kind: DirectoryKind) => Promise<HeldDirectory>;

/** @param action gets a function that opens a base at its first use */
export async function withBases<T>(bases: BaseDirectories, action: (open: OpenBases) => Promise<T>): Promise<T> {
  const opened = new Map<DirectoryKind, HeldDirectory>();
  try {
    return await action(async kind => {
      const present = opened.get(kind);
      if (present !== undefined) {
        return present;
      }
      const base = await HeldDirectory.openBase(bases[kind], DIRECTORY_CLASSES[kind].field);
      opened.set(kind, base);
      return base;
    });
  } finally {
    for (const base of opened.values()) {
      await base.close();
    }
  }
}
