/** From the layout of the mount namespace to the ops that make it, in their order. Pure. */

import type { MountFlag, MountOp } from '../../api/generated/io-dynuser-allocator.ts';
import { BASE_DIRECTORIES } from '../../core/directory-classes.ts';
import { defined, unlessEmpty } from '../defined.ts';
import { failFor, quote } from '../errors.ts';
import { credentialsDirectory } from '../plan/credentials.ts';
import type { Acquired, ResolvedLaunch } from '../plan/request.ts';
import { pathInRoot } from '../properties/paths.ts';
import type { ExecSettings } from '../properties/table.ts';
import { isWithin } from '../syntax/values.ts';
import { type PlannedDevices, planDevices } from './devices.ts';
import { isRootReadOnly, mountEntries } from './layout.ts';
import { arrangeEntries, isEmpty, type PlacedEntry } from './mount-entry.ts';

const READ_ONLY: readonly MountFlag[] = ['readOnly'];
const NO_DEVICES: readonly MountFlag[] = ['noDevices'];
const NO_EXECUTION: readonly MountFlag[] = ['noExec'];

/**
 * The last ops of each request that was read: its settings are made once for all that is made of it. They depend on the
 * user only by directories, and on the unit only by the place of its credentials.
 */
const laidOut = new WeakMap<ExecSettings, { readonly key: string; readonly ops: readonly MountOp[] }>();

/**
 * The steps: what has to be there on the host; clones of all that is kept or bound, as it is on the host; "/" as a whole;
 * then path by path, parents first; links; and what becomes read-only once it is complete.
 * @throws DynuserError LaunchFailed if a path is in a file system that is empty
 */
export function planMountOps(resolved: ResolvedLaunch, acquired: Acquired): readonly MountOp[] {
  const { directories, dynamic, uid, gid, processGid } = acquired;
  if (resolved.host.accountOverlay !== undefined) {
    return layOut(resolved, acquired);
  }
  const ids = directories.length === 0 ? [] : [uid, gid, processGid];
  const key = JSON.stringify([dynamic, credentialsDirectory(resolved), directories, ...ids]);
  const known = laidOut.get(resolved.settings);
  if (known?.key === key) {
    return known.ops;
  }
  const ops = layOut(resolved, acquired);
  laidOut.set(resolved.settings, { key, ops });
  return ops;
}

function layOut(resolved: ResolvedLaunch, acquired: Acquired): MountOp[] {
  const { settings } = resolved;
  const made = resolved.configurationDirectories.map(
    ({ path }): MountOp => ({ kind: 'mkdir', path, mode: settings.ConfigurationDirectoryMode ?? 0o755 }),
  );
  if (!resolved.makesMounts) {
    return made;
  }
  const rootReadOnly = isRootReadOnly(settings);
  const devices = planDevices(settings, resolved.host);
  const marked = executionPaths(settings);
  const entries = arrangeEntries(mountEntries(resolved, acquired, devices), rootReadOnly, marked).filter(isThere);
  const builder = new MountOpBuilder(settings, entries, devices);
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
    ...wholeTree(settings, rootReadOnly, devices !== undefined),
    ...builder.attaches,
    ...(devices?.links ?? []),
    ...links.filter(link => !early.includes(link)),
    ...builder.closings,
    ...executionOps(settings, entries),
  ];
}

/** With systemd each of them is a mount, below which nothing is read-only only because "/" is. */
function executionPaths({ NoExecPaths, ExecPaths, RootDirectory }: ExecSettings): string[] {
  return [...NoExecPaths, ...ExecPaths].flatMap(entry => pathInRoot(entry, RootDirectory) ?? []);
}

/**
 * After all else: what is mounted below a path has its flag, too, and the inner path wins. systemd leaves out what other
 * properties mount, such as /tmp of PrivateTmp=. Below what is hidden there is nothing.
 */
function executionOps(
  { NoExecPaths, ExecPaths, RootDirectory }: ExecSettings,
  entries: readonly PlacedEntry[],
): MountOp[] {
  const hidden = entries.filter(({ kind }) => kind === 'hide').map(({ path }) => path);
  const set = new Map<string, MountOp>();
  // The last one holds: nothing can be executed at a path that both name, as with systemd.
  for (const [paths, change] of [
    [ExecPaths, { clear: NO_EXECUTION }],
    [NoExecPaths, { set: NO_EXECUTION }],
  ] as const) {
    for (const entry of paths) {
      const path = pathInRoot(entry, RootDirectory);
      if (path !== undefined && !hidden.some(above => path !== above && isWithin(path, above))) {
        set.set(path, { kind: 'remount', path, ...optionalOf(entry), ...change });
      }
    }
  }
  const key = ({ path }: MountOp) => Buffer.from(path.replaceAll('/', '\0'));
  const ops = [...set.values()].sort((one, other) => Buffer.compare(key(one), key(other)));
  return [...ops, ...keptFlags(ops, entries)];
}

/** What never has anything to execute, such as a new /proc, keeps its flag if all around it may be executed. */
function keptFlags(ops: readonly MountOp[], entries: readonly PlacedEntry[]): MountOp[] {
  const cleared = ops.filter(({ clear }) => clear !== undefined).map(({ path }) => path);
  return entries
    .filter(({ flags, path }) => flags?.includes('noExec') === true && !ops.some(op => op.path === path))
    .filter(({ path }) => cleared.some(above => isWithin(path, above)))
    .map(entry => ({
      ...{ kind: 'remount', path: entry.path, nonRecursive: true, ...optionalOf(entry), set: NO_EXECUTION },
    }));
}

/** @param noDevices the service has a /dev with what it may use: devices elsewhere cannot be used */
function wholeTree(settings: ExecSettings, rootReadOnly: boolean, noDevices: boolean): MountOp[] {
  const set = [...(rootReadOnly ? READ_ONLY : []), ...suidFlag(settings), ...(noDevices ? NO_DEVICES : [])];
  return set.length === 0 ? [] : [{ kind: 'remount', path: '/', set }];
}

function suidFlag(settings: ExecSettings): MountFlag[] {
  return settings.NoNewPrivileges ? ['noSuid'] : [];
}

/** An entry that only changes a path has nothing to change in an empty file system. */
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

/** Whether it stays as it is in a new file system. */
function isExemption({ kind, container }: PlacedEntry): boolean {
  return kind === 'exempt' && container?.kind === 'mount';
}

class MountOpBuilder {
  readonly mkdirs: MountOp[] = [];
  readonly clones: MountOp[] = [];
  /** last of all clones, and the deepest first: what is kept below these paths has to be cloned before */
  readonly detaches: MountOp[] = [];
  readonly early: MountOp[] = [];
  readonly attaches: MountOp[] = [];
  readonly closings: MountOp[] = [];
  readonly #settings: ExecSettings;
  readonly #entries: readonly PlacedEntry[];
  readonly #devices: PlannedDevices | undefined;
  readonly #root: string;
  readonly #rootReadOnly: boolean;
  #slots = 0;
  /** of the file system that devices are made in */
  #nodeSlot: number | undefined;

  constructor(settings: ExecSettings, entries: readonly PlacedEntry[], devices: PlannedDevices | undefined) {
    this.#devices = devices;
    this.#settings = settings;
    this.#entries = entries;
    this.#root = settings.RootDirectory ?? '';
    this.#rootReadOnly = isRootReadOnly(settings);
  }

  add(entry: PlacedEntry): void {
    if (entry.clears ?? (entry.kind === 'hide' && entry.container === undefined)) {
      this.#clear(entry.path);
    }
    if (entry.kind === 'mount') {
      this.#mount(entry);
    } else if (isExemption(entry)) {
      // The op that makes the file system around it names it.
    } else if (entry.container?.kind === 'mount' && ['readOnly', 'readWrite'].includes(entry.kind)) {
      // What is on the host at that path is another file system.
      const change = entry.kind === 'readOnly' ? { set: READ_ONLY } : { clear: READ_ONLY };
      this.attaches.push({ kind: 'remount', path: entry.path, ...optionalOf(entry), ...change });
    } else if (entry.kind === 'hide') {
      this.attaches.push({ kind: 'mask', path: entry.path, ...optionalOf(entry) });
    } else if (entry.kind === 'credentials') {
      this.attaches.push({ kind: 'credentials', path: entry.path, create: 'directory' });
    } else if (entry.kind === 'append') {
      this.#append(entry);
    } else if (isEmpty(entry)) {
      this.#cover(entry);
    } else {
      this.#clone(entry);
    }
  }

  /** It is made before what it shows is taken away, which the kernel asks for in a user namespace. */
  #mount(entry: PlacedEntry): void {
    const { path, type, options = [], container } = entry;
    const exempt = this.#entries.filter(other => isExemption(other) && other.container === entry);
    const mount: MountOp = {
      kind: 'mount',
      path,
      ...optionalOf(entry),
      set: this.#flagsOf(entry),
      ...defined({ type, options: unlessEmpty(options), exempt: unlessEmpty(exempt.map(other => other.path)) }),
    };
    if (this.#root !== '' && container === undefined) {
      this.mkdirs.push({ kind: 'mkdir', path: `${this.#root}${path}`, mode: 0o755 });
    }
    const isMade = isEmpty(container) || container?.kind === 'bind';
    this.attaches.push(this.#attach(mount, this.clones, path, isMade ? 'directory' : undefined));
  }

  /** Takes away what is mounted at a path of the host, for good. */
  #clear(path: string): void {
    const slot = this.#slots++;
    this.detaches.push({ kind: 'clone', path: `${this.#root}${path}`, optional: true, detach: true, slot });
  }

  #append(entry: PlacedEntry): void {
    const { path, text = '', create, container, isMissing = false } = entry;
    const op: MountOp = {
      ...{ kind: 'append', path, text, ...optionalOf(entry) },
      ...{ ...defined({ create }), set: this.#flagsOf(entry) },
    };
    // It can be made only before what is around it becomes read-only, and may be covered afterwards by what then is around it.
    const isMade = isMissing && container === undefined;
    this.early.push(...(isMade ? [op] : []));
    this.attaches.push({ ...op, ...(isMade ? { unlessMounted: true } : {}) });
  }

  #cover(entry: PlacedEntry): void {
    const { path, mode = 0o755, options = [], scratch } = entry;
    const set = this.#flagsOf({ ...entry, readOnly: false });
    const inEmpty = isEmpty(entry.container);
    if (entry.container === undefined && (entry.kind === 'temporary' || entry.made === true || this.#root !== '')) {
      this.mkdirs.push({ kind: 'mkdir', path: `${this.#root}${path}`, mode });
    }
    const isMade = inEmpty || entry.container?.kind === 'bind';
    const create = isMade ? ({ create: 'directory' } as const) : {};
    const shared = scratch === undefined ? {} : { scratch };
    const optional = inEmpty ? {} : optionalOf(entry);
    const op = { kind: 'tmpfs', path, ...optional, mode, options, ...shared, set, ...create } as const;
    if (entry.node === true) {
      // A device that is made in it before it is attached needs no mount.
      const mount: MountOp = {
        kind: 'mount',
        path,
        type: 'tmpfs',
        options: [...options, `mode=${mode.toString(8)}`],
        set,
      };
      this.#nodeSlot = this.#slots;
      this.attaches.push(this.#attach({ ...mount, ...optional }, this.clones, path, isMade ? 'directory' : undefined));
    } else {
      this.attaches.push({ ...op, ...unlessMountedOf(entry) });
    }
    if (entry.readOnly === true) {
      this.closings.push({ kind: 'remount', path, nonRecursive: true, ...optionalOf(entry), set: READ_ONLY });
    }
  }

  #clone(entry: PlacedEntry): void {
    const { path } = entry;
    // What is bound over itself is there, but in a file system that is empty and in another root.
    const mayBeMissing = entry.source !== path || this.#root !== '' || entry.container !== undefined;
    const create = mayBeMissing ? entry.create : undefined;
    const origin = this.#originOf(entry);
    // A tree that is changed in place must not stay a second time, hidden below its copy.
    const detach = entry.source === undefined && entry.container === undefined;
    const set = this.#flagsOf(entry);
    const clone: MountOp = {
      kind: 'clone',
      path: origin.path,
      ...optionalOf(entry),
      ...(entry.inode === undefined ? {} : { noSymlinks: true, device: entry.device ?? '', inode: entry.inode }),
      ...(detach ? { detach } : {}),
      ...(entry.nonRecursive === true ? { nonRecursive: true } : {}),
      ...(entry.node === true && this.#nodeSlot !== undefined ? { node: this.#nodeSlot } : {}),
      ...defined({ idMap: origin.idMap, set: unlessEmpty(set) }),
    };
    if (create === 'directory' && entry.container === undefined) {
      this.mkdirs.push({ kind: 'mkdir', path: `${this.#root}${path}`, mode: 0o755 });
    }
    if (create === 'file' && entry.container === undefined && this.#rootReadOnly) {
      // A file to mount on can be made only while "/" is writable; the mount itself then becomes read-only with it.
      this.early.push(this.#attach(clone, this.clones, path, create));
    }
    const attach = this.#attach(clone, detach ? this.detaches : this.clones, path, create);
    this.attaches.push({ ...attach, ...unlessMountedOf(entry) });
    if (entry.unlessMounted === true && entry.readOnly === true) {
      // What is there instead is read-only, too.
      this.attaches.push({ kind: 'remount', path, set: READ_ONLY });
    }
  }

  #flagsOf({ kind, readOnly, flags = [], keepsDevices, source }: PlacedEntry): MountFlag[] {
    const isReadOnly = kind === 'readOnly' || readOnly === true;
    const keeps = this.#devices === undefined || keepsDevices === true || this.#devices.sources.has(source ?? '');
    const own = [...(isReadOnly ? READ_ONLY : []), ...flags, ...(keeps ? [] : NO_DEVICES)];
    return [...new Set([...own, ...suidFlag(this.#settings)])];
  }

  /** Gives the clone a slot of its own. */
  #attach(clone: MountOp, clones: MountOp[], path: string, create: 'directory' | 'file' | undefined): MountOp {
    const slot = this.#slots++;
    clones.push({ ...clone, slot });
    return { kind: 'attach', path, slot, ...defined({ create }) };
  }

  /** The path on the host: what is below a bind is below its source. */
  #originOf({ path, source, idMap, container }: PlacedEntry): Pick<MountOp, 'path' | 'idMap'> {
    if (source !== undefined) {
      return defined({ path: source, idMap });
    }
    if (container?.source !== undefined) {
      return defined({ path: `${container.source}${path.slice(container.path.length)}`, idMap: container.idMap });
    }
    return { path: `${this.#root}${path}` };
  }
}

/** Those of the host are there already; in a file system that is empty, and in another root, they are made. */
function directoryLinks(acquired: Acquired, settings: ExecSettings, entries: readonly PlacedEntry[]): MountOp[] {
  const inRoot = settings.RootDirectory !== undefined;
  return acquired.directories.flatMap(({ kind, publicPath, realPath, within, otherNames }) => {
    const names = (otherNames?.covered ?? []).map(alias => `${BASE_DIRECTORIES[kind]}/${alias}`);
    const isOwn = !inRoot && realPath !== publicPath && within === undefined && isEmpty(deepest(publicPath, entries));
    const link = (path: string, target: string): MountOp => ({
      ...{ kind: 'symlink', path, target: relativeTarget(path, target) },
    });
    return [...(isOwn ? [link(publicPath, realPath)] : []), ...names.map(name => link(name, publicPath))];
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

function unlessMountedOf({ unlessMounted }: PlacedEntry): { readonly unlessMounted?: true } {
  return unlessMounted === true ? { unlessMounted } : {};
}

function optionalOf(entry: { readonly optional?: boolean }): { readonly optional?: true } {
  return entry.optional === true ? { optional: true } : {};
}
