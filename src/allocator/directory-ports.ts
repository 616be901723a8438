/** What the use cases need of a user's directories. All errors are DynuserError DirectoryFailed, whose field is the parameter of the request. */
import type {
  DirectoriesInUse,
  DirectoryRequest,
  DirectorySettings,
  LeasedDirectory,
  PathStatus,
  RequestedDirectory,
} from '../core/directory.ts';
import type { Gid, Uid } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';

/** The user that gets the directories. */
export type DirectoryUser = Pick<DynamicUser, 'name' | 'uid' | 'gid' | 'dynamic'>;

export interface HandoverProgress {
  /** the directory that is changing hands */
  readonly publicPath: string;
  /** inodes of it that were looked at, and those of them that were changed */
  readonly inodes: number;
  readonly changed: number;
}

/** How a caller wants its directories handed over. */
export interface HandoverOptions {
  /** the caller makes the mounts that mapped trees need */
  readonly makesMounts: boolean;
  /** walks trees whose top is right already, and repairs wrong owners below */
  readonly verify: boolean;
}

export interface PrepareOptions extends HandoverOptions {
  /** of these directories, by inspect(): while it is fresh, none is taken again */
  readonly snapshot?: DirectorySnapshot | undefined;
  /** the live leases at the moment of the call; asked once the directories are locked */
  readonly live: () => readonly DirectoriesInUse[];
  readonly onProgress?: ((progress: HandoverProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A directory as the caller is told of it. */
export interface PreparedDirectory extends LeasedDirectory {
  /** further names below the base: in trees of the request, and those that the caller has to make */
  readonly otherNames?: { readonly inner: readonly string[]; readonly covered: readonly string[] };
  readonly realPath: string;
  readonly readOnly: boolean;
  /** the public path of the directory of the same request that it is a part of, whose mount shows it too */
  readonly within?: string;
  /** map: the owner on disk, 65534, which an id-mapped mount has to show as the user's */
  readonly diskUid: number;
  readonly diskGid: number;
  /** the tree's top, as fstat(2) of the descriptor that was held has it, in decimal: who opens it later can compare */
  readonly device: string;
  readonly inode: string;
  /** inodes that got another owner */
  readonly changed: number;
  /** what was left alone by intent, as paths below the tree: names of others' inodes, and mount points */
  readonly leftPaths: readonly string[];
  readonly mountPaths: readonly string[];
}

/** The directories of a request, as they are handed out with its lease. */
export interface DirectoriesOfLease {
  readonly directories: readonly PreparedDirectory[];
  /** STATE_DIRECTORY and its siblings */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Directories that are ready for a lease. No other request gets at them until they are disposed of, which leaves them as
 * they are: if no lease was written, the next request for them has less to do.
 */
export interface PreparedDirectories extends DirectoriesOfLease, AsyncDisposable {
  /**
   * To be called in the tick in which the lease is written: from then on live() has it.
   * @throws DynuserError DirectoryFailed if they are not ready any more
   */
  commit(): void;
  /**
   * Moves those that are to be exposed to their public paths. To be called after commit(), so that the lease says which
   * have to be unpublished again, even if this fails.
   * @throws DynuserError DirectoryFailed; all are where they were then
   */
  publish(): Promise<void>;
}

/** What prepare() would do with a directory. */
export interface ExpectedHandover
  extends Omit<LeasedDirectory, 'preserved' | 'exposed'>,
    Pick<PreparedDirectory, 'otherNames' | 'realPath' | 'readOnly' | 'within'> {
  /** the owner of the tree's top; absent if there is no tree yet */
  readonly owner?: Uid;
  /** inodes of the tree, and those that would change; of a large one what was counted within a bounded time */
  readonly inodes: number;
  readonly changes: number;
  readonly counted: 'all' | 'some';
}

/** Whose a directory was, if its owner on disk does not tell. It may be missing. */
export interface OwnerHints {
  /**
   * @param descriptor the open directory
   * @param inMemory whether its file system cannot keep anybody waiting
   */
  read(descriptor: number, inMemory?: boolean): Promise<Uid | undefined>;
  write(descriptor: number, uid: Uid): Promise<void>;
}

/** Inspects paths without following or changing anything, all those of a directory in one step. */
export interface PathInspector {
  /**
   * @param base the path of a directory
   * @param paths below it
   * @returns for each path what its components are, down to the first that is not a directory; undefined if there is no
   * answer, and the caller has to find out by itself
   */
  inspect(base: string, paths: readonly string[]): Promise<readonly (readonly PathStatus[])[] | undefined>;
}

/** What was observed of the directories of a request. */
export interface DirectorySnapshot extends Disposable {
  /** the owners of the trees that exist, in order: the first candidates; what cannot be opened has none */
  readonly owners: readonly Uid[];
  /** the groups of those trees that are not mapped, in order, unless it is their owner's own */
  readonly groups: readonly Gid[];
}

export interface Directories {
  /** @returns STATE_DIRECTORY and its siblings, as prepare() gives them */
  environment(directories: readonly RequestedDirectory[]): Readonly<Record<string, string>>;
  /**
   * Reads the values of a request.
   * @returns the directories by class, then by path, each one after those that it is below
   */
  requested(request: DirectoryRequest, settings: DirectorySettings): readonly RequestedDirectory[];
  /** Inspects the directories and their links. What does not exist, or cannot be opened, is not an error here. */
  inspect(directories: readonly RequestedDirectory[]): Promise<DirectorySnapshot>;
  /**
   * Makes, moves and hands over the directories. If this fails before a handover began, everything is where it was;
   * after that the tree is at its private path, in transition, and the next call finishes.
   * @throws DynuserError DirectoryFailed, LimitReached, ProbeFailed
   */
  prepare(
    directories: readonly RequestedDirectory[],
    user: DirectoryUser,
    options: PrepareOptions,
  ): Promise<PreparedDirectories>;
  /**
   * Says what prepare() would do, by the same plan, and changes nothing.
   * @throws DynuserError DirectoryFailed if prepare() would refuse it
   */
  explain(
    directories: readonly RequestedDirectory[],
    user: DirectoryUser,
    options: HandoverOptions & Pick<PrepareOptions, 'live'>,
  ): Promise<readonly ExpectedHandover[]>;
  /**
   * Removes those of a user's directories that go with it, and all links to them, and unpublishes those that were exposed;
   * none that another live lease has. May be called again at any time.
   */
  cleanUp(directories: readonly LeasedDirectory[], live: () => readonly DirectoriesInUse[]): Promise<void>;
}
