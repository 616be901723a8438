/**
 * The list of what `npm run stage` has put below a directory. It is kept there, so that all can be removed again, and so that the next version
 * removes what it no longer has. Each line has the SHA-256 of a file, or `link` or `directory`, and the path relative to the directory.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Installed } from './installed-files.ts';

export interface ManifestEntry {
  readonly path: string;
  /** directory: one that was made for the files, and may have files of others since */
  readonly kind: 'file' | 'link' | 'directory';
  /** of a file its SHA-256, of a link what it says */
  readonly content: string;
}

const HEADER = '# What "npm run stage" installed here. "npm run stage -- --uninstall DIR" takes it away.\n';
const LINE = /^(?<content>[0-9a-f]{64}|link \S+|directory) {2}(?<path>\S+)$/;

export function entryOf(installed: Installed): ManifestEntry {
  return 'target' in installed
    ? { path: installed.path, kind: 'link', content: installed.target }
    : { path: installed.path, kind: 'file', content: digest(installed.content) };
}

export function renderManifest(entries: readonly ManifestEntry[]): string {
  const lines = entries.map(({ path, kind, content }) => {
    const what = kind === 'file' ? content : kind === 'link' ? `link ${content}` : 'directory';
    return `${what}  ${path}\n`;
  });
  return HEADER + lines.join('');
}

/** @throws Error if a line has another form, or its path leads out of the directory: nothing is removed by such a list */
export function parseManifest(text: string, file: string): ManifestEntry[] {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return lines.map(line => {
    const { content = '', path = '' } = LINE.exec(line)?.groups ?? {};
    const parts = path.split('/');
    if (parts.some(part => part === '' || part === '.' || part === '..')) {
      throw new Error(`${file}: "${line}" is not a line of a manifest; remove what was installed by hand`);
    }
    if (content === 'directory') {
      return { path, kind: 'directory', content: '' };
    }
    return content.startsWith('link ')
      ? { path, kind: 'link', content: content.slice('link '.length) }
      : { path, kind: 'file', content };
  });
}

/**
 * Removes files and links that still are what was installed. A list may have a path twice, with what was there before and after an
 * installation that may not have come to its end.
 * @returns the paths of those that are something else now
 */
export function removeInstalled(root: string, entries: readonly ManifestEntry[]): string[] {
  const kept: string[] = [];
  for (const path of new Set(entries.filter(({ kind }) => kind !== 'directory').map(entry => entry.path))) {
    const present = readPresent(`${root}/${path}`);
    const isOurs = entries.some(
      entry => entry.path === path && entry.kind === present?.kind && entry.content === present.content,
    );
    if (isOurs) {
      rmSync(`${root}/${path}`);
    } else if (present !== undefined) {
      kept.push(path);
    }
  }
  return kept;
}

/** Removes those of the directories that have nothing in them, the deepest first. */
export function removeEmptyDirectories(root: string, entries: readonly ManifestEntry[]): void {
  const directories = entries.filter(({ kind }) => kind === 'directory').map(({ path }) => path);
  for (const path of directories.sort((one, other) => other.split('/').length - one.split('/').length)) {
    try {
      rmdirSync(`${root}/${path}`);
    } catch {
      // Somebody else has something in it, or has removed it.
    }
  }
}

/** @returns the directories above a path, relative, from the top: "usr/lib/dynuser/x" → usr, usr/lib, usr/lib/dynuser */
export function directoriesAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [...directoriesAbove(parent), parent];
}

function readPresent(path: string): Omit<ManifestEntry, 'path'> | undefined {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) {
    return undefined;
  }
  if (status.isSymbolicLink()) {
    return { kind: 'link', content: readlinkSync(path) };
  }
  return status.isFile() ? { kind: 'file', content: digest(readFileSync(path)) } : { kind: 'directory', content: '' };
}

function digest(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
