/** Unit files whose services are kept from the kernel: its tunables, modules, logs, clocks, control groups and names. */
import type { ComparedUnit } from './units.ts';

const ALL = [
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
];
const PLACES = ['/usr/lib/modules', '/sys/fs/cgroup', '/proc/sys', '/sys/fs/bpf'];

export const KERNEL_UNITS: readonly ComparedUnit[] = [
  { name: 'world-kernel', lines: ['DynamicUser=yes', ...ALL], places: PLACES },
  { name: 'world-kernel-root', lines: ['DynamicUser=no', ...ALL], places: PLACES },
  {
    name: 'world-kernel-hardened',
    lines: [
      'DynamicUser=yes',
      ...ALL,
      'PrivateDevices=yes',
      'PrivateNetwork=yes',
      'PrivateUsers=yes',
      'ProtectProc=invisible',
      'ProcSubset=pid',
    ],
    places: PLACES,
  },
  { name: 'world-kernel-tunables', lines: ['DynamicUser=no', 'ProtectKernelTunables=yes'], places: PLACES },
  {
    name: 'world-kernel-network',
    lines: ['DynamicUser=no', 'ProtectKernelTunables=yes', 'PrivateNetwork=yes'],
    places: PLACES,
  },
  { name: 'world-kernel-groups', lines: ['DynamicUser=no', 'ProtectControlGroups=yes'], places: PLACES },
  { name: 'world-kernel-modules', lines: ['DynamicUser=no', 'User=games', 'ProtectKernelModules=yes'], places: PLACES },
  { name: 'world-kernel-logs', lines: ['DynamicUser=no', 'ProtectKernelLogs=yes'] },
  { name: 'world-kernel-clock', lines: ['DynamicUser=no', 'ProtectClock=yes'] },
  { name: 'world-kernel-name', lines: ['DynamicUser=no', 'ProtectHostname=yes'] },
  { name: 'world-kernel-name-protected', lines: ['DynamicUser=no', 'ProtectHostname=yes', 'PrivateMounts=yes'] },
];
