/**
 * What is decided of the trees of a request before anything is done to them, and how a caller is told of one: the same for
 * those that are as they are to be and for those that have to be handed over.
 */

import type {
  DirectoryMarks,
  DirectoryPlaces,
  DirectoryUser,
  PreparedDirectory,
  PrepareOptions,
} from '../allocator/directory-ports.ts';
import type { HandoverKind, RequestedDirectory } from '../core/directory.ts';
import type { Tree } from './apply/hand-over.ts';
import { type BaseDirectories, DIRECTORY_CLASSES } from './classes.ts';
import { directoryFailed } from './errors.ts';
import type { TreeWork } from './observe/activity.ts';
import type { RememberingHelper } from './observe/map-support.ts';
import type { Handover } from './plan/handover.ts';
import { exposedLayoutOf, type Layout, layoutOf } from './plan/layout.ts';
import { isExposed, refuseSharing } from './plan/sharing.ts';
import type { TreeResult } from './tree-helper.ts';

export interface RoomParts {
  readonly bases: BaseDirectories;
  readonly helper: RememberingHelper;
  readonly marks: DirectoryMarks;
  readonly places: DirectoryPlaces;
  readonly work: TreeWork;
}

type Wanted = Pick<RequestedDirectory, 'kind' | 'source' | 'exposed'>;

export type Decided = Tree & { readonly handover: Handover };

export function isToExpose(directory: Pick<RequestedDirectory, 'exposed'>, user: DirectoryUser): boolean {
  return directory.exposed && user.dynamic;
}

/** Where a tree is handed over: behind the boundary, unless live processes have it at its public path already. */
export function layoutNow(
  { bases }: RoomParts,
  directory: RequestedDirectory,
  user: DirectoryUser,
  { live }: Pick<PrepareOptions, 'live'>,
): Layout {
  return isToExpose(directory, user) && isExposed(directory, live())
    ? exposedLayoutOf(directory, bases)
    : layoutOf(directory, user.dynamic, bases);
}

export function refuseShared(
  user: DirectoryUser,
  directories: readonly (Wanted & { readonly handover?: HandoverKind })[],
  { makesMounts, live }: Pick<PrepareOptions, 'makesMounts' | 'live'>,
): void {
  const wanted = directories.map(directory => ({ ...directory, exposed: isToExpose(directory, user) }));
  const refusal = refuseSharing(user.name, wanted, makesMounts, live());
  if (refusal !== undefined) {
    throw directoryFailed(refusal.field, refusal.reason);
  }
}

/** @returns how the tree of the same request is handed over that a directory is a part of */
export function handoverOf(
  decided: readonly Pick<Decided, 'directory' | 'handover'>[],
  { kind, below }: RequestedDirectory,
): HandoverKind | undefined {
  return decided.find(({ directory }) => directory.kind === kind && directory.source === below)?.handover.kind;
}

/** A tree as the caller is told of it, once it is the user's. @param identity of its top, as fstat(2) has it */
export function preparedOf(
  bases: BaseDirectories,
  { directory, layout: layoutBefore, handover }: Pick<Decided, 'directory' | 'layout' | 'handover'>,
  identity: Pick<PreparedDirectory, 'device' | 'inode'>,
  user: DirectoryUser,
  { changed, leftPaths, mountPaths }: Pick<TreeResult, 'changed' | 'leftPaths' | 'mountPaths'>,
): PreparedDirectory {
  const exposed = isToExpose(directory, user);
  const layout = exposed ? exposedLayoutOf(directory, bases) : layoutBefore;
  const { kind, source, preserved, aliases, readOnly, below } = directory;
  return {
    ...{ kind, source, preserved, exposed, aliases, readOnly, handover: handover.kind },
    ...{ publicPath: layout.publicPath, realPath: layout.realPath },
    ...(below === undefined ? {} : { within: `${layout.base}/${below}` }),
    ...{ device: identity.device, inode: identity.inode },
    ...{ diskUid: handover.uid, diskGid: handover.gid, changed, leftPaths, mountPaths },
  };
}

export function refuseAborted(signal: AbortSignal | undefined, directories: readonly RequestedDirectory[]): void {
  if (signal?.aborted === true) {
    const field = DIRECTORY_CLASSES[directories[0]?.kind ?? 'state'].field;
    throw directoryFailed(field, 'the handover was given up: the caller has gone, or the lock was lost; try again');
  }
}
