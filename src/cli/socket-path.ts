/** Where the daemon's sockets are (contract: names). */
import { CommandFailure } from './failure.ts';
import { printable } from './render/text.ts';

const RUNTIME_DIRECTORY = '/run/dynuser';
const SOCKET_NAME = 'io.dynuser.DynamicUser';
/** For root, and for who else may acquire: no other user's requests stand before those that are sent to it. */
const ALLOCATOR_SOCKET_NAME = 'io.dynuser.Allocator';
const RUNTIME_DIRECTORY_VARIABLE = 'DYNUSER_RUNTIME_DIRECTORY';
/** unix(7): sun_path has 108 bytes, one of them for the NUL. Node would cut a longer path and connect to another. */
const SOCKET_PATH_BYTES_MAX = 107;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @returns the sockets to try in this order: the first may be closed to us, or not be there
 * @throws CommandFailure if the environment names a directory that cannot be one
 */
export function socketPaths(environment: Environment): readonly string[] {
  return [pathOf(ALLOCATOR_SOCKET_NAME, environment), socketPath(environment)];
}

/** @returns the socket that everybody can connect to. @throws CommandFailure as socketPaths() does */
export function socketPath(environment: Environment): string {
  return pathOf(SOCKET_NAME, environment);
}

function pathOf(name: string, environment: Environment): string {
  // An empty variable is as good as none, for the daemon too.
  const directory = environment[RUNTIME_DIRECTORY_VARIABLE] || RUNTIME_DIRECTORY;
  if (!directory.startsWith('/')) {
    throw new CommandFailure(`${RUNTIME_DIRECTORY_VARIABLE}: '${printable(directory)}' must be an absolute path`, 2);
  }
  const path = `${directory.replace(/\/+$/, '')}/${name}`;
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new CommandFailure(
      `${RUNTIME_DIRECTORY_VARIABLE}: '${printable(path)}' has more than the ${SOCKET_PATH_BYTES_MAX} bytes of a socket's path`,
      2,
    );
  }
  return path;
}
