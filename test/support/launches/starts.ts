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
