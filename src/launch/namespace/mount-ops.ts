/** From the layout of the mount namespace to the ops that make it, in their order. Pure. */

import type { MountFlag, MountOp } from '../../api/generated/io-dynuser-allocator.ts';
import { BASE_DIRECTORIES } from '../../core/directory-classes.ts';
import { failFor, quote } from '../errors.ts';
import type { Acquired, ResolvedLaunch } from '../plan/request.ts';
import type { ExecSettings } from '../properties/table.ts';
import { isWithin } from '../syntax/values.ts';
import { deviceLinks } from './devices.ts';
import { isRootReadOnly, mountEntries } from './layout.ts';
import { arrangeEntries, isEmpty, type PlacedEntry } from './mount-entry.ts';

/**
 * The steps: what has to be there on the host; clones of all that is kept or bound, as it is on the host; "/" as a whole;
 * then path by path, parents first; links; and what becomes read-only once it is complete.
 * @throws DynuserError LaunchFailed if a path is in a file system that is empty
 */
export function planMountOps(resolved: ResolvedLaunch, acquired: Acquired): MountOp[] {
  const { settings } = resolved;
  const made = resolved.configurationDirectories.map(
    (path): MountOp => ({ kind: 'mkdir', path, mode: settings.ConfigurationDirectoryMode ?? 0o755 }),
  );
  if (!resolved.makesMounts) {
    return made;
  }
  const rootReadOnly = isRootReadOnly(settings);
  const entries = arrangeEntries(mountEntries(resolved, acquired), rootReadOnly).filter(isThere);
  const builder = new MountOpBuilder(settings);
  for (const entry of entries) {
    builder.add(entry);
  }
  const links = directoryLinks(acquired, settings, entries);
  const early = settings.RootDirectory === undefined ? [] : links;
  return [
    ...made,
    ...builder.mkdirs,
    ...builder.clones,
    ...builder.detaches.reverse(),
    ...builder.early,
    ...early,
    ...wholeTree(settings, rootReadOnly),
    ...builder.attaches,
    ...(settings.PrivateDevices ? deviceLinks(resolved.host) : []),
    ...links.filter(link => !early.includes(link)),
    ...builder.closings,
  ];
}

function wholeTree(settings: ExecSettings, rootReadOnly: boolean): MountOp[] {
  const set: MountFlag[] = [...(rootReadOnly ? (['readOnly'] as const) : []), ...suidFlag(settings)];
  return set.length === 0 ? [] : [{ kind: 'remount', path: '/', set }];
}

function suidFlag(settings: ExecSettings): MountFlag[] {
  return settings.NoNewPrivileges ? ['noSuid'] : [];
}

/** What only changes a path has nothing to change in an empty file system. */
function isThere(entry: PlacedEntry): boolean {
  const changes = ['hide', 'readOnly', 'readWrite', 'exempt'].includes(entry.kind);
  if (!changes || !isEmpty(entry.container)) {
    // In an empty file system there are no private directories to hide.
    return !(entry.field === 'DynamicUser' && isEmpty(entry.container));
  }
  return entry.optional === true
    ? false
    : failFor(entry.field)(
        `${quote(entry.path)} is in the empty file system at ${entry.container?.path}, so it is not there`,
      );
}

const READ_ONLY: readonly MountFlag[] = ['readOnly'];

class MountOpBuilder {
  readonly mkdirs: MountOp[] = [];
  readonly clones: MountOp[] = [];
  /** last of all clones, and the deepest first: what is kept below these paths has to be cloned before */
  readonly detaches: MountOp[] = [];
  readonly early: MountOp[] = [];
  readonly attaches: MountOp[] = [];
  readonly closings: MountOp[] = [];
  readonly #settings: ExecSettings;
  readonly #root: string;
  readonly #rootReadOnly: boolean;
  #slots = 0;

  constructor(settings: ExecSettings) {
    this.#settings = settings;
    this.#root = settings.RootDirectory ?? '';
    this.#rootReadOnly = isRootReadOnly(settings);
  }

  add(entry: PlacedEntry): void {
    if (entry.clears ?? (entry.kind === 'hide' && entry.container === undefined)) {
      this.#clear(entry.path);
    }
    if (entry.kind === 'mount') {
      this.#mount(entry);
    } else if (entry.container?.kind === 'mount' && ['readOnly', 'readWrite', 'exempt'].includes(entry.kind)) {
      // What is on the host at that path is another file system.
      const change = entry.kind === 'readOnly' ? { set: READ_ONLY } : { clear: READ_ONLY };
      this.attaches.push({ kind: 'remount', path: entry.path, ...optionalOf(entry), ...change });
    } else if (entry.kind === 'hide') {
      this.attaches.push({ kind: 'mask', path: entry.path, ...optionalOf(entry) });
    } else if (isEmpty(entry)) {
      this.#cover(entry);
    } else {
      this.#clone(entry);
    }
  }

  /** It is made before what it shows is taken away, which the kernel asks for in a user namespace. */
  #mount({ path, type, options = [], flags = [], readOnly, container, optional }: PlacedEntry): void {
    const set = unique([...(readOnly === true ? READ_ONLY : []), ...flags, ...suidFlag(this.#settings)]);
    const mount: MountOp = {
      kind: 'mount',
      path: `${this.#root}${path}`,
      ...(type === undefined ? {} : { type }),
      ...(options.length === 0 ? {} : { options }),
      ...(optional === true ? { optional } : {}),
      set,
    };
    if (this.#root !== '' && container === undefined) {
      this.mkdirs.push({ kind: 'mkdir', path: mount.path, mode: 0o755 });
    }
    const isMade = isEmpty(container) || container?.kind === 'bind';
    this.attaches.push(this.#attach(mount, this.clones, path, isMade ? 'directory' : undefined));
  }

  /** Takes away what is mounted at a path of the host, for good. */
  #clear(path: string): void {
    const slot = this.#slots++;
    this.detaches.push({ kind: 'clone', path: `${this.#root}${path}`, optional: true, detach: true, slot });
  }

  #cover(entry: PlacedEntry): void {
    const { path, mode = 0o755, options = [], flags = [], scratch } = entry;
    const set = unique([...flags, ...suidFlag(this.#settings)]);
    const inEmpty = isEmpty(entry.container);
    if (entry.container === undefined && (entry.kind === 'temporary' || this.#root !== '')) {
      this.mkdirs.push({ kind: 'mkdir', path: `${this.#root}${path}`, mode });
    }
    const create = inEmpty || entry.container?.kind === 'bind' ? ({ create: 'directory' } as const) : {};
    const shared = scratch === undefined ? {} : { scratch };
    const optional = inEmpty ? {} : optionalOf(entry);
    this.attaches.push({ kind: 'tmpfs', path, ...optional, mode, options, ...shared, set, ...create });
    if (entry.readOnly === true) {
      this.closings.push({ kind: 'remount', path, nonRecursive: true, ...optionalOf(entry), set: ['readOnly'] });
    }
  }

  #clone(entry: PlacedEntry): void {
    const { path } = entry;
    // What is bound over itself is there, but in a file system that is empty and in another root.
    const mayBeMissing = entry.source !== path || this.#root !== '' || entry.container !== undefined;
    const create = mayBeMissing ? entry.create : undefined;
    const readOnly = entry.kind === 'readOnly' || entry.readOnly === true;
    const origin = this.#originOf(entry);
    // What is changed in place is not to be there twice, once unseen below what it became.
    const detach = entry.source === undefined && entry.container === undefined;
    const flags = [...(readOnly ? (['readOnly'] as const) : []), ...(entry.flags ?? []), ...suidFlag(this.#settings)];
    const set = unique(flags);
    const clone: MountOp = {
      kind: 'clone',
      path: origin.path,
      ...optionalOf(entry),
      ...(entry.inode === undefined ? {} : { noSymlinks: true, device: entry.device ?? '', inode: entry.inode }),
      ...(detach ? { detach } : {}),
      ...(entry.nonRecursive === true ? { nonRecursive: true } : {}),
      ...(origin.idMap === undefined ? {} : { idMap: origin.idMap }),
      ...(set.length === 0 ? {} : { set }),
    };
    if (create === 'directory' && entry.container === undefined) {
      this.mkdirs.push({ kind: 'mkdir', path: `${this.#root}${path}`, mode: 0o755 });
    }
    if (create === 'file' && entry.container === undefined && this.#rootReadOnly) {
      // A file to mount on can be made only while "/" is writable; the mount itself then becomes read-only with it.
      this.early.push(this.#attach(clone, this.clones, path, create));
    }
    this.attaches.push(this.#attach(clone, detach ? this.detaches : this.clones, path, create));
  }

  /** Gives the clone a slot of its own. */
  #attach(clone: MountOp, clones: MountOp[], path: string, create: 'directory' | 'file' | undefined): MountOp {
    const slot = this.#slots++;
    clones.push({ ...clone, slot });
    return { kind: 'attach', path, slot, ...(create === undefined ? {} : { create }) };
  }

  /** The path on the host: what is below a bind is below its source. */
  #originOf({ path, source, idMap, container }: PlacedEntry): Pick<MountOp, 'path' | 'idMap'> {
    if (source !== undefined) {
      return idMap === undefined ? { path: source } : { path: source, idMap };
    }
    if (container?.source !== undefined) {
      const below = `${container.source}${path.slice(container.path.length)}`;
      return container.idMap === undefined ? { path: below } : { path: below, idMap: container.idMap };
    }
    return { path: `${this.#root}${path}` };
  }
}

/** On the host the links are there already; in a file system that is empty, and in another root, they are made. */
function directoryLinks(acquired: Acquired, settings: ExecSettings, entries: readonly PlacedEntry[]): MountOp[] {
  const inRoot = settings.RootDirectory !== undefined;
  return acquired.directories.flatMap(({ kind, publicPath, realPath, within, aliases }) => {
    const tree = inRoot ? publicPath : realPath;
    const names = aliases.map(alias => `${BASE_DIRECTORIES[kind]}/${alias}`);
    const own = tree === publicPath || within !== undefined ? [] : [publicPath];
    return [...own, ...names]
      .filter(path => inRoot || isEmpty(deepest(path, entries)))
      .map((path): MountOp => ({ kind: 'symlink', path, target: relativeTarget(path, tree) }));
  });
}

function deepest(path: string, entries: readonly PlacedEntry[]): PlacedEntry | undefined {
  return entries.filter(entry => isWithin(path, entry.path)).at(-1);
}

/** @returns the text of a symlink at one absolute path that leads to another */
function relativeTarget(path: string, target: string): string {
  const [from, to] = [path.split('/').slice(0, -1), target.split('/')];
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) {
    shared++;
  }
  return [...from.slice(shared).map(() => '..'), ...to.slice(shared)].join('/');
}

function optionalOf(entry: PlacedEntry): { readonly optional?: true } {
  return entry.optional === true ? { optional: true } : {};
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
