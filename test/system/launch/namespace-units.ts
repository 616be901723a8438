/** Unit files whose services have namespaces, those that others made among them, and other roots with the kernel's trees. */
import type { ComparedUnit } from './units.ts';

const DYNAMIC = 'DynamicUser=yes';
const STATIC = 'DynamicUser=no';
const TREES = ['/sys/fs/cgroup', '/run/systemd', '/run/systemd/journal', '/run/host', '/sys/fs'];

/** Makes the namespaces that the units below name. */
export const NAMESPACE_SCRIPT = `
mkdir -p /run/netns
touch /run/netns/world /run/netns/world-queues
unshare --net=/run/netns/world true
unshare --ipc=/run/netns/world-queues true
`;

export const NAMESPACE_UNITS: readonly ComparedUnit[] = [
  { name: 'world-groups-private', lines: [STATIC, 'ProtectControlGroups=private'], places: TREES },
  { name: 'world-groups-strict', lines: [DYNAMIC, 'ProtectControlGroups=strict'], places: TREES },
  {
    name: 'world-groups-hardened',
    lines: [STATIC, 'User=games', 'ProtectControlGroups=strict', 'ProtectKernelTunables=yes', 'PrivateNetwork=yes'],
    places: TREES,
  },
  { name: 'world-users-identity', lines: [DYNAMIC, 'PrivateUsers=identity', 'StateDirectory=world-state'] },
  { name: 'world-users-root', lines: [STATIC, 'PrivateUsers=self'] },
  { name: 'world-network-path', lines: [STATIC, 'NetworkNamespacePath=/run/netns/world'] },
  {
    name: 'world-paths-both',
    lines: [
      DYNAMIC,
      'PrivateNetwork=yes',
      'NetworkNamespacePath=/run/netns/world',
      'IPCNamespacePath=/run/netns/world-queues',
    ],
  },
  { name: 'world-mounts-slave', lines: [STATIC, 'MountFlags=slave', 'User=games'] },
  { name: 'world-mounts-private', lines: [DYNAMIC, 'MountFlags=private'] },
  { name: 'world-trees', lines: [STATIC, 'MountAPIVFS=yes', 'PrivateMounts=yes'], places: TREES },
  { name: 'world-strict-run', lines: [STATIC, 'ProtectSystem=strict', 'ProtectKernelTunables=yes'], places: TREES },
  { name: 'world-log-sockets', lines: [DYNAMIC, 'BindLogSockets=yes', 'TemporaryFileSystem=/run'], places: TREES },
  {
    name: 'world-rooted-trees',
    lines: [DYNAMIC, 'RootDirectory=/srv/world-root', 'BindReadOnlyPaths=/usr /etc', 'RuntimeDirectory=world-run'],
    places: TREES,
  },
  {
    name: 'world-rooted-hardened',
    lines: [
      STATIC,
      'User=games',
      'RootDirectory=/srv/world-root',
      'BindReadOnlyPaths=/usr /etc',
      'PrivateDevices=yes',
      'PrivateNetwork=yes',
      'ProtectKernelTunables=yes',
      'ProtectControlGroups=strict',
      'ProtectProc=invisible',
    ],
    places: TREES,
  },
];
