/**
 * Trees to try dynuser-helper on, on the disk and not on tmpfs: made, listed, and removed at the end. A listing has all
 * that a handover could change or damage.
 */
import { type ChildProcess, execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';

export const HELPER = `${CHECKOUT}dist/lib/dynuser-helper`;

/** UIDs of the dynamic range. */
export const OLD = 61_301;
export const NEW = 61_302;
export const THIRD = 61_303;

/** Listings of large trees are some megabytes. */
const LISTING_MAX = 256 * 1024 * 1024;

/** @returns a directory of the test's own, root's, which is removed when the test ends */
export function temporaryDirectory(context: TestContext): string {
  const path = mkdtempSync('/var/tmp/dynuser-tree-');
  // rm(1) gets to any depth; rmSync() recurses on its stack.
  context.after(() => execFileSync('rm', ['-rf', path]));
  return path;
}

/** Starts a verb on the tree at a path, with its top as the descriptor that the daemon passes. */
export function startVerb(top: string, verb: readonly (string | number)[]): ChildProcess {
  const descriptor = openSync(top, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return spawn(HELPER, ['tree', ...verb.map(String)], { stdio: ['ignore', 'pipe', 'pipe', descriptor] });
  } finally {
    closeSync(descriptor);
  }
}

export interface VerbResult {
  readonly status: number | null;
  /** the lines but for those of progress */
  readonly lines: readonly string[];
  readonly last: string;
  readonly stderr: string;
}

/** Runs a verb to its end. */
export function runVerb(top: string, verb: readonly (string | number)[], program = HELPER): VerbResult {
  const descriptor = openSync(top, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return resultOf(
      spawnSync(program, ['tree', ...verb.map(String)], {
        stdio: ['ignore', 'pipe', 'pipe', descriptor],
        encoding: 'utf8',
      }),
    );
  } finally {
    closeSync(descriptor);
  }
}

export function resultOf(result: SpawnSyncReturns<string>): VerbResult {
  const lines = result.stdout.split('\n').filter(line => line !== '' && !line.startsWith('progress '));
  return { status: result.status, lines, last: lines.at(-1) ?? '', stderr: result.stderr };
}

export function chown(top: string, uid: number, mode = '755'): VerbResult {
  return runVerb(top, ['chown', uid, uid, mode]);
}

/** Runs a shell script in a directory, with its arguments as $1 and so on. */
export function shell(directory: string, script: string, ...args: readonly (string | number)[]): string {
  return execFileSync('sh', ['-euc', script, 'sh', ...args.map(String)], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: LISTING_MAX,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/**
 * Everything below a directory but for owners: types, modes without setuid and setgid, link counts, sizes, times of
 * contents, targets of symlinks, names as they are, and the contents of files that are not too deep. find(1) gets to any
 * depth.
 */
export function contents(directory: string): Buffer {
  const listing = listBytes(
    directory,
    'find . -depth ! -type d -printf "%y %m %n %s %T@ %l %p\\0" -o -printf "%y %m %p\\0" | sort -z',
  );
  const sums = listBytes(directory, 'find . -maxdepth 8 -type f -execdir sha256sum -z -- {} + | sort -z');
  return Buffer.concat([listing, sums]);
}

/** How many inodes below a directory, and it, have each owner: "UID:GID" → count. */
export function owners(directory: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const owner of listBytes(directory, 'find . -printf "%U:%G\\0"').toString().split('\0').slice(0, -1)) {
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return counts;
}

export function listBytes(directory: string, script: string): Buffer {
  return execFileSync('sh', ['-euc', script], { cwd: directory, maxBuffer: LISTING_MAX });
}

/** Makes a chain of directories by descriptors, since a path of it would be too long; each has a file. */
export function makeDeep(top: string, depth: number): void {
  let descriptor = openSync(top, constants.O_RDONLY | constants.O_DIRECTORY);
  for (let level = 0; level < depth; level++) {
    const here = `/proc/self/fd/${descriptor}`;
    mkdirSync(`${here}/d`);
    closeSync(openSync(`${here}/f`, 'w'));
    const below = openSync(`${here}/d`, constants.O_RDONLY | constants.O_DIRECTORY);
    closeSync(descriptor);
    descriptor = below;
  }
  closeSync(descriptor);
}

/** Makes directories with empty files, all of one owner. */
export function makeFlat(top: string, directories: number, files: number, owner: number): void {
  mkdirSync(top, { recursive: true });
  for (let directory = 0; directory < directories; directory++) {
    mkdirSync(`${top}/${directory}`);
    for (let file = 0; file < files; file++) {
      closeSync(openSync(`${top}/${directory}/${file}`, 'w'));
    }
  }
  shell(top, 'chown -R "$1:$1" .', owner);
}
