/** Unit files with bad values, which systemd ignores with a warning: the worlds are the same without them. */
import type { ComparedUnit } from './units.ts';

export const BAD_UNITS: readonly ComparedUnit[] = [
  {
    name: 'world-bad-values',
    lines: [
      'DynamicUser=yes',
      ...['PrivateDevices=yes', 'PrivateDevices=maybe', 'PrivateDevices=', 'ProtectHome=tmpfs', 'ProtectHome=foo'],
      ...[
        'PrivateNetwork=perhaps',
        'ProtectProc=INVISIBLE',
        'NoNewPrivileges=x',
        'PrivateTmp=',
        'UMask=0077',
        'UMask=9',
      ],
      ...['StateDirectory=world-state ../x /y world-b:c:d %%z:%z world-c', 'StateDirectoryMode=99999', 'Nice=77'],
      ...['LimitNOFILE=500', 'LimitNOFILE=x', 'LimitNOFILE=', 'LimitCORE=5:1', 'OOMScoreAdjust=9999', 'Type=foo'],
      ...['AmbientCapabilities=CAP_CHOWN CAP_X # x', 'CapabilityBoundingSet=CAP_CHOWN CAP_KILL CAP_Y'],
      ...['ReadWritePaths=/srv/world-data x /srv/../y /%z', 'InaccessiblePaths=/srv/world-hidden y "/opt'],
      ...['BindPaths=/srv/world-data:/srv/world-target /srv:x /srv:/opt:foo', 'TemporaryFileSystem=home /mnt:ro'],
      ...['Environment=A=1 1=2 B=%z C=3 "D=4', 'CPUAffinity=0 x', 'IOSchedulingClass=x', 'TimerSlackNSec=x'],
      ...['CoredumpFilter=all x', 'Personality=x', 'ProtectSystem=fool', 'WorkingDirectory=-srv', 'Usr=games'],
    ],
    places: ['/srv/world-data', '/srv/world-hidden', '/srv/world-target', '/mnt', '/home', '/var/lib/private/world-c'],
  },
  {
    name: 'world-bad-bounding',
    lines: [
      'User=games',
      'CapabilityBoundingSet=CAP_Y',
      'RuntimeDirectory=world-run private',
      'ConfigurationDirectory=a:b',
    ],
  },
];
