/** The /dev of PrivateDevices=: devices that hold nothing, terminals, and shared memory (systemd.exec(5)). Pure data. */
import type { LaunchStep } from './plan.ts';
import type { WorldEntry } from './world-entry.ts';

const FIELD = 'PrivateDevices';
const NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'] as const;
const TREES = ['pts', 'shm', 'mqueue', 'hugepages'] as const;
/** Where syslog(3) writes to: a socket, or with systemd a link to its journal's. */
const SYSLOG = 'log';

const LINKS: Readonly<Record<string, string>> = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  core: '/proc/kcore',
  ptmx: 'pts/ptmx',
};

export function deviceEntries(): WorldEntry[] {
  return [
    {
      kind: 'cover',
      path: '/dev',
      field: FIELD,
      readOnly: true,
      mode: 0o755,
      options: ['size=4m', 'nr_inodes=64k'],
      flags: ['noSuid', 'noExec'],
    },
    ...[...NODES, SYSLOG].map(name => bindOf(name, 'file')),
    ...TREES.map(name => bindOf(name, 'directory')),
  ];
}

function bindOf(name: string, create: 'file' | 'directory'): WorldEntry {
  const path = `/dev/${name}`;
  return { kind: 'bind', path, field: FIELD, source: path, create, optional: true };
}

export function deviceLinks(): LaunchStep[] {
  return Object.entries(LINKS).map(([name, target]) => ({ do: 'link', path: `/dev/${name}`, target }));
}
