/**
 * The security profiles of attached services (portablectl(1), "Profiles"). Those of systemd's package are taken if it has them; these are
 * for hosts without it, with the same settings. What a host without systemd may lack is bound only if it is there. systemd's own also
 * have IPAddressDeny= next to PrivateNetwork=, which leaves no address to deny, and strict has TasksMax=, which needs a control group.
 */

export const PROFILES = ['default', 'nonetwork', 'strict', 'trusted'] as const;

const API = ['MountAPIVFS=yes', 'BindReadOnlyPaths=-/etc/machine-id'];
const RESOLVER = 'BindReadOnlyPaths=-/etc/resolv.conf';
const LOG = 'BindLogSockets=yes';
const BUS = 'BindReadOnlyPaths=-/run/dbus/system_bus_socket';

/** What a service that goes through root may do for its own files and users; never what concerns the host as a whole. */
const CAPABILITIES = [
  'CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK CAP_IPC_OWNER',
  'CapabilityBoundingSet=CAP_KILL CAP_MKNOD CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYS_ADMIN CAP_SYS_CHROOT CAP_SYS_NICE',
  'CapabilityBoundingSet=CAP_SYS_RESOURCE',
];
const NETWORK_CAPABILITIES = 'CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_BROADCAST';

const SANDBOX = [
  'DynamicUser=yes',
  'RemoveIPC=yes',
  'PrivateDevices=yes',
  'PrivateUsers=yes',
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectControlGroups=yes',
  'LockPersonality=yes',
  'MemoryDenyWriteExecute=yes',
  'RestrictRealtime=yes',
  'RestrictNamespaces=yes',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
  'SystemCallArchitectures=native',
];

const SETTINGS: Readonly<Record<(typeof PROFILES)[number], readonly string[]>> = {
  default: [
    ...API,
    LOG,
    RESOLVER,
    BUS,
    ...SANDBOX,
    ...CAPABILITIES,
    NETWORK_CAPABILITIES,
    'RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6',
  ],
  nonetwork: [
    ...API,
    LOG,
    BUS,
    ...SANDBOX,
    ...CAPABILITIES,
    'RestrictAddressFamilies=AF_UNIX AF_NETLINK',
    'PrivateNetwork=yes',
  ],
  strict: [
    ...API,
    LOG,
    ...SANDBOX,
    'CapabilityBoundingSet=',
    'NoNewPrivileges=yes',
    'RestrictAddressFamilies=AF_UNIX',
    'PrivateNetwork=yes',
  ],
  trusted: [...API, RESOLVER, 'PrivateTmp=yes', 'BindPaths=/run'],
};

/** @returns the drop-in of one of these profiles; undefined for another name */
export function ownProfile(name: string): string | undefined {
  const known = PROFILES.find(each => each === name);
  return known && `# The profile "${known}" of portable services.\n\n[Service]\n${SETTINGS[known].join('\n')}\n`;
}
