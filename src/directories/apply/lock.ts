/**
 * Locks a tree while it is worked on, by a directory in <base>/private: other allocators that share the file system, as a
 * container with its host or two hosts by NFS, see it too. The one importer of proper-lockfile.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import lockfile from 'proper-lockfile';
import type { DirectoriesInUse, LeasedDirectory } from '../../core/directory.ts';
import { DIRECTORY_CLASSES } from '../../core/directory-classes.ts';
import { hasCode } from '../../files/pinned-directory.ts';
import { directoryFailed, systemWords } from '../errors.ts';
import type { HeldDirectory } from '../held-directory.ts';
import { LOCK_POLL_MS, LOCK_STALE_MS, LOCK_WAIT_MS } from '../limits.ts';
import type { OpenBases } from '../open-bases.ts';
import { isUnshared } from '../plan/sharing.ts';
import { openPrivateParent } from './private-parent.ts';

export interface TreeLock extends AsyncDisposable {
  /** what the trees are below; valid while they are locked */
  readonly base: HeldDirectory;
}

export interface LockOptions {
  readonly staleMs: number;
  readonly waitMs: number;
}

const DEFAULTS: LockOptions = { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS };

/** Longer ones than this would leave no room for the rest of the name. */
const PLAIN_NAME_MAX = 200;

/** proper-lockfile works by paths, and must not be led away from its directory by a symlink that has its name. */
const NEVER_FOLLOWING = { stat: fs.lstat, utimes: fs.lutimes };

/** @returns the name of the lock of a tree, whose path below the base is given */
export function lockName(source: string): string {
  const plain = source.replace(/[%/]/g, character => (character === '%' ? '%25' : '%2F'));
  const name = Buffer.byteLength(plain) <= PLAIN_NAME_MAX ? plain : createHash('sha256').update(source).digest('hex');
  return `.${name}.dynuser-lock`;
}

/**
 * Takes the locks of trees of one class, and of all that these may be a part of, so that no two overlapping ones are
 * locked at a time; always in the same order, so that no two requests wait for each other.
 * @param sources the trees' paths below the base
 * @param lost called if a lock was taken from us, because this process stood still for longer than it lasts
 * @throws DynuserError DirectoryFailed if another holder does not let go in time
 */
export async function lockTrees(
  base: HeldDirectory,
  sources: readonly string[],
  field: string,
  lost: (reason: Error) => void,
  options: LockOptions = DEFAULTS,
): Promise<TreeLock> {
  // The locks are reached through this descriptor for as long as they are held.
  const parent = await openPrivateParent(base, field);
  const held: (() => Promise<void>)[] = [];
  const release = async () => {
    for (const unlock of held.splice(0).reverse()) {
      await unlock().catch(ignoreLost);
    }
    parent.close();
  };
  for (const tree of withAncestors(sources)) {
    try {
      held.push(await takeLock(parent.entry(lockName(tree)), lost, options));
    } catch (error) {
      await release();
      const path = `${parent.path}/${tree}`;
      throw hasCode(error, 'ELOCKED')
        ? directoryFailed(
            field,
            `${path} is being handed over by another, who took longer than ${options.waitMs / 1000} s`,
          )
        : directoryFailed(field, `cannot lock ${path}: ${systemWords(error)}`, error);
    }
  }
  return { base, [Symbol.asyncDispose]: release };
}

/**
 * Locks a directory that its user leaves.
 * @param live the live leases, asked under the lock: who has prepared the directory meanwhile has its lease by now
 * @returns undefined if another lease has it, or its base is missing
 */
export async function lockUnshared(
  bases: OpenBases,
  { kind, source }: LeasedDirectory,
  live: () => readonly DirectoriesInUse[],
): Promise<TreeLock | undefined> {
  const base = await bases.find(kind);
  if (base === undefined) {
    return undefined;
  }
  const lock = await lockTrees(base, [source], DIRECTORY_CLASSES[kind].field, () => {});
  if (isUnshared({ kind, source }, live())) {
    return lock;
  }
  await lock[Symbol.asyncDispose]();
  return undefined;
}

/** @returns each path once with all that it is below, in a total order */
function withAncestors(sources: readonly string[]): string[] {
  const all = sources.flatMap(source => {
    const components = source.split('/');
    return components.map((_, index) => components.slice(0, index + 1).join('/'));
  });
  return [...new Set(all)].sort();
}

function takeLock(path: string, lost: (reason: Error) => void, options: LockOptions): Promise<() => Promise<void>> {
  return lockfile.lock(path, {
    lockfilePath: path,
    realpath: false,
    // An object for each lock: proper-lockfile notes on it how precise the times of that file system are.
    fs: { ...fs, ...NEVER_FOLLOWING },
    stale: options.staleMs,
    retries: {
      retries: Math.ceil(options.waitMs / LOCK_POLL_MS),
      factor: 1,
      minTimeout: LOCK_POLL_MS,
      maxTimeout: LOCK_POLL_MS,
      maxRetryTime: options.waitMs,
    },
    onCompromised: lost,
  });
}

/** A lock that was lost has been told of by `lost`, and one that cannot be removed expires by itself. */
function ignoreLost(error: unknown): void {
  if (!(error instanceof Error)) {
    throw error;
  }
}
