/** The /dev of PrivateDevices=: devices that hold nothing, terminals, and shared memory (systemd.exec(5)). Pure data. */
import type { MountOp } from '../../api/generated/io-dynuser-allocator.ts';
import type { MountEntry } from './mount-entry.ts';

const FIELD = 'PrivateDevices';
const NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;
const TREES = ['pts', 'shm', 'mqueue', 'hugepages'] as const;
/** What syslog(3) writes to. With systemd it is a link to a socket of the journal: a link stays right when that is recreated. */
const SYSLOG = 'log';
export const JOURNAL_SOCKET = '/run/systemd/journal/dev-log';
/** The kernel's memory, if the kernel was built to show it. */
export const KERNEL_MEMORY = '/proc/kcore';

const LINKS: Readonly<Record<string, string>> = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  ptmx: 'pts/ptmx',
};

/** What of the host there is to link to. */
interface DeviceLinks {
  readonly hasJournal: boolean;
  readonly hasKernelMemory: boolean;
}

/** @param hasJournal whether JOURNAL_SOCKET is there */
export function deviceEntries(hasJournal: boolean): MountEntry[] {
  return [
    {
      kind: 'cover',
      path: '/dev',
      field: FIELD,
      clears: true,
      readOnly: true,
      mode: 0o755,
      options: ['size=4m', 'nr_inodes=64k'],
      flags: ['noSuid', 'noExec'],
    },
    ...[...NODES, ...(hasJournal ? [] : [SYSLOG])].map(name => bindOf(name, 'file')),
    ...TREES.map(name => bindOf(name, 'directory')),
  ];
}

function bindOf(name: string, create: 'file' | 'directory'): MountEntry {
  const path = `/dev/${name}`;
  return { kind: 'bind', path, field: FIELD, source: path, create, optional: true };
}

export function deviceLinks({ hasJournal, hasKernelMemory }: DeviceLinks): MountOp[] {
  const links = {
    ...LINKS,
    ...(hasKernelMemory ? { core: KERNEL_MEMORY } : {}),
    ...(hasJournal ? { [SYSLOG]: JOURNAL_SOCKET } : {}),
  };
  return Object.entries(links).map(([name, target]) => ({ kind: 'symlink', path: `/dev/${name}`, target }));
}
