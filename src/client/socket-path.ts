/** Where the daemon's sockets are. */
import { ALLOCATOR_SOCKET, RUNTIME_DIRECTORY, RUNTIME_DIRECTORY_VARIABLE, SOCKET } from '../core/paths.ts';
import { SOCKET_PATH_MAX } from '../varlink/limits.ts';
import { DynuserError } from './errors.ts';

/** In the order in which they are tried: that of those who may acquire, which may be closed to us, and that of everybody. */
const SOCKETS = [ALLOCATOR_SOCKET, SOCKET];

/**
 * @param path the one that the caller wants
 * @returns it alone, or those below DYNUSER_RUNTIME_DIRECTORY, in the order in which they are to be tried, at least one
 * @throws DynuserError ConnectionFailed if one of them cannot be the path of a socket
 */
export function socketPaths(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  // An empty variable is as good as none, for the daemon too.
  const directory = (environment[RUNTIME_DIRECTORY_VARIABLE] || RUNTIME_DIRECTORY).replace(/(?<=.)\/+$/, '');
  return (path === undefined ? SOCKETS.map(name => `${directory}/${name}`) : [path]).map(checked);
}

function checked(chosen: string): string {
  if (!chosen.startsWith('/') || chosen.includes('\0')) {
    throw new DynuserError('ConnectionFailed', `${JSON.stringify(chosen)} must be the absolute path of a socket`);
  }
  // Node would cut a longer path and connect to another.
  if (Buffer.byteLength(chosen) > SOCKET_PATH_MAX) {
    const reason = `${chosen} has more than the ${SOCKET_PATH_MAX} bytes of a socket's path`;
    throw new DynuserError('ConnectionFailed', reason);
  }
  return chosen;
}
