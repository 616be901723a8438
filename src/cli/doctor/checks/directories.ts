/** Where directories of users are kept: the private directory of each base, its file system, and systemd's UID locks. */
import { BASE_DIRECTORIES, PRIVATE, PRIVATE_MODE } from '../../../core/directory-classes.ts';
import { type Host, isSeen, octal, Unreadable } from '../../host.ts';
import { type Finding, findingsOf } from '../finding.ts';
import { LOCK_DIRECTORY } from './locks.ts';

/** Directories below these outlive their user. */
export const BASES = (['state', 'cache', 'logs'] as const).map(kind => BASE_DIRECTORIES[kind]);
/** Written by others than the owner. */
const OTHERS_WRITE = 0o022;

interface FileSystem {
  readonly name: string;
  /** whether other hosts may have the same files, and see the numbers of their owners */
  readonly isShared?: true;
  /** the first kernel with which a mount can show a tree of it as another user's; absent if none can */
  readonly since?: readonly [major: number, minor: number];
}

/** By f_type of statfs(2); since when is that of MOUNT_ATTR_IDMAP (mount_setattr(2)). */
export const FILE_SYSTEMS: ReadonlyMap<number, FileSystem> = new Map([
  [0xef53, { name: 'ext4', since: [5, 12] }],
  [0x58465342, { name: 'xfs', since: [5, 12] }],
  [0x9123683e, { name: 'btrfs', since: [5, 15] }],
  [0xf2f52010, { name: 'f2fs', since: [5, 18] }],
  [0x01021994, { name: 'tmpfs', since: [6, 3] }],
  [0x794c7630, { name: 'overlayfs' }],
  [0x6969, { name: 'nfs', isShared: true }],
  [0x2fc12fc1, { name: 'zfs' }],
  [0x00c36400, { name: 'cephfs', since: [6, 7], isShared: true }],
  [0x0bd00bd0, { name: 'lustre', isShared: true }],
  [0x01161970, { name: 'gfs2', isShared: true }],
  [0x7461636f, { name: 'ocfs2', isShared: true }],
  [0x01021997, { name: '9p', isShared: true }],
  // virtiofs among them.
  [0x65735546, { name: 'fuse', isShared: true }],
]);

export function checkDirectories(host: Host): Finding[] {
  return [...checkPrivateParents(host), checkFileSystems(host), checkLockDirectory(host)];
}

function checkPrivateParents(host: Host): readonly Finding[] {
  const { problem, unknown, orOk } = findingsOf('Private directories');
  const paths = BASES.map(base => `${base}/${PRIVATE}`);
  const findings = paths.flatMap(path => {
    const found = host.inode(path);
    if (found === undefined) {
      return [];
    }
    if (found instanceof Unreadable) {
      return [unknown(`${path}: ${found.why}`)];
    }
    if (found.kind !== 'directory') {
      return [problem(`${path} is not a directory`, 'move it away: dynuserd makes the directory when it is needed')];
    }
    if (found.uid !== 0 || found.gid !== 0) {
      return [problem(`${path} belongs to ${found.uid}:${found.gid}`, `chown root:root ${path}`)];
    }
    return (found.mode & ~PRIVATE_MODE) === 0
      ? []
      : [problem(`${path} has the mode ${octal(found.mode)}: others may enter`, `chmod 0700 ${path}`)];
  });
  return orOk(findings, `${paths.join(', ')}: root's alone, or not needed yet`);
}

function checkFileSystems(host: Host): Finding {
  const { ok, unknown } = findingsOf('File systems');
  const seen = BASES.flatMap(base => {
    const parent = host.inode(`${base}/${PRIVATE}`);
    const isThere = isSeen(parent) && parent.kind === 'directory';
    const type = host.fileSystem(isThere ? `${base}/${PRIVATE}` : base);
    if (type instanceof Unreadable) {
      return [];
    }
    return [`${base}: ${type === undefined ? 'made when it is needed' : fileSystemWords(type, host.kernel)}`];
  });
  return seen.length === 0 ? unknown('what they are on cannot be asked') : ok(seen.join('; '));
}

/** @param kernel its release, such as 6.12.43-amd64 */
function fileSystemWords(type: number, kernel: string): string {
  const known = FILE_SYSTEMS.get(type);
  if (known === undefined) {
    return `a file system of type 0x${type.toString(16)}, which dynuserd tries when it is needed`;
  }
  return known.since !== undefined && isAtLeast(kernel, known.since)
    ? `${known.name}, handed over by id-mapped mounts`
    : `${known.name}, handed over by chown`;
}

export function isAtLeast(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [, has = 0, hasMinor = 0] = /^(\d+)\.(\d+)/.exec(kernel)?.map(Number) ?? [];
  return has > major || (has === major && hasMinor >= minor);
}

function checkLockDirectory(host: Host): Finding {
  const { ok, problem, unknown } = findingsOf('Locks with systemd');
  const locks = host.inode(LOCK_DIRECTORY);
  if (locks instanceof Unreadable) {
    return unknown(`${LOCK_DIRECTORY}: ${locks.why}`);
  }
  if (locks === undefined) {
    return ok(`${LOCK_DIRECTORY} is not needed yet`);
  }
  if (locks.kind !== 'directory' || locks.uid !== 0 || (locks.mode & OTHERS_WRITE) !== 0) {
    const words = `${LOCK_DIRECTORY} must be a directory that root alone writes to, and it is ${locks.uid}'s, ${octal(locks.mode)}`;
    return problem(words, `chown root:root ${LOCK_DIRECTORY}; chmod 0755 ${LOCK_DIRECTORY}`);
  }
  return ok(`${LOCK_DIRECTORY} is root's`);
}
