/** Sets of capabilities (capabilities(7)) as bit masks, and how properties change them (systemd.exec(5)). Pure. */
import { type Fail, quote } from '../errors.ts';

/** In the order of their numbers, linux/capability.h. */
const NAMES = [
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service',
  'net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin',
  'sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override',
  'mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore',
].flatMap(line => line.split(' '));

export const ALL_CAPABILITIES = (1n << BigInt(NAMES.length)) - 1n;
export const NO_CAPABILITIES = 0n;
/** What PrivateDevices= takes away: making devices, and reaching hardware around them. */
export const DEVICE_CAPABILITIES = maskOf('mknod', 'sys_rawio');
/** What DeviceAllow= and DevicePolicy= take away: a device that the service makes would not be one of those that are allowed. */
export const MKNOD_CAPABILITY = maskOf('mknod');
export const ADMIN_CAPABILITY = maskOf('sys_admin');
/** With these a process changes the rules of the network, or has sockets of another UID. */
export const OWN_RULES_CAPABILITIES = maskOf('net_admin', 'setuid', 'sys_admin');
/** What ProtectClock= takes away: setting clocks, and waking the system by them. */
export const CLOCK_CAPABILITIES = maskOf('sys_time', 'wake_alarm');
export const MODULE_CAPABILITIES = maskOf('sys_module');
export const LOG_CAPABILITIES = maskOf('syslog');

function maskOf(...names: readonly string[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(NAMES.indexOf(name))), NO_CAPABILITIES);
}

/**
 * The next state of CapabilityBoundingSet= or AmbientCapabilities=. A value replaces the untouched set, and adds to one
 * that was set before; with "~" it is what is not in the set. Empty: no capability; "~" alone: all.
 * @param named the capabilities of the value
 * @param inverted whether it begins with "~"
 * @param untouched the set before any value
 */
export function changeCapabilities(
  now: bigint,
  named: readonly bigint[],
  inverted: boolean,
  untouched: bigint,
): bigint {
  const sum = named.reduce((mask, capability) => mask | capability, 0n);
  if (sum === 0n || now === untouched) {
    return inverted ? ALL_CAPABILITIES & ~sum : sum;
  }
  return inverted ? now & ~sum : now | sum;
}

/** @returns the mask of one capability, by its name */
export function readCapability(word: string, fail: Fail): bigint {
  const index = NAMES.indexOf(word.toLowerCase().replace(/^cap_/, ''));
  return index < 0 || !/^cap_/i.test(word)
    ? fail(`not a capability: ${quote(word)}; use those of capabilities(7)`)
    : 1n << BigInt(index);
}

/** @returns the mask as 16 hexadecimal digits, as /proc/PID/status has it */
export function capabilityMask(set: bigint): string {
  return set.toString(16).padStart(16, '0');
}

/** @returns the names of a set, "CAP_CHOWN …" */
export function capabilityNames(set: bigint): string[] {
  return NAMES.filter((_, index) => (set >> BigInt(index)) % 2n === 1n).map(name => `CAP_${name.toUpperCase()}`);
}
