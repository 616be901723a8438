/** Where the daemon's socket is (contract: names). */
import { CommandFailure } from './failure.ts';
import { printable } from './render/text.ts';

const RUNTIME_DIRECTORY = '/run/dynuser';
export const SOCKET_NAME = 'io.dynuser.DynamicUser';
const RUNTIME_DIRECTORY_VARIABLE = 'DYNUSER_RUNTIME_DIRECTORY';
/** unix(7): sun_path has 108 bytes, one of them for the NUL. Node would cut a longer path and connect to another. */
const SOCKET_PATH_BYTES_MAX = 107;

/** @throws CommandFailure where the environment names a directory that cannot be one */
export function socketPath(environment: Readonly<Record<string, string | undefined>>): string {
  // An empty variable is as good as none, for the daemon too.
  const directory = environment[RUNTIME_DIRECTORY_VARIABLE] || RUNTIME_DIRECTORY;
  if (!directory.startsWith('/')) {
    throw new CommandFailure(`${RUNTIME_DIRECTORY_VARIABLE}: '${printable(directory)}' must be an absolute path`, 2);
  }
  const path = `${directory.replace(/\/+$/, '')}/${SOCKET_NAME}`;
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new CommandFailure(
      `${RUNTIME_DIRECTORY_VARIABLE}: '${printable(path)}' has more than the ${SOCKET_PATH_BYTES_MAX} bytes of a socket's path`,
      2,
    );
  }
  return path;
}
