/** Starts that together make every system call that the launcher has. They run the witness. */
import { WITNESS } from './traced.ts';

const UNIT_FILE = '/etc/starts/web@.service';

/** What the machine needs for these starts: a shell script. */
export const PREPARATION = `
  mkdir -p /etc/starts/web@.service.d /srv/root /srv/bound
  printf '%s\\n' '[Service]' 'DynamicUser=yes' 'EnvironmentFile=-/etc/starts/*.env' 'StateDirectory=%p-%i' \\
    'ExecStartPre=+/bin/true' 'ExecStart=/bin/${WITNESS.join(' ')}' >${UNIT_FILE}
  printf '%s\\n' '[Service]' 'ExecStartPre=-/bin/false' >${UNIT_FILE.replace(/[^/]*$/, 'web@.service.d/a.conf')}
  echo A=b >/etc/starts/a.env
  echo secret >/etc/starts/secret
  echo 'starters:x:4711:web' >>/etc/group`;

export interface Start {
  readonly name: string;
  readonly argv: readonly string[];
}

const properties = (...list: readonly string[]): string[] => list.flatMap(property => ['-p', property]);

/** What the launcher needs, and what it shall give away, where being root gives nothing by itself. */
const CAPABILITIES = '+chown,+dac_override,+kill,+mknod,+setfcap,+setgid,+setuid,+setpcap,+sys_admin,+net_admin';

/** A launcher that may make no mounts, as in most containers. */
const CONTAINED = [
  ...['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin', '--securebits', '+no_setuid_fixup'],
  'dynuser-run',
];

export const STARTS: readonly Start[] = [
  {
    name: 'with directories',
    argv: ['dynuser-run', '-u', 'web', ...properties('StateDirectory=web', 'RuntimeDirectory=web'), ...WITNESS],
  },
  {
    name: 'with a world of its own and some capabilities',
    argv: [
      ...['setpriv', '--inh-caps', CAPABILITIES, '--ambient-caps', CAPABILITIES, '--securebits', '+noroot'],
      ...['dynuser-run', '-u', 'web'],
      ...properties('PrivateUsers=yes', 'PrivateDevices=yes', 'CapabilityBoundingSet=CAP_KILL CAP_CHOWN'),
      ...properties('AmbientCapabilities=CAP_KILL', 'WorkingDirectory=/usr', 'InaccessiblePaths=/etc/passwd /mnt'),
      ...properties('PrivateNetwork=yes', 'PrivateIPC=yes', 'ProtectProc=ptraceable'),
      ...properties('TemporaryFileSystem=/opt', 'BindPaths=/srv/bound:/media', 'SupplementaryGroups=games'),
      ...WITNESS,
    ],
  },
  {
    name: 'of a unit file with commands before it',
    argv: ['dynuser-run', `--unit-file=${UNIT_FILE}`, '--instance=one'],
  },
  {
    name: 'without the right to mount',
    argv: [...CONTAINED, '-u', 'web', '--isolation=best-effort', ...properties('StateDirectory=web'), ...WITNESS],
  },
];

/** One of each group of properties, with what they leave on the host while the service runs: mounts, credentials, rules, namespaces. */
export const ALL_GROUPS: Start = {
  name: 'with all groups of properties',
  argv: [
    ...['dynuser-run', '-u', 'web', '--passwd-overlay'],
    ...properties('ProtectKernelTunables=yes', 'ProtectKernelModules=yes', 'ProtectKernelLogs=yes', 'ProtectClock=yes'),
    ...properties('ProtectControlGroups=private', 'ProtectHostname=private', 'ProtectProc=invisible', 'ProcSubset=pid'),
    ...properties(
      'PrivateIPC=yes',
      'PrivateUsers=yes',
      'PrivateTmp=yes',
      'RestrictNamespaces=yes',
      'ProtectHome=tmpfs',
    ),
    ...properties(
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~@swap:ENOSYS',
      'SystemCallArchitectures=native',
    ),
    ...properties('RestrictAddressFamilies=AF_UNIX AF_INET', 'MemoryDenyWriteExecute=yes', 'LockPersonality=yes'),
    ...properties('IPAddressDeny=any', 'IPAddressAllow=localhost', 'RestrictNetworkInterfaces=lo'),
    ...properties('NoExecPaths=/srv', 'OpenFile=/etc/starts/a.env:env:read-only', 'InaccessiblePaths=/mnt'),
    ...properties(
      'DeviceAllow=/dev/null rw',
      'DevicePolicy=closed',
      'TemporaryFileSystem=/opt',
      'BindPaths=/srv/bound',
    ),
    ...properties('LoadCredential=file:/etc/starts/secret', 'SetCredential=set:value', 'ImportCredential=none.*'),
    ...properties('LimitNOFILE=500:600', 'Nice=5', 'OOMScoreAdjust=100', 'CPUAffinity=0', 'IOSchedulingPriority=5'),
    ...properties('CPUSchedulingPolicy=batch', 'TimerSlackNSec=1ms', 'CoredumpFilter=all', 'IgnoreSIGPIPE=no'),
    ...properties('StandardInput=data', 'StandardInputText=text', 'StandardError=append:/srv/bound/errors'),
    ...properties('StateDirectory=web', 'CacheDirectory=web::ro', 'RuntimeDirectory=web', 'SupplementaryGroups=games'),
    ...properties(
      'KeyringMode=private',
      'SecureBits=noroot',
      'UMask=0027',
      'WorkingDirectory=/srv',
      'RuntimeMaxSec=1h',
    ),
    ...WITNESS,
  ],
};
