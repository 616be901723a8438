/** The unit files whose worlds are compared: what each has in [Service] beside the program, and what lies on the host for it. */

export interface ComparedUnit {
  /** the unit's name, without its suffix */
  readonly name: string;
  /** lines of [Service] */
  readonly lines: readonly string[];
  readonly instance?: string;
  /** paths to look at beside those that all look at, with the specifiers of unit files */
  readonly places?: readonly string[];
}

/** Makes what the units below find on the host. */
export const HOST_SCRIPT = `
mkdir -p /srv/world-data/inner /srv/world-hidden /srv/world-target /home/somebody
echo secret >/srv/world-hidden/file
echo data >/srv/world-data/file
chmod 1777 /srv/world-data
mkdir -p /srv/world-root
for name in bin lib lib64 sbin; do [ ! -e /usr/$name ] || ln -s usr/$name /srv/world-root/$name; done
chmod 0777 /srv/world-data/inner
printf 'FROM_FILE=1 2\\nBOTH=file\\n' >/etc/world-environment
echo 'world-homeless:x:778:60::/:/bin/false' >>/etc/passwd
echo 'world-media:x:777:world-groups' >>/etc/group
`;

/** Takes away what a run of them leaves, but for the boundaries, which are the daemon's while it runs. */
export const CLEAN_SCRIPT = `
rm -rf /var/lib/world-* /var/lib/private/world-* /var/lib/deep /var/cache/world-* /var/cache/private/world-*
rm -rf /var/log/world-* /var/log/private/world-* /run/world-* /run/private/world-* /etc/world-configuration
rm -f /run/report-output
`;

const DYNAMIC = 'DynamicUser=yes';
const STATIC = 'DynamicUser=no';

export const UNITS: readonly ComparedUnit[] = [
  { name: 'world-plain', lines: [DYNAMIC] },
  {
    name: 'world-directories',
    lines: [
      DYNAMIC,
      'StateDirectory=world-one world-nested/a/b world-outer world-outer/inner',
      'CacheDirectory=world-cache',
      'LogsDirectory=world-logs',
      'RuntimeDirectory=world-run',
      'ConfigurationDirectory=world-configuration',
    ],
    places: [
      '/var/lib/private/world-one',
      '/var/lib/world-nested',
      '/var/lib/world-nested/a',
      '/var/lib/private/world-nested',
      '/var/lib/private/world-nested/a',
      '/var/lib/private/world-nested/a/b',
      '/var/lib/private/world-outer',
      '/var/cache/private/world-cache',
      '/var/log/private/world-logs',
    ],
  },
  {
    name: 'world-aliases',
    lines: [
      DYNAMIC,
      'StateDirectory=world-main:world-alias world-main:deep/world-alias world-read::ro',
      'CacheDirectory=world-cache:world-second',
      'RuntimeDirectory=world-run:world-also world-run/sub',
    ],
    places: [
      '/var/lib/world-alias',
      '/var/lib/deep/world-alias',
      '/var/lib/private/world-read',
      '/var/cache/world-second',
      '/run/world-also',
    ],
  },
  {
    name: 'world-modes',
    lines: [
      DYNAMIC,
      'StateDirectory=world-state',
      'StateDirectoryMode=0700',
      'CacheDirectory=world-cache',
      'CacheDirectoryMode=02750',
      'LogsDirectory=world-logs',
      'LogsDirectoryMode=1777',
      'RuntimeDirectory=world-run',
      'RuntimeDirectoryMode=0711',
      'ConfigurationDirectory=world-configuration',
      'ConfigurationDirectoryMode=0750',
    ],
  },
  {
    name: 'world-preserved',
    lines: [DYNAMIC, 'RuntimeDirectory=world-run', 'RuntimeDirectoryPreserve=yes'],
    places: ['/run/private/world-run'],
  },
  { name: 'world-groups', lines: [DYNAMIC, 'SupplementaryGroups=games audio'] },
  { name: 'world-group', lines: [DYNAMIC, 'Group=games', 'StateDirectory=world-state'] },
  { name: 'world-named', lines: [DYNAMIC, 'User=world-other', 'StateDirectory=world-state'] },
  {
    name: 'world-static-user',
    lines: [DYNAMIC, 'User=games', 'StateDirectory=world-state', 'RuntimeDirectory=world-run'],
  },
  { name: 'world-homes-hidden', lines: [DYNAMIC, 'ProtectHome=yes'], places: ['/home/somebody'] },
  { name: 'world-homes-empty', lines: [DYNAMIC, 'ProtectHome=tmpfs'], places: ['/home/somebody'] },
  { name: 'world-system-full', lines: [DYNAMIC, 'ProtectSystem=full'] },
  {
    name: 'world-paths',
    lines: [
      DYNAMIC,
      'ReadWritePaths=/srv/world-data -/srv/world-missing',
      'ReadOnlyPaths=/srv/world-data/inner',
      'InaccessiblePaths=/srv/world-hidden /etc/world-environment',
    ],
    places: ['/srv/world-data', '/srv/world-data/inner', '/srv/world-hidden', '/etc/world-environment'],
  },
  {
    name: 'world-empty',
    lines: [
      DYNAMIC,
      'TemporaryFileSystem=/srv:ro /opt:size=1m,mode=1777',
      'TemporaryFileSystem=/var/lib',
      'StateDirectory=world-state',
    ],
    places: ['/srv/world-data', '/var/lib/world-state'],
  },
  {
    name: 'world-binds',
    lines: [
      DYNAMIC,
      'BindPaths=/srv/world-data:/srv/world-target',
      'BindReadOnlyPaths=/srv/world-data/inner /etc/world-environment:/etc/hostname',
      'BindReadOnlyPaths=-/nowhere:/opt',
    ],
    places: ['/srv/world-target', '/srv/world-target/inner', '/srv/world-data/inner', '/etc/hostname'],
  },
  {
    name: 'world-bind-tmp',
    lines: [
      DYNAMIC,
      'BindPaths=/srv/world-data:/tmp/data',
      'TemporaryFileSystem=/srv',
      'BindReadOnlyPaths=/srv/world-data',
    ],
    places: ['/tmp/data', '/srv/world-data'],
  },
  {
    name: 'world-rooted',
    lines: [
      DYNAMIC,
      'RootDirectory=/srv/world-root',
      'BindReadOnlyPaths=/usr /etc',
      'BindPaths=/proc /sys /dev /run',
      'StateDirectory=world-state:world-alias',
      'RuntimeDirectory=world-run',
      'WorkingDirectory=/var/lib/world-state',
    ],
    places: ['/var/lib/world-alias'],
  },
  { name: 'world-devices', lines: [DYNAMIC, 'PrivateDevices=yes'], places: ['/dev/pts', '/dev/null'] },
  { name: 'world-users', lines: [DYNAMIC, 'PrivateUsers=yes', 'StateDirectory=world-state'], places: ['/etc/shadow'] },
  {
    name: 'world-umask',
    lines: [DYNAMIC, 'UMask=0077', 'StateDirectory=world-state', 'WorkingDirectory=/var/lib/world-state'],
  },
  { name: 'world-no-place', lines: [DYNAMIC, 'WorkingDirectory=-/nowhere'] },
  {
    name: 'world-environment',
    lines: [
      DYNAMIC,
      'Environment=ONE=1 "TWO=two words" BOTH=line USER=somebody',
      'EnvironmentFile=/etc/world-environment',
      'EnvironmentFile=-/etc/world-nothing',
      'UnsetEnvironment=ONE LOGNAME=%N',
    ],
  },
  {
    name: 'world-ambient',
    lines: [
      DYNAMIC,
      'AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_CHOWN',
      'CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_CHOWN CAP_KILL',
    ],
  },
  { name: 'world-bounded', lines: [DYNAMIC, 'CapabilityBoundingSet='] },
  { name: 'world-unbounded', lines: [DYNAMIC, 'CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_NET_ADMIN'] },
  {
    name: 'world-template@',
    instance: 'a-b\\x2dc',
    lines: [
      DYNAMIC,
      'User=%p',
      'StateDirectory=%p/%I',
      'RuntimeDirectory=%p-%j',
      'Environment="SPECIFIED=%n %N %p %i %I %j %t %S %C %L %E %T %V %u %U %g %G %h %H %m %b %v %%"',
    ],
    places: ['/var/lib/%p/%I'],
  },
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
  { name: 'world-login', lines: [STATIC, 'User=games', 'SetLoginEnvironment=yes'] },
  { name: 'world-nologin', lines: [STATIC, 'User=games', 'SetLoginEnvironment=no'] },
  { name: 'world-homeless', lines: [STATIC, 'User=world-homeless'] },
  { name: 'world-root-user', lines: [STATIC, 'User=root'] },
  {
    name: 'world-static-ambient',
    lines: [STATIC, 'User=games', 'AmbientCapabilities=CAP_NET_BIND_SERVICE', 'PrivateUsers=yes'],
  },
];
