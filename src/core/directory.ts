/** What is said of a user's directories: their classes, and how a tree becomes a user's (systemd.exec(5)). */
import type { Uid, UserName } from './ids.ts';
import type { DirectoryKind, Handover } from './wire-names.ts';

/** The kinds are in the order in which systemd takes them: owners are looked for, and directories are made, in this order. */
export { DIRECTORY_KINDS, type DirectoryKind, HANDOVERS as HANDOVER_KINDS } from './wire-names.ts';

/**
 * none: it is the user's already. map: it belongs to 65534 on disk, and the caller makes a mount that shows it as the
 * user's. chown: it is the user's from now on.
 */
export type HandoverKind = Handover;

/** The values of a request, of each class as systemd.exec(5) writes them. */
export type DirectoryRequest = Readonly<Record<DirectoryKind, readonly string[]>>;

/**
 * How much of its file system a directory may take, or that it is only counted. A share, in ten-thousandths, also bounds the number of
 * files.
 */
export type DirectoryQuota =
  | { readonly kind: 'counted' }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'share'; readonly permyriad: number };

/** How the directories of a request are to be. */
export interface DirectorySettings {
  /** permission bits of the directories of a class, 0 … 0o7777; 0o755 unless given */
  readonly modes: Readonly<Partial<Record<DirectoryKind, number>>>;
  /** of the classes that have one; each directory has its own, with all that is below it */
  readonly quotas?: Readonly<Partial<Record<DirectoryKind, DirectoryQuota>>>;
  /** runtime directories outlive the user; those of a dynamic user are private then */
  readonly preserveRuntime: boolean;
  /** the caller makes no mounts: what would be private is at its public path while the user has it */
  readonly expose?: boolean;
  /** absolute paths that the caller covers by empty file systems; "/": all of them */
  readonly covered?: readonly string[];
}

/** A further name of a directory, in the tree of another one. */
export interface InnerAlias {
  /** below the base */
  readonly path: string;
  /** the directory whose tree it is in: one that is below no other of the request */
  readonly within: string;
}

/** A directory that a request asks for. */
export interface RequestedDirectory {
  readonly kind: DirectoryKind;
  /** the path below the base of its class */
  readonly source: string;
  /** further names below the base, symlinks to it, in order */
  readonly aliases: readonly string[];
  /** further ones, each in the tree of a directory of the request */
  readonly innerAliases?: readonly InnerAlias[];
  /** further ones that the caller makes in its mount namespace, where it covers their place: none is on the host */
  readonly coveredAliases?: readonly string[];
  readonly readOnly: boolean;
  /** it is below another one of the request, and part of its tree: it has no link of its own */
  readonly below?: string;
  /** permission bits, 0 … 0o7777 */
  readonly mode: number;
  readonly quota?: DirectoryQuota;
  /** outlives the user; all but runtime directories do */
  readonly preserved: boolean;
  /** of a dynamic user: it is at its public path, for nobody else to enter, while the user has it */
  readonly exposed: boolean;
}

/** A directory of a live lease. */
export interface LeasedDirectory {
  readonly kind: DirectoryKind;
  readonly source: string;
  /** the path by which the service knows it */
  readonly publicPath: string;
  readonly handover: HandoverKind;
  readonly preserved: boolean;
  /** it is at its public path for as long as the lease lasts, and is unpublished after that */
  readonly exposed: boolean;
  readonly aliases: readonly string[];
}

/** @returns whether the directory is removed or unpublished when its last lease ends */
export function isTransient({ preserved, exposed }: LeasedDirectory): boolean {
  return !preserved || exposed;
}

/** @returns whether one directory is a part of the other, by their paths alone */
export function isPart(
  one: Pick<LeasedDirectory, 'kind' | 'source'>,
  of: Pick<LeasedDirectory, 'kind' | 'source'>,
): boolean {
  return one.kind === of.kind && one.source.startsWith(`${of.source}/`);
}

/**
 * A directory that goes with its lease stays for as long as another lease of the same user has a part of it, and has to go with that.
 * @param held the directories of a lease that stays
 * @param left those of one that leaves
 * @returns the directories of the one that stays: before its own, the outermost of those that it has a part of
 */
export function inheritDirectories(
  held: readonly LeasedDirectory[],
  left: readonly LeasedDirectory[],
): readonly LeasedDirectory[] {
  const above = left.filter(
    one =>
      !one.preserved &&
      held.some(own => !own.preserved && isPart(own, one)) &&
      !held.some(own => own.kind === one.kind && (own.source === one.source || isPart(one, own))),
  );
  const outermost = above.filter(one => !above.some(other => isPart(one, other)));
  // What is between such a directory and a part of it goes with both, so that the list does not grow with each lease that leaves.
  const own = held.filter(
    one => one.preserved || !outermost.some(top => isPart(one, top)) || !held.some(other => isPart(other, one)),
  );
  return outermost.length === 0 ? held : [...outermost, ...own];
}

/** Who has which directories now. */
export interface DirectoriesInUse {
  readonly user: UserName;
  readonly directories: readonly LeasedDirectory[];
}

/** A directory as it was found below a base. */
export interface DirectoryStatus {
  readonly kind: 'directory';
  readonly uid: number;
  readonly gid: number;
  /** permission bits, 0 … 0o7777 */
  readonly mode: number;
  /** the number of its file system, and its own in that, in decimal */
  readonly device: string;
  readonly inode: string;
  /** whose it was last; unsupported if its file system has no such attributes */
  readonly ownerHint: Uid | 'none' | 'unsupported';
}

/** What there is at a path. */
export type PathStatus =
  | DirectoryStatus
  | { readonly kind: 'nothing' }
  | { readonly kind: 'link'; readonly text: string }
  | { readonly kind: 'other' };
