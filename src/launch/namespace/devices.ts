/**
 * The /dev of a service that does not have all devices: shared memory, terminals, devices that hold nothing (systemd.exec(5),
 * PrivateDevices=), and what DeviceAllow= names. Pure.
 */
import type { MountOp } from '../../api/generated/io-dynuser-allocator.ts';
import { JOURNAL_SOCKET, KERNEL_MEMORY } from '../../core/usual-questions.ts';
import type { HostFindings } from '../plan/request.ts';
import type { ExecSettings } from '../properties/table.ts';
import { HostDevices } from './allowed-devices.ts';
import type { MountEntry } from './mount-entry.ts';

const FIELD = 'PrivateDevices';
const NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;
const TERMINALS = 'pts';
const TREES = [TERMINALS, 'shm', 'mqueue', 'hugepages'] as const;
/** What syslog(3) writes to. With systemd it is a link to a socket of the journal: a link stays right when that is recreated. */
const SYSLOG = 'log';
/** Only a file system with all control groups in one tree has it (cgroups(7)). */
export const UNIFIED_GROUPS = '/sys/fs/cgroup/cgroup.controllers';

const CLOCKS = { specifier: 'char-rtc', read: true, write: false } as const;

const LINKS: Readonly<Record<string, string>> = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
};

export interface PlannedDevices {
  readonly entries: readonly MountEntry[];
  /** links that are made once all of them are there */
  readonly links: readonly MountOp[];
  /** paths of the host whose devices can be used, wherever they are mounted */
  readonly sources: ReadonlySet<string>;
  /** what must not be readable, and not writable, by its mode */
  readonly unreadable: readonly string[];
  readonly unwritable: readonly string[];
}

/** Which devices there are: all of the host's, those that hold nothing and those that are allowed, or the latter alone. */
export function devicePolicyOf({
  DevicePolicy,
  DeviceAllow,
  PrivateDevices,
}: ExecSettings): 'all' | 'closed' | 'strict' {
  if (DevicePolicy !== 'auto') {
    return DevicePolicy;
  }
  return PrivateDevices || DeviceAllow.length > 0 ? 'closed' : 'all';
}

/** @returns undefined if the service has the host's /dev */
export function planDevices(settings: ExecSettings, host: HostFindings): PlannedDevices | undefined {
  const policy = devicePolicyOf(settings);
  if (policy === 'all') {
    return undefined;
  }
  const devices = new HostDevices(host.devices);
  const allowed = devices.allowed(settings.DeviceAllow);
  // As with systemd, which has them read where it has a list of devices anyway. Nobody can set them without CAP_SYS_TIME.
  const clocks = settings.ProtectClock ? [...devices.allowed([CLOCKS]).nodes.keys()] : [];
  const own = NODES.map(name => `/dev/${name}`);
  // As with systemd, what is allowed is not in the /dev of PrivateDevices=.
  const more = settings.PrivateDevices
    ? []
    : [...new Set([...allowed.nodes.keys(), ...clocks])].filter(path => !own.includes(path));
  const nodes = [...own.filter(path => policy === 'closed' || allowed.nodes.has(path)), ...more];
  const hasTerminals = policy === 'closed' || allowed.terminals;
  const trees = TREES.filter(name => name !== TERMINALS || hasTerminals).map(name => `/dev/${name}`);
  const isFree = (path: string): boolean => policy === 'closed' && own.includes(path);
  return {
    entries: [
      COVER,
      ...nodes.map(path => (isFree(path) ? nodeOf(path) : bindOf(path, 'file'))),
      ...(host.hasJournal ? [] : [bindOf(`/dev/${SYSLOG}`, 'file')]),
      ...trees.map(path => bindOf(path, 'directory')),
    ],
    links: [...deviceLinks(host, hasTerminals), ...(settings.PrivateDevices ? [] : linksOf(devices, nodes))],
    sources: new Set([...nodes, ...trees]),
    unreadable: nodes.filter(path => !isFree(path) && allowed.nodes.get(path)?.read === false),
    unwritable: nodes.filter(path => !isFree(path) && allowed.nodes.get(path)?.write === false),
  };
}

const COVER: MountEntry = {
  kind: 'cover',
  path: '/dev',
  field: FIELD,
  clears: true,
  readOnly: true,
  mode: 0o755,
  options: ['size=4m', 'nr_inodes=64k'],
  flags: ['noSuid', 'noExec'],
  keepsDevices: true,
  node: true,
};

/** As with systemd, a device that everybody may use is made anew. The others that are allowed keep their owners. */
function nodeOf(path: string): MountEntry {
  return { ...bindOf(path, 'file'), node: true };
}

function bindOf(path: string, create: 'file' | 'directory'): MountEntry {
  return { kind: 'bind', path, field: FIELD, source: path, create, optional: true, keepsDevices: true };
}

function linksOf(devices: HostDevices, nodes: readonly string[]): MountOp[] {
  const made = Object.keys(LINKS).map(name => `/dev/${name}`);
  return devices
    .linksTo(new Set(nodes))
    .filter(([path]) => !made.includes(path))
    .map(([path, target]) => ({ kind: 'symlink', path, target }));
}

function deviceLinks({ hasJournal, hasKernelMemory }: HostFindings, hasTerminals: boolean): MountOp[] {
  const links = {
    ...LINKS,
    ...(hasTerminals ? { ptmx: 'pts/ptmx' } : {}),
    ...(hasKernelMemory ? { core: KERNEL_MEMORY } : {}),
    ...(hasJournal ? { [SYSLOG]: JOURNAL_SOCKET } : {}),
  };
  return Object.entries(links).map(([name, target]) => ({ kind: 'symlink', path: `/dev/${name}`, target }));
}
