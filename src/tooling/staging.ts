/**
 * Puts what is installed below a directory, and takes it away again, by a list that it leaves there. The checkout (`npm run stage`) and
 * the tarball with Node inside (`install`) do it alike, so that each can replace what the other installed.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { installFile, installLink } from './install-file.ts';
import { type Installed, PRIVATE } from './installed-files.ts';
import {
  directoriesAbove,
  entryOf,
  type ManifestEntry,
  parseManifest,
  removeEmptyDirectories,
  removeInstalled,
  renderManifest,
} from './manifest.ts';

const MANIFEST = `${PRIVATE}/installed-files`;
const DATA = 0o644;
/** Relative to the directory: which users live, by the daemon that was installed there. */
const LEASES = 'run/dynuser/leases';

/** What it has to say besides that it was done. */
export type Say = (message: string) => void;

/** @throws Error if there is something else than a directory under that name */
export function checkDirectory(root: string): void {
  if (existsSync(root) && !statSync(root).isDirectory()) {
    throw new Error(`${root}: it is not a directory; name one, or one to make`);
  }
}

/** Installs files, and takes away what only the former version had. */
export function stage(root: string, installed: readonly Installed[]): string {
  const before = readManifest(root);
  const files = new Set([MANIFEST, ...installed.map(({ path }) => path)]);
  const directories = new Set([...files].flatMap(directoriesAbove));
  const made = [...directories].filter(
    path => !existsSync(`${root}/${path}`) || before.some(entry => entry.kind === 'directory' && entry.path === path),
  );
  const entries: ManifestEntry[] = [
    ...installed.map(entryOf),
    ...made.map(path => ({ path, kind: 'directory' as const, content: '' })),
  ];
  // First with what is there now and what will be: whenever this ends, all that it has installed is on the list.
  writeManifest(root, [...entries, ...before]);
  layOut(root, installed);
  const left = before.filter(({ path, kind }) => (kind === 'directory' ? !directories.has(path) : !files.has(path)));
  removeInstalled(root, left);
  removeEmptyDirectories(root, left);
  writeManifest(root, entries);
  return `staged ${installed.length} files below ${root}`;
}

function writeManifest(root: string, entries: readonly ManifestEntry[]): void {
  installFile(resolve(root, MANIFEST), renderManifest(entries), DATA);
}

/** @throws Error if nothing was installed by a list, or users live whom nobody could end any more */
export function uninstall(root: string, say: Say): string {
  if (!existsSync(resolve(root, MANIFEST))) {
    throw new Error(
      `${resolve(root, MANIFEST)}: no such file; nothing was staged here, or a package manager has to remove it`,
    );
  }
  const users = existsSync(resolve(root, LEASES)) ? readdirSync(resolve(root, LEASES)).length : 0;
  if (users > 0) {
    throw new Error(
      `${resolve(root, LEASES)}: ${users} users live; release them first (dynuserctl list), then stop the daemon`,
    );
  }
  const entries = readManifest(root);
  const changed = removeInstalled(root, entries);
  rmSync(resolve(root, MANIFEST));
  removeEmptyDirectories(root, entries);
  for (const path of changed) {
    say(`${resolve(root, path)}: not as it was installed, so it stays; remove it if nobody needs it`);
  }
  if (hasNssWord(root)) {
    say(`${resolve(root, 'etc/nsswitch.conf')}: it still has the word dynuser; remove it`);
  }
  const paths = new Set(entries.filter(({ kind }) => kind !== 'directory').map(({ path }) => path));
  return `removed ${paths.size - changed.length} files below ${root}`;
}

function hasNssWord(root: string): boolean {
  const path = resolve(root, 'etc/nsswitch.conf');
  return existsSync(path) && /^[^#\n]*\bdynuser\b/m.test(readFileSync(path, 'utf8'));
}

function readManifest(root: string): ManifestEntry[] {
  const path = resolve(root, MANIFEST);
  return existsSync(path) ? parseManifest(readFileSync(path, 'utf8'), path) : [];
}

/** Puts files in their places, and leaves no list. */
export function layOut(root: string, installed: readonly Installed[]): void {
  for (const each of installed) {
    if ('target' in each) {
      installLink(resolve(root, each.path), each.target);
    } else {
      installFile(resolve(root, each.path), each.content, each.mode);
    }
  }
}
