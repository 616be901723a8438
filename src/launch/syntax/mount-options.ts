/** Options of mount(8) that are flags of a mount, and not for its file system. Pure. */
import type { MountFlag } from '../../api/generated/io-dynuser-allocator.ts';

/** The options that turn a flag on and off. Without any option about the times of the last access a mount has relatime. */
const SWITCHES: readonly (readonly [on: string, off: string, flag?: MountFlag])[] = [
  ['ro', 'rw', 'readOnly'],
  ['nosuid', 'suid', 'noSuid'],
  ['nodev', 'dev', 'noDevices'],
  ['noexec', 'exec', 'noExec'],
  ['strictatime', 'nostrictatime', 'strictAtime'],
  ['noatime', 'atime', 'noAtime'],
  ['nodiratime', 'diratime', 'noDiratime'],
  ['relatime', 'norelatime'],
];
const BY_OPTION = new Map(
  SWITCHES.flatMap(([on, off, flag]) => [on, off].map(option => [option, { flag, isOn: option === on }] as const)),
);

export function isMountOption(option: string): boolean {
  return BY_OPTION.has(option);
}

/**
 * As mount(2) has them: of each option and its opposite the last one counts, and strictatime is above noatime.
 * @param options others are passed over
 */
export function mountFlags(options: readonly string[]): Set<MountFlag> {
  const flags = new Set<MountFlag>();
  for (const { flag, isOn } of options.flatMap(option => BY_OPTION.get(option) ?? [])) {
    if (flag !== undefined) {
      flags[isOn ? 'add' : 'delete'](flag);
    }
  }
  if (flags.has('strictAtime')) {
    flags.delete('noAtime');
  }
  return flags;
}
