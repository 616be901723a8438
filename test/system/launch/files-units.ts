/** Unit files with directories, devices and addresses whose worlds are compared. */
import type { ComparedUnit } from './units.ts';

const STATIC = 'DynamicUser=no';
const DYNAMIC = 'DynamicUser=yes';

export const FILES_UNITS: readonly ComparedUnit[] = [
  {
    name: 'world-files-static',
    lines: [
      STATIC,
      'User=games',
      'StateDirectory=world-state::ro world-two:world-two/self world-one:world-two/inner world-one:world-alias',
      'ConfigurationDirectory=world-configuration::ro',
      'ConfigurationDirectoryMode=0750',
    ],
    places: ['/var/lib/world-two/self', '/var/lib/world-two/inner', '/var/lib/world-alias'],
  },
  {
    name: 'world-files-inner',
    lines: [
      DYNAMIC,
      'StateDirectory=world-one:world-two/inner world-two world-two/deep world-one:world-two/deep/er',
      'RuntimeDirectory=world-run world-also:world-run/a/b',
      'ConfigurationDirectory=world-configuration::ro world-configuration/x',
    ],
    places: [
      '/var/lib/world-two/inner',
      '/var/lib/world-two/deep/er',
      '/var/lib/private/world-two/inner',
      '/run/world-run/a',
      '/run/world-run/a/b',
    ],
  },
  {
    name: 'world-files-covered',
    lines: [
      DYNAMIC,
      'TemporaryFileSystem=/var/lib',
      'TemporaryFileSystem=/etc/default:ro',
      'StateDirectory=world-two:world-alias world-two:world-one/inner world-one',
      'ConfigurationDirectory=default/world',
    ],
    places: ['/etc/default', '/var/lib/world-alias', '/var/lib/world-one/inner'],
  },
  { name: 'world-files-exec', lines: [STATIC, 'User=games', 'NoExecPaths=/', 'ExecPaths=/bin -/nowhere /usr'] },
  {
    name: 'world-files-noexec',
    lines: [
      DYNAMIC,
      'NoExecPaths=/srv -/nowhere /usr/share',
      'NoExecPaths=/var',
      'ExecPaths=/srv/world-data /usr/share/doc /var',
      'StateDirectory=world-state',
    ],
  },
  {
    name: 'world-files-closed',
    lines: [STATIC, 'User=games', 'DevicePolicy=closed', 'ProtectSystem=full'],
    places: ['/dev/world-secret', '/srv/world-device'],
  },
  {
    name: 'world-files-devices',
    lines: [
      DYNAMIC,
      'DevicePolicy=closed',
      'DeviceAllow=/dev/world-read r',
      'DeviceAllow=/dev/world-link rw',
      'DeviceAllow=block-virtbl? rw',
      'DeviceAllow=/dev/world-nowhere',
      'DeviceAllow=/dev/null w',
    ],
    places: ['/dev/world-read', '/dev/world-link', '/dev/world-secret', '/srv/world-device', '/dev/world-block'],
  },
  {
    name: 'world-files-strict',
    lines: [
      DYNAMIC,
      'DevicePolicy=closed',
      'DevicePolicy=strict',
      'DeviceAllow=/dev/null rw',
      'DeviceAllow=/dev/urandom rw',
    ],
    places: ['/dev/world-secret', '/dev/zero'],
  },
  {
    name: 'world-files-private',
    lines: [DYNAMIC, 'PrivateDevices=yes', 'DeviceAllow=/dev/world-link'],
    places: ['/dev/world-link'],
  },
  {
    name: 'world-files-packets',
    lines: [DYNAMIC, 'IPAddressDeny=any', 'IPAddressAllow=localhost', 'RestrictNetworkInterfaces=lo'],
  },
  { name: 'world-files-packets-root', lines: [STATIC, 'IPAddressDeny=any', 'IPAddressAllow=localhost'] },
  {
    name: 'world-files-strict-root',
    lines: [STATIC, 'DevicePolicy=strict', 'DeviceAllow=/dev/null rw'],
    places: ['/dev/zero'],
  },
  {
    name: 'world-files-strict-terminal',
    lines: [
      DYNAMIC,
      ...['DevicePolicy=strict', 'DeviceAllow=/dev/null rw', 'StandardInput=tty', 'TTYPath=/srv/world-terminal'],
    ],
  },
  { name: 'world-files-noexec-bound', lines: [STATIC, 'User=games', 'NoExecPaths=/', 'BindReadOnlyPaths=/usr'] },
  {
    name: 'world-files-addresses',
    lines: [
      DYNAMIC,
      'PrivateNetwork=yes',
      'IPAddressDeny=any',
      'IPAddressAllow=localhost',
      'RestrictNetworkInterfaces=lo',
    ],
  },
];
