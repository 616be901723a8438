/** Removes the directories that go with their user, and all links to them: the links first, so that none ever dangles. */
import type { DirectoriesInUse, LeasedDirectory } from '../../core/directory.ts';
import { BOUNDARY, DIRECTORY_CLASSES } from '../classes.ts';
import type { RoomParts } from '../decided.ts';
import type { HeldDirectory } from '../held-directory.ts';
import { type Entry, findEntry, lookAt } from '../observe/path.ts';
import { withBases } from '../open-bases.ts';
import { relativePath } from '../plan/layout.ts';
import { isBelow } from '../plan/request.ts';
import { isUnshared } from '../plan/sharing.ts';
import { lockTrees } from './lock.ts';
import { openBoundary } from './private-directory.ts';

export async function removeDirectories(
  parts: RoomParts,
  directories: readonly LeasedDirectory[],
  live: () => readonly DirectoriesInUse[],
): Promise<readonly string[]> {
  const removed: string[] = [];
  const own = directories.filter(directory => !directory.preserved);
  const outermost = own.filter(one => !own.some(other => other.kind === one.kind && isBelow(one.source, other.source)));
  return withBases(parts.bases, async open => {
    for (const directory of outermost) {
      const { field } = DIRECTORY_CLASSES[directory.kind];
      const base = await open.find(directory.kind);
      if (base === undefined) {
        continue;
      }
      const boundary = await openBoundary(base, field);
      try {
        const lock = await lockTrees(boundary, [directory.source], field, () => {});
        try {
          // Asked under the lock: who has prepared the directory meanwhile has its lease by now.
          if (isUnshared(directory, live()) && (await removeOne(parts, base, directory, own))) {
            removed.push(`${parts.bases[directory.kind]}/${directory.source}`);
          }
        } finally {
          await lock.release();
        }
      } finally {
        boundary.close();
      }
    }
    return removed;
  });
}

/** Tree and link may be on either side of the boundary: what a former version or systemd left is removed as well. */
async function removeOne(
  parts: RoomParts,
  base: HeldDirectory,
  directory: LeasedDirectory,
  own: readonly LeasedDirectory[],
): Promise<boolean> {
  const open = directory.source.split('/');
  const closed = [BOUNDARY, ...open];
  for (const { kind, source, aliases } of own) {
    const inside = kind === directory.kind && (source === directory.source || isBelow(source, directory.source));
    for (const alias of inside ? aliases : []) {
      const target = source.split('/');
      await removeLink(base, alias.split('/'), [target, [BOUNDARY, ...target]]);
    }
  }
  await removeLink(base, open, [closed]);
  const { field } = DIRECTORY_CLASSES[directory.kind];
  const wasOpen = await removeTree(parts, base, open, field);
  const wasClosed = await removeTree(parts, base, closed, field);
  return wasOpen || wasClosed;
}

async function removeLink(
  base: HeldDirectory,
  place: readonly string[],
  targets: readonly (readonly string[])[],
): Promise<void> {
  await ifThere(base, place, async entry => {
    const found = await lookAt(entry);
    const { text } = found.kind === 'link' ? found : { text: undefined };
    if (text !== undefined && targets.some(target => text === relativePath(place, target))) {
      await entry.parent.unlink(entry.name);
    }
  });
}

async function removeTree(
  { helper }: RoomParts,
  base: HeldDirectory,
  place: readonly string[],
  field: string,
): Promise<boolean> {
  let removed = false;
  await ifThere(base, place, async entry => {
    if ((await lookAt(entry)).kind !== 'directory') {
      return;
    }
    const top = await entry.parent.open(entry.name);
    if (top === undefined) {
      return;
    }
    try {
      await helper.removeContents(top, { field });
    } finally {
      top.close();
    }
    await entry.parent.removeDirectory(entry.name);
    removed = true;
  });
  return removed;
}

async function ifThere(
  base: HeldDirectory,
  place: readonly string[],
  action: (entry: Entry) => Promise<void>,
): Promise<void> {
  const entry = await findEntry(base, place, false);
  try {
    if (entry !== undefined) {
      await action(entry);
    }
  } finally {
    entry?.close();
  }
}
