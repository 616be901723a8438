/** Where the daemon listens: which socket is whose, and whom the kernel lets connect to that of the allocator. */
import type { Authorization } from '../api/authorization.ts';
import { ALLOCATOR_SOCKET, SOCKET } from '../core/paths.ts';
import { USER_DATABASE_SERVICE } from '../core/records.ts';
import { letConnect } from '../host/libc/socket-access.ts';
import { type PassedSocket, passedSocket } from '../host/systemd/listen-fds.ts';
import { linkUserDatabase } from '../host/systemd/user-database-link.ts';
import type { ListenTarget } from '../varlink/listener.ts';
import type { Logger } from './logger.ts';

export interface Listening {
  /** the path of the socket of everybody */
  readonly path: string;
  /** whether that socket stays when the daemon goes, since the service manager opened it */
  readonly stays: boolean;
  readonly targets: { readonly everybody: ListenTarget; readonly allocator: ListenTarget };
}

/** @param sockets those that the service manager passed; what is not among them is opened below the directory */
export function listening(directory: string, sockets: readonly PassedSocket[]): Listening {
  const path = `${directory}/${SOCKET}`;
  const everybody = passedSocket(sockets, 'everybody');
  const allocator = passedSocket(sockets, 'allocator');
  return {
    path,
    stays: everybody !== undefined,
    targets: {
      everybody: everybody === undefined ? { path, mode: 0o666 } : { fd: everybody.descriptor },
      allocator:
        allocator === undefined
          ? { path: `${directory}/${ALLOCATOR_SOCKET}`, mode: 0o600 }
          : { fd: allocator.descriptor },
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

/** Without it systemd's user database lacks our users, and everything else works: said, and no reason not to start. */
export function linkDatabase(socket: string, logger: Logger): (() => void) | undefined {
  try {
    return linkUserDatabase(USER_DATABASE_SERVICE, socket);
  } catch (error) {
    logger.error({ err: error }, 'cannot put the socket into the user database');
    return undefined;
  }
}
