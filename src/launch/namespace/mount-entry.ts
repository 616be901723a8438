/** What is at a path in the mount namespace of a service, and how all of that is put in order. Pure. */
import type { FileSystemType, IdMap, MountFlag } from '../../api/generated/io-dynuser-allocator.ts';
import { inOrder } from '../syntax/comparisons.ts';
import { isWithin } from '../syntax/values.ts';

/**
 * What is at a path, the stronger first: of two at one path the first holds (systemd, src/core/namespace.c, orders them
 * so, too).
 * hide: nothing that can be used. bind: something of the host. cover: an empty file system of the launcher's own making.
 * credentials: the file system that the launcher makes of them. append: the file that is there, with further lines.
 * mount: a new file system of the kernel's, with what is mounted below the present one.
 * readOnly, readWrite: what is there, made so. temporary: an empty file system that was asked for. exempt: what is there,
 * left alone where all around is made read-only
 */
const KINDS = [
  'hide',
  'bind',
  'credentials',
  'append',
  'cover',
  'mount',
  'readOnly',
  'readWrite',
  'temporary',
  'exempt',
] as const;

export interface MountEntry {
  readonly kind: (typeof KINDS)[number];
  /** as the service sees it */
  readonly path: string;
  /** the field of an error about it */
  readonly field: string;
  readonly optional?: boolean;
  readonly readOnly?: boolean;
  /** bind: the path on the host, and what is known of it */
  readonly source?: string;
  readonly nonRecursive?: boolean;
  readonly device?: string;
  readonly inode?: string;
  readonly idMap?: IdMap;
  readonly create?: 'directory' | 'file';
  /** cover: the path is made on the host if it is missing */
  readonly made?: boolean;
  /** append: the lines, and whether there is no such file on the host */
  readonly text?: string;
  readonly isMissing?: boolean;
  /** what is mounted there already stays instead */
  readonly unlessMounted?: boolean;
  /** cover, temporary, mount (options) */
  readonly mode?: number;
  readonly options?: readonly string[];
  /** cover: it is made before what is cloned into it; bind: a device of no owner, which the cover that it is in may have itself */
  readonly node?: true;
  /** mount */
  readonly type?: FileSystemType;
  /** cover: its name in the one file system of all that have one */
  readonly scratch?: string;
  readonly flags?: readonly MountFlag[];
  /** devices in it can be used, also if only those that are allowed can */
  readonly keepsDevices?: true;
  /** what is mounted there goes; otherwise it is in the mount table, unseen below the new one */
  readonly clears?: boolean;
}

/** An entry with those that it is below. */
export interface PlacedEntry extends MountEntry {
  /** the nearest bind or empty file system above it */
  readonly container?: PlacedEntry;
}

/** Flags of what holds data, and neither programs nor devices. */
export const DATA_ALONE = ['noSuid', 'noDevices', 'noExec'] as const satisfies readonly MountFlag[];

/** A new file system of the kernel's, in the place of the one that is there. */
export function kernelMount(
  path: string,
  type: FileSystemType,
  field: string,
  options: readonly string[] = [],
): MountEntry {
  return { kind: 'mount', path, type, field, options, optional: true, clears: true, flags: DATA_ALONE };
}

export function isEmpty(entry: MountEntry | undefined): boolean {
  return entry?.kind === 'cover' || entry?.kind === 'temporary';
}

/** @returns whether what is at the entry can be written; without one, what is at "/" */
function isWritable(entry: MountEntry | undefined, rootReadOnly: boolean): boolean {
  return entry === undefined
    ? !rootReadOnly
    : entry.kind !== 'readOnly' && !(['bind', 'mount'].includes(entry.kind) && entry.readOnly);
}

/**
 * Puts entries in order, parents before what is below them, one a path, and leaves out those that change nothing and
 * those below what is hidden.
 * @param marked paths below which what was asked for is a mount, even if that changes nothing
 */
export function arrangeEntries(
  entries: readonly MountEntry[],
  rootReadOnly: boolean,
  marked: readonly string[] = [],
): PlacedEntry[] {
  const sorted = entries
    .map(entry => ({ entry, key: entry.path.replaceAll('/', '\0') }))
    .sort((one, other) => inOrder(one.key, other.key) || rank(one.entry) - rank(other.entry));
  const arranged: PlacedEntry[] = [];
  const above: PlacedEntry[] = [];
  for (const [index, { entry: first }] of sorted.entries()) {
    if (first.path === sorted[index - 1]?.entry.path) {
      continue;
    }
    const entry = withReadOnly(first, sorted, index);
    while (above.length > 0 && !isWithin(entry.path, above.at(-1)?.path ?? '')) {
      above.pop();
    }
    const nearest = above.at(-1);
    if (nearest?.kind === 'hide') {
      continue;
    }
    if (changesNothing(entry, nearest, rootReadOnly) && !isBelowMark(entry, nearest, marked)) {
      continue;
    }
    const container = nearest === undefined || isContainer(nearest) ? nearest : nearest.container;
    const placed = container === undefined ? entry : { ...entry, container };
    arranged.push(placed);
    above.push(placed);
  }
  return arranged;
}

/** A stronger entry is read-only if a weaker one at its path is, as with systemd. */
function withReadOnly(entry: MountEntry, sorted: readonly { readonly entry: MountEntry }[], index: number): MountEntry {
  let isReadOnly = false;
  for (let next = index + 1; sorted[next]?.entry.path === entry.path; next++) {
    const { kind, readOnly } = sorted[next]?.entry ?? {};
    isReadOnly ||= kind === 'readOnly' || readOnly === true;
  }
  if (!isReadOnly || entry.kind === 'hide') {
    return entry;
  }
  return entry.kind === 'readWrite' ? { ...entry, kind: 'readOnly' } : { ...entry, readOnly: true };
}

function rank(entry: MountEntry): number {
  return KINDS.indexOf(entry.kind);
}

function isContainer(entry: MountEntry): boolean {
  return entry.kind === 'bind' || entry.kind === 'mount' || isEmpty(entry);
}

/** Whether a mark is between an entry that is asked to be read-only and the one above it. */
function isBelowMark({ kind, path }: MountEntry, nearest: MountEntry | undefined, marked: readonly string[]): boolean {
  const above = nearest?.path ?? '/';
  return kind === 'readOnly' && marked.some(mark => isWithin(path, mark) && mark !== above && isWithin(mark, above));
}

/** A path that is missing in an empty file system is reported when the ops are made. */
function changesNothing(entry: MountEntry, nearest: MountEntry | undefined, rootReadOnly: boolean): boolean {
  // As with systemd, a path that was asked for is a mount, even if that changes nothing, below what was bound or made.
  if (entry.kind === 'readOnly') {
    return nearest === undefined ? rootReadOnly : nearest.kind === 'readOnly';
  }
  if (entry.kind === 'readWrite' && nearest === undefined) {
    return false;
  }
  if (entry.kind === 'readWrite' || entry.kind === 'exempt') {
    return isWritable(nearest, rootReadOnly) && !isEmpty(nearest);
  }
  return false;
}
