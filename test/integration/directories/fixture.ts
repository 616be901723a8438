/** The directories module over bases that a test made, on the disk, with the real helper. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type {
  Directories,
  DirectoriesOfLease,
  DirectoryUser,
  PathInspector,
  PrepareOptions,
} from '../../../src/allocator/directory-ports.ts';
import type {
  DirectoriesInUse,
  DirectoryKind,
  DirectorySettings,
  RequestedDirectory,
} from '../../../src/core/directory.ts';
import type { BaseDirectories } from '../../../src/core/directory-classes.ts';
import { asGid, asUid, type Uid } from '../../../src/core/ids.ts';
import { parseUserName } from '../../../src/core/name.ts';
import { openDirectories } from '../../../src/directories/open-directories.ts';
import { HelperPathInspector } from '../../../src/host/helper/path-inspector.ts';
import { HostOwnerHints } from '../../../src/host/owner-hints.ts';
import { HELPER, temporaryDirectory } from '../../native/tree/fixture.ts';

export { NEW, OLD, THIRD } from '../../native/tree/fixture.ts';

export interface Setup {
  readonly directories: Directories;
  /** the parent of all bases */
  readonly root: string;
  /** Has the directories of a class prepared for a user. */
  prepare(
    user: DirectoryUser,
    values: readonly string[],
    options?: Partial<PrepareOptions> & Partial<DirectorySettings> & { readonly kind?: DirectoryKind },
  ): Promise<DirectoriesOfLease>;
}

/** @returns who a search for a UID would try first for these directories */
export async function ownersOf(
  { directories }: Setup,
  requested: readonly RequestedDirectory[],
): Promise<readonly Uid[]> {
  using snapshot = await directories.inspect(requested);
  return snapshot.owners;
}

/** Prepares and publishes directories, as for a lease that is written. */
export async function prepareAll(...[directories, ...given]: [Directories, ...Parameters<Directories['prepare']>]) {
  await using prepared = await directories.prepare(...given);
  prepared.commit();
  await prepared.publish();
  return { directories: prepared.directories, environment: prepared.environment };
}

export const NONE: () => readonly DirectoriesInUse[] = () => [];

/** @param program another helper, the parent of the bases of another setup, and who inspects paths */
export function openSetup(
  context: TestContext,
  program = HELPER,
  root = temporaryDirectory(context),
  inspector = helperInspector(context, program),
): Setup {
  const bases: BaseDirectories = {
    runtime: `${root}/run`,
    state: `${root}/lib`,
    cache: `${root}/cache`,
    logs: `${root}/log`,
  };
  for (const base of Object.values(bases)) {
    mkdirSync(base, { recursive: true, mode: 0o755 });
  }
  context.after(() => assert.deepEqual(descriptorsBelow(root), [], 'every directory that was opened is closed'));
  const directories = openDirectories(program, { hints: new HostOwnerHints(), inspector }, bases);
  return {
    directories,
    root,
    async prepare(user, values, options = {}) {
      const { kind = 'state', modes = {}, preserveRuntime = false, expose = false, ...more } = options;
      const request = { runtime: [], state: [], cache: [], logs: [], [kind]: values };
      const requested = directories.requested(request, { modes, preserveRuntime, expose });
      const defaults = { makesMounts: false, verify: false, live: NONE };
      return prepareAll(directories, requested, user, { ...defaults, ...more });
    },
  };
}

/** @returns the open files below a directory, which may be removed by now */
function descriptorsBelow(root: string): string[] {
  return readdirSync('/proc/self/fd')
    .map(descriptor => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        // It was the one of this very listing.
        return '';
      }
    })
    .filter(path => path.startsWith(`${root}/`));
}

function helperInspector(context: TestContext, program: string): PathInspector {
  const inspector = new HelperPathInspector([program]);
  context.after(() => inspector.close());
  return inspector;
}

export function userOf(id: number, dynamic = true, text = `user-${id}`): DirectoryUser {
  const name = parseUserName(text);
  const [uid, gid] = [asUid(id), asGid(id)];
  if (!('name' in name) || uid === undefined || gid === undefined) {
    throw new TypeError(`no user ${text} ${id}`);
  }
  return { name: name.name, uid, gid, dynamic };
}
