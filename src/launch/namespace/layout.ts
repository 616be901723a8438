/** From settings to what is where in the world of a service (systemd.exec(5), "Sandboxing"). Pure. */

import type { FileSystemType } from '../../api/generated/io-dynuser-allocator.ts';
import type { Acquired, AcquiredDirectory, ResolvedLaunch } from '../plan/request.ts';
import { CLASS_BASES } from '../properties/directories.ts';
import type { AccessPath, BindPath, ExecSettings, ProtectHome } from '../properties/exec-settings.ts';
import { isWithin } from '../syntax/values.ts';
import { deviceEntries } from './devices.ts';
import type { MountEntry } from './mount-entry.ts';
import { temporaryEntry } from './tmpfs.ts';

const HOMES = ['/home', '/root', '/run/user'] as const;
/** What has protections of its own, and is left as it is where "/" becomes read-only. */
const EXEMPT = ['/dev', '/proc', '/sys'] as const;
const CREDENTIALS = '/run/credentials';
/** POSIX message queues, of the IPC namespace of whoever mounts them (mq_overview(7)). */
const QUEUES = '/dev/mqueue';

/** @returns what is to be where, in no order, and perhaps twice */
export function mountEntries(resolved: ResolvedLaunch, acquired: Acquired): MountEntry[] {
  const { settings } = resolved;
  const entries: MountEntry[] = [
    ...systemEntries(settings),
    // What systemd gave other services to be secret; a name in it is the name of one.
    { kind: 'hide', path: CREDENTIALS, field: 'DynamicUser', optional: true, clears: false },
    ...homeEntries(settings),
    ...(settings.privateTmp ? [privateTmpEntry('/tmp', 'tmp'), privateTmpEntry('/var/tmp', 'var-tmp')] : []),
    ...deviceEntriesOf(settings),
    ...kernelEntries(settings),
    ...privateDirectoryEntries(settings, acquired.directories),
    ...acquired.directories.flatMap(directory => directoryEntries(directory, acquired, settings)),
    ...resolved.configurationDirectories.map(path => configurationEntry(path, settings)),
    ...accessEntries(settings.readWrite, 'readWrite', 'ReadWritePaths', settings),
    ...accessEntries(settings.readOnly, 'readOnly', 'ReadOnlyPaths', settings),
    ...accessEntries(settings.inaccessible, 'hide', 'InaccessiblePaths', settings),
    ...settings.temporary.map(temporaryEntry),
    ...settings.binds.map(bind => bindEntry(bind, settings)),
  ];
  return entries.map(entry => ({ ...entry, path: treePath(entry.path, acquired.directories, settings) }));
}

/** Whether "/" as a whole becomes read-only. */
export function isRootReadOnly(settings: ExecSettings): boolean {
  return (
    settings.protectSystem === 'strict' || settings.readOnly.some(({ path }) => pathInRoot(path, settings) === '/')
  );
}

/** Without those in whose place something else was asked for. */
function deviceEntriesOf(settings: ExecSettings): MountEntry[] {
  const { privateDevices, hasJournal, temporary, binds, privateIPC } = settings;
  const others = [
    ...temporary.map(({ path }) => path),
    ...binds.map(({ destination }) => destination),
    ...(privateIPC ? [QUEUES] : []),
  ];
  return privateDevices ? deviceEntries(hasJournal).filter(({ path }) => !others.includes(path)) : [];
}

/** File systems of the kernel that show the service's own namespaces, or less of the host's processes. */
function kernelEntries(settings: ExecSettings): MountEntry[] {
  const { privateNetwork, privateIPC, protectProc, procSubset } = settings;
  const entry = (path: string, type: FileSystemType, field: string, options: readonly string[] = []): MountEntry => ({
    ...{ kind: 'mount', path, type, field, options, optional: true, clears: true },
    readOnly: settings.readOnly.some(given => pathInRoot(given.path, settings) === path),
    flags: ['noSuid', 'noDevices', 'noExec'],
  });
  const proc = [
    ...(protectProc === 'default' ? [] : [`hidepid=${protectProc}`]),
    ...(procSubset === 'all' ? [] : [`subset=${procSubset}`]),
  ];
  return [
    ...(proc.length === 0 ? [] : [entry('/proc', 'proc', 'ProtectProc', proc)]),
    ...(privateNetwork ? [entry('/sys', 'sysfs', 'PrivateNetwork')] : []),
    ...(privateIPC ? [entry(QUEUES, 'mqueue', 'PrivateIPC')] : []),
  ];
}

function systemEntries({ protectSystem, privateDevices }: ExecSettings): MountEntry[] {
  const field = 'ProtectSystem';
  if (protectSystem === 'strict') {
    return EXEMPT.filter(path => path !== '/dev' || !privateDevices).map(path => {
      return { kind: 'exempt', path, field, optional: true };
    });
  }
  const paths = protectSystem === 'no' ? [] : ['/usr', '/boot', '/efi', ...(protectSystem === 'full' ? ['/etc'] : [])];
  return paths.map(path => ({ kind: 'readOnly', path, field, optional: true }));
}

function homeEntries({ protectHome, protectSystem }: ExecSettings): MountEntry[] {
  if (protectHome === 'no' && protectSystem !== 'strict') {
    return [];
  }
  return HOMES.map(path => homeEntry(path, protectHome));
}

function homeEntry(path: string, protectHome: ProtectHome): MountEntry {
  const at = { path, field: 'ProtectHome', optional: true };
  switch (protectHome) {
    case 'no':
      return { ...at, kind: 'exempt' };
    case 'read-only':
      return { ...at, kind: 'readOnly' };
    case 'yes':
      return { ...at, kind: 'hide' };
    case 'tmpfs':
      return {
        ...at,
        kind: 'cover',
        clears: true,
        readOnly: true,
        mode: path === '/root' ? 0o700 : 0o755,
        options: SMALL,
        flags: ['noSuid', 'noDevices'],
      };
  }
}

/** Of file systems that hold nothing but directories to mount on; the sizes are systemd's. */
const SMALL = ['size=4m', 'nr_inodes=1k'] as const;

/** As systemd has them, in one file system: the bounds are of both together. */
function privateTmpEntry(path: string, part: string): MountEntry {
  return {
    kind: 'cover',
    path,
    field: 'PrivateTmp',
    optional: true,
    mode: 0o1777,
    options: ['size=10%', 'nr_inodes=400k'],
    part,
    flags: ['noSuid', 'noDevices'],
  };
}

/** An empty boundary, so that nobody else's directories are seen. In a root of its own the trees are at their public paths. */
function privateDirectoryEntries(settings: ExecSettings, directories: readonly AcquiredDirectory[]): MountEntry[] {
  if (settings.rootDirectory !== undefined) {
    return [];
  }
  const boundaries = directories
    .map(({ kind, realPath }) => ({ path: `${CLASS_BASES[kind]}/private`, realPath }))
    .filter(({ path, realPath }) => isWithin(realPath, path));
  return [...new Set(boundaries.map(({ path }) => path))].map(path => ({
    kind: 'cover',
    path,
    field: 'DynamicUser',
    readOnly: true,
    mode: 0o755,
    options: SMALL,
    flags: ['noSuid', 'noDevices', 'noExec'],
  }));
}

function directoryEntries(directory: AcquiredDirectory, acquired: Acquired, settings: ExecSettings): MountEntry[] {
  const { publicPath, realPath, readOnly, device, inode, diskUid, diskGid } = directory;
  const parent = acquired.directories.find(other => other.publicPath === directory.within);
  if (parent !== undefined && parent.readOnly === readOnly) {
    return [];
  }
  const gid = acquired.processGid ?? acquired.gid;
  const isMapped = directory.handover === 'map';
  return [
    {
      kind: 'bind',
      path: settings.rootDirectory === undefined ? realPath : publicPath,
      field: directory.kind,
      readOnly,
      source: realPath,
      device,
      inode,
      create: 'directory',
      ...(isMapped ? { idMap: { diskUid, diskGid, uid: acquired.uid, gid } } : {}),
      flags: [...(acquired.dynamic ? (['noSuid'] as const) : []), ...(isMapped ? (['noDevices'] as const) : [])],
    },
  ];
}

/** It is root's, and writable for commands with root's privileges alone. */
function configurationEntry(path: string, { rootDirectory }: ExecSettings): MountEntry {
  const field = 'ConfigurationDirectory';
  return rootDirectory === undefined
    ? { kind: 'readWrite', path, field }
    : { kind: 'bind', path, field, source: path, create: 'directory' };
}

function accessEntries(
  paths: readonly AccessPath[],
  kind: 'readWrite' | 'readOnly' | 'hide',
  field: string,
  settings: ExecSettings,
): MountEntry[] {
  return paths.flatMap(({ path, optional, inRoot }) => {
    const inside = inRoot ? path : pathInRoot(path, settings);
    return inside === undefined || inside === '/' ? [] : [{ kind, path: inside, field, optional }];
  });
}

/** @returns the path as the service sees it; undefined for one of the host that is not in the service's root */
export function pathInRoot(path: string, { rootDirectory }: Pick<ExecSettings, 'rootDirectory'>): string | undefined {
  if (rootDirectory === undefined) {
    return path;
  }
  return isWithin(path, rootDirectory) ? path.slice(rootDirectory.length) || '/' : undefined;
}

function bindEntry(bind: BindPath, { bindDirectories }: ExecSettings): MountEntry {
  const isDirectory = bindDirectories.includes(bind.source);
  return {
    kind: 'bind',
    path: bind.destination,
    field: bind.readOnly ? 'BindReadOnlyPaths' : 'BindPaths',
    optional: bind.optional,
    readOnly: bind.readOnly,
    source: bind.source,
    single: !bind.recursive,
    create: isDirectory ? 'directory' : 'file',
  };
}

/** A path below the public name of a private directory is one below its tree: there is where it is mounted. */
function treePath(path: string, directories: readonly AcquiredDirectory[], settings: ExecSettings): string {
  if (settings.rootDirectory !== undefined) {
    return path;
  }
  const names = directories.flatMap(({ publicPath, realPath, aliases, kind }) =>
    [publicPath, ...aliases.map(alias => `${CLASS_BASES[kind]}/${alias}`)].map(name => ({ name, realPath })),
  );
  const longest = names
    .filter(({ name }) => isWithin(path, name))
    .reduce<(typeof names)[number] | undefined>(
      (best, next) => (best === undefined || next.name.length > best.name.length ? next : best),
      undefined,
    );
  return longest === undefined ? path : `${longest.realPath}${path.slice(longest.name.length)}`;
}
