/** Where the daemon's sockets are (contract: names). */
import { DynuserError } from './errors.ts';
import { SOCKET_PATH_BYTES_MAX } from './limits.ts';

const RUNTIME_DIRECTORY = '/run/dynuser';
/** In the order in which they are tried: that of who may acquire, which may be closed to us, and that of everybody. */
const SOCKET_NAMES = ['io.dynuser.Allocator', 'io.dynuser.DynamicUser'];

/**
 * @param path the one that the caller wants
 * @returns it alone, or those below DYNUSER_RUNTIME_DIRECTORY, in the order in which they are to be tried, at least one
 * @throws DynuserError where one of them can be no socket's
 */
export function socketPaths(path: string | undefined, environment: NodeJS.ProcessEnv): readonly string[] {
  // An empty variable is as good as none, for the daemon too.
  const directory = environment['DYNUSER_RUNTIME_DIRECTORY'] || RUNTIME_DIRECTORY;
  return (path === undefined ? SOCKET_NAMES.map(name => `${directory}/${name}`) : [path]).map(checked);
}

function checked(chosen: string): string {
  if (!chosen.startsWith('/') || chosen.includes('\0')) {
    throw new DynuserError('ConnectionFailed', `${JSON.stringify(chosen)} must be the absolute path of a socket`);
  }
  if (Buffer.byteLength(chosen) > SOCKET_PATH_BYTES_MAX) {
    const reason = `${chosen} has more than the ${SOCKET_PATH_BYTES_MAX} bytes of a socket's path`;
    throw new DynuserError('ConnectionFailed', reason);
  }
  return chosen;
}
