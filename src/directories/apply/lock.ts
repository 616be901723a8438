/**
 * Locks a tree while it is worked on, by a directory in <base>/private: other allocators that share the file system, as a
 * container with its host or two hosts by NFS, see it too. The one importer of proper-lockfile.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { callbackify } from 'node:util';
import lockfile, { type LockOptions as FileLockOptions } from 'proper-lockfile';
import { DIRECTORY_KINDS, type DirectoriesInUse, type LeasedDirectory } from '../../core/directory.ts';
import { PRIVATE, PRIVATE_MODE } from '../../core/directory-classes.ts';
import { hasCode } from '../../files/pinned-directory.ts';
import { directoryFailed, systemWords } from '../errors.ts';
import type { HeldDirectory, OpenBases } from '../held-directory.ts';
import { LOCK_POLL_MS, LOCK_STALE_MS, LOCK_WAIT_MS } from '../limits.ts';
import { checkPrivateParent } from '../plan/plan.ts';
import { isUnshared } from '../plan/sharing.ts';

export interface TreeLock extends AsyncDisposable {
  /** what the trees are below; valid while they are locked */
  readonly base: HeldDirectory;
}

export interface LockOptions {
  readonly staleMs: number;
  readonly waitMs: number;
}

const LOCK_SUFFIX = '.dynuser-lock';
/** Longer names would leave no room for the rest of the lock's name. */
const PLAIN_NAME_MAX = 200;

/** proper-lockfile works by paths, and must not be led away from its directory by a symlink that has its name. */
const NEVER_FOLLOWING = { stat: fs.lstat, utimes: fs.lutimes };

/** For a base in memory. One object is enough: the times of such file systems are all as precise. */
const HERE = {
  mkdir: callbackify(async (path: string) => fs.mkdirSync(path)),
  rmdir: callbackify(async (path: string) => fs.rmdirSync(path)),
  stat: callbackify(async (path: string) => fs.lstatSync(path)),
  utimes: callbackify(async (path: string, access: Date, change: Date) => fs.lutimesSync(path, access, change)),
};

/** @returns the name of the lock of a tree, whose path below the base is given */
export function lockName(source: string): string {
  const plain = source.replace(/[%/]/g, character => (character === '%' ? '%25' : '%2F'));
  const name = Buffer.byteLength(plain) <= PLAIN_NAME_MAX ? plain : createHash('sha256').update(source).digest('hex');
  return `.${name}${LOCK_SUFFIX}`;
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
  lost: (reason: Error) => void,
  options: LockOptions = { staleMs: LOCK_STALE_MS, waitMs: LOCK_WAIT_MS },
): Promise<TreeLock> {
  // The locks are reached through this descriptor for as long as they are held.
  const parent = await openPrivateParent(base);
  const held: (() => Promise<void>)[] = [];
  const release = async () => {
    for (const unlock of held.splice(0).reverse()) {
      // A lock that was lost has been reported by `lost`, and one that cannot be removed expires by itself.
      await unlock().catch(() => undefined);
    }
    parent.close();
  };
  for (const tree of withAncestors(sources)) {
    try {
      held.push(await takeLock(parent, lockName(tree), lost, options));
    } catch (error) {
      await release();
      const path = `${parent.path}/${tree}`;
      const reason = hasCode(error, 'ELOCKED')
        ? `${path} is being handed over by another, who took longer than ${options.waitMs / 1000} s`
        : `cannot lock ${path}: ${systemWords(error)}`;
      throw directoryFailed(base.field, reason, error);
    }
  }
  return { base, [Symbol.asyncDispose]: release };
}

/**
 * Opens <base>/private, which the private directories are in, and makes it if it is missing.
 * @throws DynuserError DirectoryFailed if it is not a directory, or not root's, or others may enter
 */
async function openPrivateParent(base: HeldDirectory): Promise<HeldDirectory> {
  const opened = await base.openOrMake(PRIVATE, PRIVATE_MODE);
  if (opened === undefined) {
    throw directoryFailed(base.field, `${base.path}/${PRIVATE} was removed the moment it was made`);
  }
  try {
    checkPrivateParent(opened.path, await opened.status(), base.field);
    return opened;
  } catch (error) {
    opened.close();
    throw error;
  }
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
  const lock = await lockTrees(base, [source], () => {});
  if (isUnshared({ kind, source }, live())) {
    return lock;
  }
  await lock[Symbol.asyncDispose]();
  return undefined;
}

/**
 * Removes the locks of holders that were killed: each is taken, as the next request for its tree would take it, and released. Locks that
 * others hold are left alone, and so are those that cannot be examined.
 * @returns whether locks are left, which may be those of a holder who was killed a moment ago
 */
export async function sweepLocks(bases: OpenBases, staleMs: number): Promise<boolean> {
  let isLeft = false;
  for (const kind of DIRECTORY_KINDS) {
    using parent = await bases
      .find(kind)
      .then(base => base?.open(PRIVATE))
      .catch(() => undefined);
    if (parent === undefined) {
      continue;
    }
    const names = await parent.names().catch(() => []);
    for (const name of names.filter(one => one.endsWith(LOCK_SUFFIX))) {
      try {
        const unlock = await takeLock(parent, name, () => {}, { staleMs, waitMs: 0 });
        await unlock();
      } catch {
        isLeft = true;
      }
    }
  }
  return isLeft;
}

/** @returns each path once with all that it is below, in a total order */
function withAncestors(sources: readonly string[]): string[] {
  const all = sources.flatMap(source => {
    const components = source.split('/');
    return components.map((_, index) => components.slice(0, index + 1).join('/'));
  });
  return [...new Set(all)].sort();
}

function takeLock(
  parent: HeldDirectory,
  name: string,
  lost: (reason: Error) => void,
  options: LockOptions,
): Promise<() => Promise<void>> {
  const path = parent.entry(name);
  const lock = (retries: NonNullable<FileLockOptions['retries']>) =>
    lockfile.lock(path, {
      lockfilePath: path,
      realpath: false,
      // An object for each lock: proper-lockfile notes on it how precise the times of that file system are.
      fs: parent.inMemory ? HERE : { ...fs, ...NEVER_FOLLOWING },
      stale: options.staleMs,
      retries,
      onCompromised: lost,
    });
  // The library makes a list of all retries, which takes longer than the lock, before it tries for the first time.
  return lock(0).catch((error: unknown) => {
    if (!hasCode(error, 'ELOCKED')) {
      throw error;
    }
    return lock({
      retries: Math.ceil(options.waitMs / LOCK_POLL_MS),
      factor: 1,
      minTimeout: LOCK_POLL_MS,
      maxTimeout: LOCK_POLL_MS,
      maxRetryTime: options.waitMs,
    });
  });
}
