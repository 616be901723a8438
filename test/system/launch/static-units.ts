/** Unit files of static users and of root whose worlds are compared. */
import type { ComparedUnit } from './units.ts';

const STATIC = 'DynamicUser=no';

export const STATIC_UNITS: readonly ComparedUnit[] = [
  { name: 'world-root', lines: [STATIC, 'StateDirectory=world-state', 'RuntimeDirectory=world-run'] },
  {
    name: 'world-root-protected',
    lines: [STATIC, 'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes', 'StateDirectory=world-state'],
  },
  {
    name: 'world-root-bounded',
    lines: [STATIC, 'CapabilityBoundingSet=CAP_CHOWN CAP_KILL', 'NoNewPrivileges=yes', 'RestrictSUIDSGID=yes'],
  },
  {
    name: 'world-static',
    lines: [
      STATIC,
      'User=games',
      'StateDirectory=world-state world-state/inner',
      'CacheDirectory=world-cache',
      'LogsDirectory=world-logs',
      'RuntimeDirectory=world-run',
      'ConfigurationDirectory=world-configuration',
      'WorkingDirectory=~',
    ],
  },
  {
    name: 'world-static-protected',
    lines: [
      STATIC,
      'User=games',
      'Group=audio',
      'ProtectSystem=full',
      'ProtectHome=read-only',
      'PrivateTmp=yes',
      'PrivateDevices=yes',
      'NoNewPrivileges=yes',
      'StateDirectory=world-state',
    ],
  },
  {
    name: 'world-static-network',
    lines: [STATIC, 'User=games', 'PrivateNetwork=yes', 'ProtectProc=noaccess', 'PrivateIPC=yes'],
  },
  { name: 'world-root-network', lines: [STATIC, 'PrivateNetwork=yes'] },
  { name: 'world-static-nobody', lines: [STATIC, 'User=nobody'] },
  { name: 'world-static-number', lines: [STATIC, 'User=5'] },
  { name: 'world-login', lines: [STATIC, 'User=games', 'SetLoginEnvironment=yes'] },
  { name: 'world-nologin', lines: [STATIC, 'User=games', 'SetLoginEnvironment=no'] },
  { name: 'world-homeless', lines: [STATIC, 'User=world-homeless'] },
  { name: 'world-root-user', lines: [STATIC, 'User=root'] },
  {
    name: 'world-static-ambient',
    lines: [STATIC, 'User=games', 'AmbientCapabilities=CAP_NET_BIND_SERVICE', 'PrivateUsers=yes'],
  },
  { name: 'world-static-system', lines: [STATIC, 'User=games', 'ProtectSystem=yes', 'ProtectHome=tmpfs'] },
  {
    name: 'world-static-paths',
    lines: [STATIC, 'User=games', 'ReadOnlyPaths=/', 'ReadWritePaths=/srv/world-data', 'InaccessiblePaths=/home'],
    places: ['/srv/world-data'],
  },
  { name: 'world-static-groups', lines: [STATIC, 'User=games', 'SupplementaryGroups=audio'] },
  { name: 'world-root-groups', lines: [STATIC, 'SupplementaryGroups=audio games'] },
  { name: 'world-root-group', lines: [STATIC, 'Group=audio', 'StateDirectory=world-state'] },
  {
    name: 'world-root-bind',
    lines: [STATIC, 'BindPaths=/srv/world-data:/opt', 'PrivateDevices=yes'],
    places: ['/opt/file'],
  },
  { name: 'world-root-users', lines: [STATIC, 'PrivateUsers=yes'] },
  { name: 'world-root-mounts', lines: [STATIC, 'PrivateMounts=yes'] },
  { name: 'world-static-mounts', lines: [STATIC, 'User=games', 'PrivateMounts=yes'] },
];
