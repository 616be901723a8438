/** What is where in the mount namespace of a service (systemd.exec(5), "Sandboxing"). Pure. */
import type { FileSystemType } from '../../api/generated/io-dynuser-allocator.ts';
import { BASE_DIRECTORIES } from '../../core/directory-classes.ts';
import type { Acquired, AcquiredDirectory, ResolvedLaunch } from '../plan/request.ts';
import { type AccessPath, pathInRoot } from '../properties/paths.ts';
import { SMALL } from '../properties/sandbox.ts';
import { type ExecSettings, mountsOf } from '../properties/table.ts';
import { isWithin } from '../syntax/values.ts';
import { deviceEntries } from './devices.ts';
import type { MountEntry } from './mount-entry.ts';

const CREDENTIALS = '/run/credentials';
/** POSIX message queues, of the IPC namespace of whoever mounts them (mq_overview(7)). */
const QUEUES = '/dev/mqueue';

/** @returns what is where, in no order, and perhaps twice */
export function mountEntries(resolved: ResolvedLaunch, acquired: Acquired): MountEntry[] {
  const { settings, host } = resolved;
  const root = settings.RootDirectory;
  const entries: MountEntry[] = [
    // What systemd gave other services to be secret; a name in it is the name of one.
    { kind: 'hide', path: CREDENTIALS, field: 'DynamicUser', optional: true, clears: false },
    ...deviceEntriesOf(resolved),
    ...kernelEntries(settings),
    ...privateDirectoryEntries(root, acquired.directories),
    ...acquired.directories.flatMap(directory => directoryEntries(directory, acquired, root)),
    ...resolved.configurationDirectories.map(path => configurationEntry(path, root)),
    ...mountsOf(settings, {
      root,
      isStrict: settings.ProtectSystem === 'strict',
      isDirectory: path => host.bindDirectories.includes(path),
    }),
  ];
  return entries.map(entry => ({ ...entry, path: treePath(entry.path, acquired.directories, root) }));
}

/** Whether "/" as a whole becomes read-only. */
export function isRootReadOnly({ ProtectSystem, ReadOnlyPaths, RootDirectory }: ExecSettings): boolean {
  return ProtectSystem === 'strict' || ReadOnlyPaths.some(entry => hostPathInRoot(entry, RootDirectory) === '/');
}

/** Without those in whose place something else was asked for. */
function deviceEntriesOf({ settings, host }: ResolvedLaunch): MountEntry[] {
  const { PrivateDevices, TemporaryFileSystem, BindPaths, PrivateIPC } = settings;
  const others = [
    ...TemporaryFileSystem.map(({ path }) => path),
    ...BindPaths.map(({ destination }) => destination),
    ...(PrivateIPC ? [QUEUES] : []),
  ];
  return PrivateDevices ? deviceEntries(host.hasJournal).filter(({ path }) => !others.includes(path)) : [];
}

/** File systems of the kernel that show the service's own namespaces, or less of the host's processes. */
function kernelEntries(settings: ExecSettings): MountEntry[] {
  const { PrivateNetwork, PrivateIPC, ProtectProc, ProcSubset, ReadOnlyPaths, RootDirectory } = settings;
  const entry = (path: string, type: FileSystemType, field: string, options: readonly string[] = []): MountEntry => ({
    ...{ kind: 'mount', path, type, field, options, optional: true, clears: true },
    readOnly: ReadOnlyPaths.some(given => hostPathInRoot(given, RootDirectory) === path),
    flags: ['noSuid', 'noDevices', 'noExec'],
  });
  const proc = [
    ...(ProtectProc === 'default' ? [] : [`hidepid=${ProtectProc}`]),
    ...(ProcSubset === 'all' ? [] : [`subset=${ProcSubset}`]),
  ];
  return [
    ...(proc.length === 0 ? [] : [entry('/proc', 'proc', 'ProtectProc', proc)]),
    ...(PrivateNetwork ? [entry('/sys', 'sysfs', 'PrivateNetwork')] : []),
    ...(PrivateIPC ? [entry(QUEUES, 'mqueue', 'PrivateIPC')] : []),
  ];
}

/** Empty, so that nobody else's directories are seen. In another root the trees are at their public paths. */
function privateDirectoryEntries(root: string | undefined, directories: readonly AcquiredDirectory[]): MountEntry[] {
  if (root !== undefined) {
    return [];
  }
  const paths = directories
    .map(({ kind, realPath }) => ({ path: `${BASE_DIRECTORIES[kind]}/private`, realPath }))
    .filter(({ path, realPath }) => isWithin(realPath, path))
    .map(({ path }) => path);
  return [...new Set(paths)].map(path => ({
    kind: 'cover',
    path,
    field: 'DynamicUser',
    readOnly: true,
    mode: 0o755,
    options: SMALL,
    flags: ['noSuid', 'noDevices', 'noExec'],
  }));
}

function directoryEntries(directory: AcquiredDirectory, acquired: Acquired, root: string | undefined): MountEntry[] {
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
      path: root === undefined ? realPath : publicPath,
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
function configurationEntry(path: string, root: string | undefined): MountEntry {
  const field = 'ConfigurationDirectory';
  return root === undefined
    ? { kind: 'readWrite', path, field }
    : { kind: 'bind', path, field, source: path, create: 'directory' };
}

/** As if there were no "+" before the path. */
function hostPathInRoot({ path, optional }: AccessPath, root: string | undefined): string | undefined {
  return pathInRoot({ path, optional, inRoot: false }, root);
}

/** A path below the public name of a private directory is one below its tree: there is where it is mounted. */
function treePath(path: string, directories: readonly AcquiredDirectory[], root: string | undefined): string {
  if (root !== undefined) {
    return path;
  }
  const names = directories.flatMap(({ publicPath, realPath, aliases, kind }) =>
    [publicPath, ...aliases.map(alias => `${BASE_DIRECTORIES[kind]}/${alias}`)].map(name => ({ name, realPath })),
  );
  const longest = names
    .filter(({ name }) => isWithin(path, name))
    .reduce<(typeof names)[number] | undefined>(
      (best, next) => (best === undefined || next.name.length > best.name.length ? next : best),
      undefined,
    );
  return longest === undefined ? path : `${longest.realPath}${path.slice(longest.name.length)}`;
}
