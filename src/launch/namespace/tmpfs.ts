/** From TemporaryFileSystem= and its options (systemd.exec(5), tmpfs(5)) to an empty file system. Pure. */
import type { MountFlag } from '../../api/generated/io-dynuser-allocator.ts';
import type { MountEntry } from './mount-entry.ts';

export interface Tmpfs {
  readonly path: string;
  /** as tmpfs(5) has them, and flags of mount(8) */
  readonly options: readonly string[];
}

/** Options that are flags of the mount, each with the one that undoes it. */
const FLAGS: ReadonlyMap<string, { readonly flag: MountFlag; readonly on: boolean }> = new Map([
  ['ro', { flag: 'readOnly', on: true }],
  ['rw', { flag: 'readOnly', on: false }],
  ['nosuid', { flag: 'noSuid', on: true }],
  ['suid', { flag: 'noSuid', on: false }],
  ['nodev', { flag: 'noDevices', on: true }],
  ['dev', { flag: 'noDevices', on: false }],
  ['noexec', { flag: 'noExec', on: true }],
  ['exec', { flag: 'noExec', on: false }],
] as const);

/** How access times are kept: without effect in memory, and not a flag of a plan. */
const ACCESS_TIMES = new Set(['noatime', 'relatime', 'strictatime', 'nodiratime']);
const DEFAULT_MODE = 0o755;
const DEFAULTS = [
  { names: ['size', 'nr_blocks'], option: 'size=10%' },
  { names: ['nr_inodes'], option: 'nr_inodes=400k' },
] as const;

export function tmpfsEntry({ path, options }: Tmpfs): MountEntry {
  const flags = new Set<MountFlag>(['noDevices']);
  const rest: string[] = [];
  let mode = DEFAULT_MODE;
  for (const option of options) {
    const known = FLAGS.get(option);
    if (known !== undefined) {
      flags[known.on ? 'add' : 'delete'](known.flag);
    } else if (option.startsWith('mode=')) {
      mode = Number.parseInt(option.slice('mode='.length), 8) & 0o7777;
    } else if (!ACCESS_TIMES.has(option)) {
      rest.push(option);
    }
  }
  const readOnly = flags.delete('readOnly');
  const given = new Set(rest.map(option => option.replace(/=.*/s, '')));
  const defaults = DEFAULTS.filter(({ names }) => !names.some(name => given.has(name))).map(({ option }) => option);
  return {
    kind: 'temporary',
    path,
    field: 'TemporaryFileSystem',
    clears: true,
    readOnly,
    mode,
    options: [...defaults, ...rest],
    flags: [...flags],
  };
}
