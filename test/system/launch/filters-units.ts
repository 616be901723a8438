/** Unit files whose filters of system calls are compared, by what calls answer. */
import type { ComparedUnit } from './units.ts';

export const FILTER_UNITS: readonly ComparedUnit[] = [
  {
    name: 'world-filters',
    lines: [
      'DynamicUser=yes',
      'RestrictRealtime=yes',
      'LockPersonality=yes',
      'RestrictNamespaces=yes',
      'RestrictAddressFamilies=AF_UNIX AF_INET AF_NETLINK',
      'MemoryDenyWriteExecute=yes',
      'SystemCallArchitectures=native',
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~@resources @keyring:ENOTSUP',
      'SystemCallErrorNumber=EPERM',
    ],
  },
  { name: 'world-filters-no-sockets', lines: ['DynamicUser=yes', 'RestrictAddressFamilies=none'] },
  {
    name: 'world-filters-no-names',
    lines: [
      'DynamicUser=yes',
      'RestrictAddressFamilies=none',
      'StateDirectory=world-outer world-outer/inner',
      'RuntimeDirectory=world-run',
    ],
  },
  {
    name: 'world-filters-static',
    lines: [
      'DynamicUser=no',
      'User=games',
      'LockPersonality=yes',
      'Personality=x86',
      'SystemCallFilter=~ptrace perf_event_open:kill reboot:ENOENT @mount:5 capset:EPERM',
      'SystemCallFilter=umount2',
      'RestrictNamespaces=~user',
      'RestrictAddressFamilies=~AF_ALG AF_INET6',
    ],
  },
  {
    name: 'world-filters-user',
    lines: ['DynamicUser=no', 'User=games', 'SystemCallLog=uname', 'RestrictNamespaces=net mnt'],
  },
  {
    name: 'world-filters-root',
    lines: [
      'DynamicUser=no',
      'RestrictRealtime=yes',
      'RestrictSUIDSGID=yes',
      'CapabilityBoundingSet=~CAP_SYS_ADMIN',
      'RestrictAddressFamilies=none',
    ],
  },
];
