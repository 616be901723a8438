/** The parts of the module over a directory on the disk, without root: what needs it is in test/integration/directories/. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import type { DirectorySettings, RequestedDirectory } from '../../../src/core/directory.ts';
import type { DirectoryDeps } from '../../../src/directories/deps.ts';
import { Activity } from '../../../src/directories/observe/activity.ts';
import { MapSupport } from '../../../src/directories/observe/map-support.ts';
import { requestedDirectories } from '../../../src/directories/plan/request.ts';
import type { TreeHelper } from '../../../src/directories/tree-helper.ts';

/** A directory that is gone after the test. */
export function temporaryRoot(context: TestContext): string {
  const root = mkdtempSync(`${tmpdir()}/dynuser-directories-`);
  context.after(() => rmSync(root, { recursive: true }));
  return root;
}

/** @param root the base of all classes. The inspector has no answer, so that each step is made in this process. */
export function depsOver(root: string, more: Partial<DirectoryDeps> = {}): DirectoryDeps {
  return {
    bases: { runtime: root, state: root, cache: root, logs: root },
    helper: {} as TreeHelper,
    mapSupport: new MapSupport(async () => false),
    hints: { read: async () => undefined, write: async () => {} },
    inspector: { inspect: async () => undefined },
    activity: new Activity(),
    sharedStorages: () => [],
    ...more,
  };
}

/** @returns the state directories of a request with these values */
export function requested(
  values: readonly string[],
  settings: Partial<DirectorySettings> = {},
): readonly RequestedDirectory[] {
  const request = { runtime: [], state: values, cache: [], logs: [] };
  return requestedDirectories(request, { modes: {}, preserveRuntime: false, ...settings });
}

/** @returns the paths below a directory that this process has open */
export function openBelow(root: string): readonly string[] {
  const paths: string[] = [];
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      paths.push(readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The descriptor of the listing itself.
    }
  }
  return paths.filter(path => path === root || path.startsWith(`${root}/`)).sort();
}
