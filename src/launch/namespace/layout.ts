/** What is where in the mount namespace of a service (systemd.exec(5), "Sandboxing"). Pure. */
import { BASE_DIRECTORIES } from '../../core/directory-classes.ts';
import { NSCD_DIRECTORY, RUNTIME_DIRECTORY } from '../../core/paths.ts';
import { overlayEntries } from '../plan/account-overlay.ts';
import { credentialsDirectory } from '../plan/credentials.ts';
import type { Acquired, AcquiredDirectory, ResolvedLaunch } from '../plan/request.ts';
import { CREDENTIALS } from '../properties/credentials.ts';
import type { ConfigurationDirectory } from '../properties/directories.ts';
import { type AccessPath, pathInRoot } from '../properties/paths.ts';
import { SMALL } from '../properties/sandbox.ts';
import { type ExecSettings, mountsOf } from '../properties/table.ts';
import { isWithin } from '../syntax/values.ts';
import { devicePolicyOf, type PlannedDevices } from './devices.ts';
import { DATA_ALONE, kernelMount, type MountEntry } from './mount-entry.ts';

/** POSIX message queues, of the IPC namespace of whoever mounts them (mq_overview(7)). */
const QUEUES = '/dev/mqueue';
/** Where musl's programs ask for users, by way of /var/run, and where dynuserd answers them. */
const NSCD = '/run/nscd';
const NSCD_SOURCE = `${RUNTIME_DIRECTORY}/${NSCD_DIRECTORY}`;
/** What systemd's journal listens on. */
const LOG_SOCKETS = ['socket', 'stdout', 'dev-log'].map(name => `/run/systemd/journal/${name}`);
/** The size and the flags of the /run of another root; systemd has the same. */
const RUN = ['size=20%', 'nr_inodes=800k'] as const;
const RUN_FLAGS = ['noSuid', 'noDevices'] as const;

/** @returns what is where, in no order, and perhaps twice */
export function mountEntries(
  resolved: ResolvedLaunch,
  acquired: Acquired,
  devices: PlannedDevices | undefined,
): MountEntry[] {
  const { settings, host } = resolved;
  const root = settings.RootDirectory;
  const entries: MountEntry[] = [
    ...credentialEntries(resolved),
    ...(devices === undefined ? [] : deviceEntriesOf(settings, devices)),
    ...kernelEntries(resolved),
    ...privateDirectoryEntries(root, acquired.directories),
    ...acquired.directories.flatMap(directory => directoryEntries(directory, acquired, root)),
    ...configurationEntries(resolved.configurationDirectories, acquired),
    ...nameServiceEntries(resolved),
    ...overlayEntries(host.accountOverlay, acquired),
    ...resolved.images.mounts,
    ...mountsOf(settings, {
      root,
      hasPidsAlone: settings.ProcSubset === 'pid',
      // The host was asked before the service's own directories were made.
      isDirectory: path =>
        host.bindDirectories.includes(path) ||
        acquired.directories.some(({ publicPath, realPath }) => [publicPath, realPath].includes(path)),
    }),
  ];
  return entries.map(entry => ({ ...entry, path: treePath(entry.path, acquired.directories, root) }));
}

/** @returns where the service has something else than the host: nothing that is made there is on the host */
export function coveredPaths({ RootDirectory, TemporaryFileSystem }: ExecSettings): readonly string[] {
  return RootDirectory === undefined ? TemporaryFileSystem.map(({ path }) => path) : ['/'];
}

/** Whether "/" as a whole becomes read-only. */
export function isRootReadOnly({ ProtectSystem, ReadOnlyPaths, RootDirectory }: ExecSettings): boolean {
  return ProtectSystem === 'strict' || ReadOnlyPaths.some(entry => hostPathInRoot(entry, RootDirectory) === '/');
}

/** Hides the credentials that systemd gave to other services; the names in that directory are those of services. */
function credentialEntries(resolved: ResolvedLaunch): MountEntry[] {
  const own = credentialsDirectory(resolved);
  if (own === undefined) {
    return [{ kind: 'hide', path: CREDENTIALS, field: 'DynamicUser', optional: true, clears: false }];
  }
  const field = 'LoadCredential';
  const cover = { kind: 'cover', path: CREDENTIALS, field, made: true, readOnly: true } as const;
  return [
    { ...cover, mode: 0o755, options: SMALL, flags: DATA_ALONE },
    { kind: 'credentials', path: own, field },
  ];
}

/** Leaves out those in whose place the unit asks for something else. */
function deviceEntriesOf(settings: ExecSettings, { entries }: PlannedDevices): readonly MountEntry[] {
  const { TemporaryFileSystem, BindPaths } = settings;
  const others = [
    ...TemporaryFileSystem.map(({ path }) => path),
    ...BindPaths.map(({ destination }) => destination),
    ...(hasOtherQueues(settings) ? [QUEUES] : []),
  ];
  return entries.filter(({ path }) => !others.includes(path));
}

function hasOtherNetwork({ PrivateNetwork, NetworkNamespacePath }: ExecSettings): boolean {
  return PrivateNetwork || NetworkNamespacePath !== undefined;
}

function hasOtherQueues({ PrivateIPC, IPCNamespacePath }: ExecSettings): boolean {
  return PrivateIPC || IPCNamespacePath !== undefined;
}

/** File systems of the kernel: those that show the service's own namespaces, or less of the host's processes, are new. */
function kernelEntries(resolved: ResolvedLaunch): MountEntry[] {
  const { settings } = resolved;
  const { ProtectProc, ProcSubset } = settings;
  const proc = [
    ...(ProtectProc === 'default' ? [] : [`hidepid=${ProtectProc}`]),
    ...(ProcSubset === 'all' ? [] : [`subset=${ProcSubset}`]),
  ];
  return [
    ...(proc.length > 0 || needsKernelTrees(resolved) ? [kernelMount('/proc', 'proc', 'ProtectProc', proc)] : []),
    ...(hasOtherNetwork(settings) ? [kernelMount('/sys', 'sysfs', 'PrivateNetwork')] : []),
    ...(hasOtherQueues(settings) ? [kernelMount(QUEUES, 'mqueue', 'PrivateIPC')] : []),
    ...(needsKernelTrees(resolved) || proc.length > 0 ? treeEntries(settings) : []),
    ...(bindsLogSockets(resolved) ? LOG_SOCKETS.map(logSocketEntry) : []),
  ];
}

/** Protections of the kernel's trees come with the trees, as with systemd. */
function needsKernelTrees(resolved: ResolvedLaunch): boolean {
  const { ProtectKernelTunables, ProtectControlGroups } = resolved.settings;
  return mountsTrees(resolved) || ProtectKernelTunables || ProtectControlGroups !== 'no';
}

function mountsTrees({ settings, given }: ResolvedLaunch): boolean {
  return given.includes('MountAPIVFS') ? settings.MountAPIVFS : settings.RootDirectory !== undefined;
}

function bindsLogSockets(resolved: ResolvedLaunch): boolean {
  const { settings, given } = resolved;
  return given.includes('BindLogSockets')
    ? settings.BindLogSockets
    : mountsTrees(resolved) || (settings.RootDirectory !== undefined && settings.PrivateDevices);
}

/** What another root gets of these trees in addition to a new /proc. */
function treeEntries(settings: ExecSettings): MountEntry[] {
  const { RootDirectory, TemporaryFileSystem, DynamicUser } = settings;
  const at = { field: 'MountAPIVFS', unlessMounted: true } as const;
  if (RootDirectory === undefined) {
    // If "/" is read-only, systemd leaves /run writable when it mounts these trees. A dynamic user would leave files there.
    return DynamicUser ? [] : [{ kind: 'exempt', path: '/run', field: 'MountAPIVFS', optional: true }];
  }
  const bound = [
    ...(hasOtherNetwork(settings) ? [] : ['/sys']),
    ...(devicePolicyOf(settings) === 'all' ? ['/dev'] : []),
  ];
  const hasRun = TemporaryFileSystem.some(({ path }) => path === '/run');
  return [
    ...bound.map((path): MountEntry => ({ ...at, kind: 'bind', path, source: path, create: 'directory' })),
    ...(hasRun ? [] : [{ ...at, kind: 'cover', path: '/run', mode: 0o755, options: RUN, flags: RUN_FLAGS } as const]),
  ];
}

function logSocketEntry(path: string): MountEntry {
  const bind = { kind: 'bind', path, source: path, create: 'file', optional: true } as const;
  return { ...bind, field: 'BindLogSockets', readOnly: true, flags: DATA_ALONE };
}

/** Empty, so that nobody else's directories are seen. In another root the trees are at their public paths. */
function privateDirectoryEntries(root: string | undefined, directories: readonly AcquiredDirectory[]): MountEntry[] {
  if (root !== undefined) {
    return [];
  }
  const paths = directories.flatMap(({ kind, realPath }) => {
    const path = `${BASE_DIRECTORIES[kind]}/private`;
    return isWithin(realPath, path) ? [path] : [];
  });
  return [...new Set(paths)].map(path => ({
    kind: 'cover',
    path,
    field: 'DynamicUser',
    readOnly: true,
    mode: 0o755,
    options: SMALL,
    flags: DATA_ALONE,
  }));
}

function directoryEntries(directory: AcquiredDirectory, acquired: Acquired, root: string | undefined): MountEntry[] {
  const { publicPath, realPath, readOnly, device, inode, diskUid, diskGid } = directory;
  const parent = acquired.directories.find(other => other.publicPath === directory.within);
  // As with systemd, a part is as read-only as its tree.
  if (parent !== undefined && (!readOnly || parent.readOnly)) {
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

/** Without it programs of musl would see the users of services as numbers. A hostile program gets no socket of the daemon. */
function nameServiceEntries({ host, settings, untrusted }: ResolvedLaunch): MountEntry[] {
  const isTaken = settings.BindPaths.some(({ destination }) => isWithin(destination, NSCD));
  if (!host.rootHasMusl || untrusted || isTaken) {
    return [];
  }
  return [
    {
      ...{ kind: 'bind', path: NSCD, source: NSCD_SOURCE, field: 'RootDirectory', create: 'directory' },
      ...{ optional: true, readOnly: true, flags: DATA_ALONE },
    },
  ];
}

/** They are root's, and writable for commands with root's privileges alone. What is below one of them comes with it. */
function configurationEntries(all: readonly ConfigurationDirectory[], { dynamic }: Acquired): MountEntry[] {
  const isPart = (path: string) => all.some(other => other.path !== path && isWithin(path, other.path));
  return all
    .filter(({ path, readOnly }) => readOnly || !isPart(path))
    .map(({ path, readOnly }) => ({
      kind: 'bind',
      path,
      field: 'ConfigurationDirectory',
      source: path,
      readOnly,
      create: 'directory',
      flags: dynamic ? ['noSuid'] : [],
    }));
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
  const names = directories.flatMap(({ publicPath, realPath, aliases, otherNames, kind }) => {
    const further = [...aliases, ...(otherNames?.inner ?? []), ...(otherNames?.covered ?? [])];
    const paths = [publicPath, ...further.map(alias => `${BASE_DIRECTORIES[kind]}/${alias}`)];
    return paths.map(name => ({ name, realPath }));
  });
  const [longest] = names
    .filter(({ name }) => isWithin(path, name))
    .sort((one, other) => other.name.length - one.name.length);
  return longest === undefined ? path : `${longest.realPath}${path.slice(longest.name.length)}`;
}
