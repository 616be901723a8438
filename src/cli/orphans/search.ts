/**
 * Searches file trees for inodes of certain owners, and gives them to another one. dynuser-helper does both, in one process for each tree, which
 * gets the top of the tree as an open descriptor. No symlink is followed, and no mount point is entered.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { CommandFailure } from '../failure.ts';
import { ORPHANS_MAX } from '../limits.ts';
import { printable } from '../render/text.ts';
import type { OwnedPath } from './judge.ts';

/** How often a tree is walked anew if somebody moved its directories meanwhile. */
const TRIES = 3;
const STDIN_TO_STDERR = ['pipe', 'pipe', 'pipe'] as const;

export interface SearchProgress {
  readonly root: string;
  readonly inodes: number;
}

export interface Search {
  /** the path of dynuser-helper */
  readonly helper: string;
  /** FIRST-LAST, with commas in between */
  readonly ranges: string;
  readonly onProgress: (progress: SearchProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Walks one tree.
 * @param use gets what is found, which may be what was found before if the walk begins anew
 * @throws CommandFailure if the tree cannot be walked
 */
export async function searchTree(root: string, search: Search, use: (found: OwnedPath) => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    const outcome = await walkOnce(root, search, use);
    if (outcome === undefined) {
      return;
    }
    if (!outcome.startsWith('changed') || tries === TRIES) {
      throw new CommandFailure(`${printable(root)}: the walk ended: ${printable(outcome)}`);
    }
  }
}

/** @returns why it did not come to its end */
async function walkOnce(root: string, search: Search, use: (found: OwnedPath) => void): Promise<string | undefined> {
  let count = 0;
  return await runHelper(root, search, ['find', search.ranges], '', async output => {
    await eachEntry(output, entry => {
      const [, uid = '', path = ''] = /^(\d+) (.*)$/s.exec(entry) ?? [];
      if (++count > ORPHANS_MAX) {
        throw new CommandFailure(`${printable(root)}: more than ${ORPHANS_MAX} files; name a smaller tree`);
      }
      use({ uid: Number(uid), path });
    });
  });
}

/**
 * Gives inodes below a tree to another owner, each only if it still has the former one.
 * @returns how many were given
 * @throws CommandFailure
 */
export async function adoptPaths(
  root: string,
  search: Search,
  paths: readonly OwnedPath[],
  owner: { readonly uid: number; readonly gid: number },
): Promise<number> {
  let given = 0;
  const relative = ({ path }: OwnedPath): string => (root === '/' ? path.slice(1) : path.slice(root.length + 1));
  const input = paths.map(path => `${path.uid} ${relative(path)}\0`).join('');
  const failure = await runHelper(
    root,
    search,
    ['adopt', String(owner.uid), String(owner.gid)],
    input,
    async output => {
      for await (const line of createInterface({ input: output })) {
        const [kind, , changed] = line.split(' ');
        given = kind === 'done' ? Number(changed) : given;
      }
    },
  );
  if (failure !== undefined) {
    throw new CommandFailure(`${printable(root)}: ${printable(failure)}`);
  }
  return given;
}

/** @returns undefined, or the last line that the helper said */
async function runHelper(
  root: string,
  { helper, onProgress, signal }: Search,
  verb: readonly string[],
  input: string,
  read: (output: Readable) => Promise<void>,
): Promise<string | undefined> {
  const top = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  let last = '';
  try {
    const child = spawn(helper, ['tree', ...verb], { stdio: [...STDIN_TO_STDERR, top], env: {}, cwd: '/', signal });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const [stdin, stdout, stderr] = [child.stdin, child.stdout, child.stderr];
    stdin?.on('error', () => undefined);
    stdin?.end(input, 'latin1');
    stderr?.setEncoding('latin1').on('data', (text: string) => {
      last = text.trimEnd().split('\n').at(-1) ?? last;
      const [kind, inodes] = last.split(' ');
      if (kind === 'progress') {
        onProgress({ root, inodes: Number(inodes) });
      }
    });
    const reading =
      stdout === null
        ? Promise.resolve()
        : read(stdout).catch((error: unknown) => {
            child.kill('SIGKILL');
            throw error;
          });
    const [status] = await Promise.all([ended, reading]);
    return status === 0 ? undefined : last === '' ? `the helper ended with the status ${status}` : last;
  } finally {
    closeSync(top);
  }
}

/** Entries that end with a NUL; bytes are characters of Latin-1, so that every path comes out as it came in. */
async function eachEntry(output: Readable, use: (entry: string) => void): Promise<void> {
  let rest = '';
  for await (const chunk of output.setEncoding('latin1')) {
    const entries = (rest + String(chunk)).split('\0');
    rest = entries.pop() ?? '';
    for (const entry of entries) {
      use(entry);
    }
  }
}
