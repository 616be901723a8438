/** Options of mount(8) about the times of the last access to files. Pure. */
import type { MountFlag } from '../../api/generated/io-dynuser-allocator.ts';

const SWITCHES: ReadonlyMap<
  string,
  { readonly name: 'none' | 'strict' | 'noDirectories' | 'usual'; readonly on: boolean }
> = new Map([
  ['noatime', { name: 'none', on: true }],
  ['atime', { name: 'none', on: false }],
  ['strictatime', { name: 'strict', on: true }],
  ['nostrictatime', { name: 'strict', on: false }],
  ['nodiratime', { name: 'noDirectories', on: true }],
  ['diratime', { name: 'noDirectories', on: false }],
  ['relatime', { name: 'usual', on: true }],
  ['norelatime', { name: 'usual', on: false }],
] as const);

export const ACCESS_TIME_OPTIONS: readonly string[] = [...SWITCHES.keys()];

/**
 * As mount(2) has them: of each option and its opposite the last one counts, strictatime is above noatime, and relatime is what a mount has
 * without any of them.
 */
export function accessTimeFlags(options: readonly string[]): MountFlag[] {
  const on = new Set<string>();
  for (const option of options) {
    const found = SWITCHES.get(option);
    if (found !== undefined) {
      on[found.on ? 'add' : 'delete'](found.name);
    }
  }
  return [
    ...(on.has('strict') ? (['strictAtime'] as const) : on.has('none') ? (['noAtime'] as const) : []),
    ...(on.has('noDirectories') ? (['noDiratime'] as const) : []),
  ];
}
