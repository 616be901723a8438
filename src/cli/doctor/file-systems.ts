/** Which file systems can show a tree as another user's by a mount (mount_setattr(2), MOUNT_ATTR_IDMAP). Pure. */

interface FileSystem {
  readonly name: string;
  /** the first kernel with which it can; absent if none can */
  readonly since?: readonly [major: number, minor: number];
}

/** By f_type of statfs(2). */
const FILE_SYSTEMS: ReadonlyMap<number, FileSystem> = new Map([
  [0xef53, { name: 'ext4', since: [5, 12] }],
  [0x58465342, { name: 'xfs', since: [5, 12] }],
  [0x9123683e, { name: 'btrfs', since: [5, 15] }],
  [0xf2f52010, { name: 'f2fs', since: [5, 18] }],
  [0x01021994, { name: 'tmpfs', since: [6, 3] }],
  [0x794c7630, { name: 'overlayfs' }],
  [0x6969, { name: 'nfs' }],
  [0x2fc12fc1, { name: 'zfs' }],
]);

/** @param kernel its release, such as 6.12.43-amd64 */
export function fileSystemWords(type: number, kernel: string): string {
  const known = FILE_SYSTEMS.get(type);
  if (known === undefined) {
    return `a file system of type 0x${type.toString(16)}, which dynuserd tries when it is needed`;
  }
  return known.since !== undefined && isAtLeast(kernel, known.since)
    ? `${known.name}, handed over by id-mapped mounts`
    : `${known.name}, handed over by chown`;
}

function isAtLeast(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [, has = 0, hasMinor = 0] = /^(\d+)\.(\d+)/.exec(kernel)?.map(Number) ?? [];
  return has > major || (has === major && hasMinor >= minor);
}
