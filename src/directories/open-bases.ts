/** Opens the base directories of a request, each once. */
import { dirname } from 'node:path';
import type { DirectoryKind } from '../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES } from '../core/directory-classes.ts';
import { HeldDirectory } from './held-directory.ts';

export class OpenBases implements Disposable {
  readonly #paths: BaseDirectories;
  readonly #opened = new Map<DirectoryKind, HeldDirectory>();

  constructor(paths: BaseDirectories) {
    this.#paths = paths;
  }

  /** @returns the base, or undefined if it is missing */
  async find(kind: DirectoryKind): Promise<HeldDirectory | undefined> {
    const base =
      this.#opened.get(kind) ?? (await HeldDirectory.openBase(this.#paths[kind], DIRECTORY_CLASSES[kind].field));
    if (base !== undefined) {
      this.#opened.set(kind, base);
    }
    return base;
  }

  /** @returns the base, made if it is missing: a host may come up with an empty /var */
  async make(kind: DirectoryKind): Promise<HeldDirectory> {
    const base =
      (await this.find(kind)) ?? (await HeldDirectory.makeBase(this.#paths[kind], DIRECTORY_CLASSES[kind].field));
    this.#opened.set(kind, base);
    return base;
  }

  [Symbol.dispose](): void {
    for (const base of this.#opened.values()) {
      base.close();
    }
    this.#opened.clear();
  }
}

/** @returns the nearest directory above a path that exists: what is made at the path is on the same file system */
export async function openAbove(path: string, field: string): Promise<HeldDirectory> {
  const above = dirname(path);
  return (await HeldDirectory.openBase(above, field)) ?? openAbove(above, field);
}
