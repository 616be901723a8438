/** What the service sees and changes of the kernel itself (systemd.exec(5), "Sandboxing"). */
import { quote } from '../errors.ts';
import { denying } from '../filter/filter.ts';
import { kernelMount, type MountEntry } from '../namespace/mount-entry.ts';
import { CLOCK_CAPABILITIES, LOG_CAPABILITIES, MODULE_CAPABILITIES } from '../syntax/capabilities.ts';
import { asBoolean, readWord, type ValueContext } from '../syntax/values.ts';
import { boolean, choice, filled, property } from './property.ts';

/** What can be set there, or reaches hardware; the older ones are those of kernels that have them. */
const TUNABLES = `acpi apm asound bus fs irq latency_stats mtrr scsi sys sysrq-trigger timer_stats`
  .split(' ')
  .map(name => `/proc/${name}`);
/** Where in memory the kernel is, and its memory. */
const KERNEL_MEMORY = ['/proc/kallsyms', '/proc/kcore'] as const;
const SYSTEM = ['/sys', '/sys/fs/bpf', '/sys/kernel/debug', '/sys/kernel/tracing'] as const;
/** They are not tunables, and other properties protect them. */
const EXEMPT_SYSTEM = ['/sys/fs/cgroup', '/sys/fs/selinux'] as const;

/** A value that names the service's host name. */
const OWN_NAME = 'private:';

export const KERNEL = {
  ProtectKernelTunables: boolean({
    untrusted: 'yes',
    needs: 'mounts',
    lost: 'what can be set in /proc and /sys is as open as its modes',
    meaning: '/proc and /sys are read-only',
    manual:
      '/sys and the parts of /proc that set or show the kernel are read-only; kallsyms and kcore are hidden. /proc is new.',
    mounts: (_, { hasPidsAlone }) => [
      ...[...(hasPidsAlone ? [] : TUNABLES), ...SYSTEM].map(path =>
        protectedPath('readOnly', path, 'ProtectKernelTunables'),
      ),
      ...(hasPidsAlone ? [] : KERNEL_MEMORY).map(path => protectedPath('hide', path, 'ProtectKernelTunables')),
      ...EXEMPT_SYSTEM.map(path => protectedPath('exempt', path, 'ProtectKernelTunables')),
    ],
    // Linux before 5.5 has it; x32 never had.
    filter: () => ({ ...denying('_sysctl'), abis: ['x86-64', 'x86', 'arm'] }),
  }),
  ProtectKernelModules: boolean({
    untrusted: 'yes',
    needs: 'mounts',
    lost: '/usr/lib/modules can be read',
    meaning: 'it cannot load modules, nor read them',
    manual: 'No kernel modules can be loaded, and /usr/lib/modules is hidden. Takes CAP_SYS_MODULE away.',
    dropsCapabilities: MODULE_CAPABILITIES,
    mounts: () => [protectedPath('hide', '/usr/lib/modules', 'ProtectKernelModules')],
    filter: () => denying('@module'),
  }),
  ProtectKernelLogs: boolean({
    untrusted: 'yes',
    needs: 'mounts',
    lost: 'the files of the log of the kernel are as open as their modes',
    meaning: 'it cannot read the log of the kernel, nor write to it',
    manual:
      'The log of the kernel cannot be read or written: /dev/kmsg and /proc/kmsg are hidden. Takes CAP_SYSLOG away.',
    dropsCapabilities: LOG_CAPABILITIES,
    mounts: (_, { hasPidsAlone }) =>
      [...(hasPidsAlone ? [] : ['/proc/kmsg']), '/dev/kmsg'].map(path =>
        protectedPath('hide', path, 'ProtectKernelLogs'),
      ),
    filter: () => denying('syslog'),
  }),
  ProtectControlGroups: choice(['private', 'strict'], {
    untrusted: 'strict',
    needs: 'mounts',
    lost: 'control groups are as open as their modes',
    meaning: 'control groups are read-only, or its own alone are seen',
    manual:
      '/sys/fs/cgroup is read-only (yes), has the control group of the service as its root (private), or both (strict). /proc is new.',
    mounts: protectControlGroups,
    plan: value => ({ privateControlGroups: value === 'private' || value === 'strict' }),
  }),
  ProtectClock: boolean({
    untrusted: 'yes',
    meaning: 'it cannot set clocks',
    manual: 'Clocks cannot be set. Takes CAP_SYS_TIME and CAP_WAKE_ALARM away.',
    dropsCapabilities: CLOCK_CAPABILITIES,
    filter: () => denying('@clock'),
  }),
  ProtectHostname: property('no', filled(readHostNameProtection), {
    untrusted: 'yes',
    needs: 'namespace',
    lost: 'it sees when the host name changes',
    meaning: 'its host name is its own',
    manual:
      'The host name stays as it was at the start (yes), or can be changed for the service alone (private), where it begins as NAME (private:NAME).',
    mounts: value =>
      value === 'yes'
        ? ['hostname', 'domainname'].map(name =>
            protectedPath('readOnly', `/proc/sys/kernel/${name}`, 'ProtectHostname'),
          )
        : [],
    plan: value => ({
      privateHostName: value !== 'no',
      ...(value.startsWith(OWN_NAME) ? { hostName: value.slice(OWN_NAME.length) } : {}),
    }),
    filter: value => (value === 'yes' ? denying('sethostname', 'setdomainname') : undefined),
  }),
};

/** In a namespace of control groups their file system has what is below the service's alone. */
function protectControlGroups(value: 'no' | 'yes' | 'private' | 'strict'): MountEntry[] {
  const path = '/sys/fs/cgroup';
  const field = 'ProtectControlGroups';
  return value === 'yes'
    ? [protectedPath('readOnly', path, field)]
    : [{ ...kernelMount(path, 'cgroup2', field), readOnly: value === 'strict' }];
}

/** @returns "no", "yes", "private", or "private:NAME" (systemd 258) */
function readHostNameProtection(text: string, context: ValueContext): string {
  const truth = asBoolean(text);
  if (truth !== undefined) {
    return truth ? 'yes' : 'no';
  }
  if (!text.startsWith(OWN_NAME)) {
    return readWord(text, ['yes', 'no', 'private'], context);
  }
  const name = context.expand(text.slice(OWN_NAME.length));
  return /^(?=.{1,64}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(name)
    ? `${OWN_NAME}${name}`
    : context.fail(`not a host name: ${quote(name)}; use letters, digits, "-" and ".", at most 64`);
}

function protectedPath(kind: 'readOnly' | 'hide' | 'exempt', path: string, field: string): MountEntry {
  return { kind, path, field, optional: true };
}
