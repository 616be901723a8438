/** Where the daemon listens: which socket is whose, whom the kernel lets connect to that of the allocator, and where others find them. */
import type { Authorization } from '../api/authorization.ts';
import { ALLOCATOR_SOCKET, METRICS_SERVICE, NSCD_DIRECTORY, SOCKET } from '../core/paths.ts';
import { USER_DATABASE_SERVICE } from '../core/records.ts';
import { hasCode, PinnedDirectory } from '../files/pinned-directory.ts';
import { letConnect } from '../host/libc/socket-access.ts';
import type { PassedSocket } from '../host/systemd/listen-fds.ts';
import type { ListenTarget } from '../varlink/listener.ts';
import type { Logger } from './logger.ts';

/** FileDescriptorName= of the sockets of those who may acquire, and of nscd's protocol; one of any other name is that of everybody. */
const ALLOCATOR_NAME = 'allocator';
const NSCD_NAME = 'nscd';
/** The name that nscd's clients look for, in the directory of either kind. */
const NSCD_SOCKET_NAME = 'socket';

const USER_DATABASE_DIRECTORY = '/run/systemd/userdb';

/** Where varlinkctl(1) looks for services by the names of their interfaces (systemd 260, list-registry). */
const RUN = '/run';
const VARLINK_REGISTRY = ['varlink', 'registry'] as const;
const REGISTRY_MODE = 0o755;

/** Where systemd-report(1) looks for services that have metrics (systemd 260). */
const REPORT = ['systemd', 'report'] as const;

export interface Listening {
  /** the path of the socket of everybody */
  readonly path: string;
  /** whether that socket stays when the daemon goes, since the service manager opened it */
  readonly stays: boolean;
  readonly targets: { readonly everybody: ListenTarget; readonly allocator: ListenTarget; readonly nscd: ListenTarget };
}

/** @param sockets those that the service manager passed; what is not among them is opened below the directory */
export function listening(directory: string, sockets: readonly PassedSocket[]): Listening {
  const path = `${directory}/${SOCKET}`;
  const everybody = sockets.find(({ name }) => name !== ALLOCATOR_NAME && name !== NSCD_NAME);
  const target = (passed: string, path: string, mode: number): ListenTarget => {
    const socket = sockets.find(({ name }) => name === passed);
    return socket === undefined ? { path: `${directory}/${path}`, mode } : { fd: socket.descriptor };
  };
  return {
    path,
    stays: everybody !== undefined,
    targets: {
      everybody: everybody === undefined ? { path, mode: 0o666 } : { fd: everybody.descriptor },
      allocator: target(ALLOCATOR_NAME, ALLOCATOR_SOCKET, 0o600),
      nscd: target(NSCD_NAME, `${NSCD_DIRECTORY}/${NSCD_SOCKET_NAME}`, 0o666),
    },
  };
}

/**
 * Lets those who may acquire connect to the socket of the allocator, and nobody else; for a change of the configuration, once more.
 * If that fails, and for accounts that are made later, there is the socket of everybody. Never throws.
 * @param entry the path of an entry of the runtime directory
 */
export async function openToAllowed(
  entry: (name: string) => string,
  authorization: Authorization,
  logger: Logger,
): Promise<void> {
  try {
    const { uids, gids } = await authorization.allowed();
    letConnect(entry(ALLOCATOR_SOCKET), uids, gids);
  } catch (error) {
    logger.warn({ err: error }, 'AllowUsers= and AllowGroups= cannot use the socket of the allocator');
  }
}

/**
 * Puts links to the socket of everybody where others look for it. Without a link these do not find us, and everything else works: that is
 * logged, and the daemon starts all the same.
 * - systemd's user database, if that exists (systemd, docs/USER_GROUP_API.md): userdbctl and nss-systemd ask every socket there.
 * - the registry of varlink, by the name of our interface, which everybody may ask: so not the socket of those who may acquire.
 * - where metrics are collected.
 * @param socket its absolute path
 * @returns a function that removes the links again
 */
export function linkSocket(socket: string, logger: Logger): () => void {
  const link = (open: () => PinnedDirectory, name: string, level: 'error' | 'warn', place: string) =>
    linkInto(open, name, socket, error => logger[level]({ err: error }, `cannot put the socket ${place}`));
  const unlinks = [
    link(() => PinnedDirectory.open(USER_DATABASE_DIRECTORY), USER_DATABASE_SERVICE, 'error', 'into the user database'),
    link(() => openBelowRun(VARLINK_REGISTRY), ALLOCATOR_SOCKET, 'warn', 'into the registry of varlink'),
    link(() => openBelowRun(REPORT), METRICS_SERVICE, 'warn', 'where metrics are collected'),
  ];
  return () => {
    for (const unlink of unlinks) {
      unlink?.();
    }
  };
}

/** Makes what is missing of it: both programs make it in the same way. */
function openBelowRun(path: readonly string[]): PinnedDirectory {
  let directory = PinnedDirectory.open(RUN);
  for (const name of path) {
    const below = directory.subdirectory(name, REGISTRY_MODE);
    directory.close();
    directory = below;
  }
  return directory;
}

/** @param onFailure told of any failure but that the directory is missing. @returns a function that removes the link again, if there is one */
function linkInto(
  open: () => PinnedDirectory,
  name: string,
  socket: string,
  onFailure: (error: unknown) => void,
): (() => void) | undefined {
  try {
    const directory = open();
    directory.link(name, socket);
    return () => {
      // Another daemon, with a runtime directory of its own, may have put its socket here meanwhile.
      if (directory.readLink(name) === socket) {
        directory.remove(name);
      }
      directory.close();
    };
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) {
      onFailure(error);
    }
    return undefined;
  }
}
