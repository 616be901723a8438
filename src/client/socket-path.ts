/** Where the daemon's socket is (contract: names). */
import { DynuserError } from './errors.ts';
import { SOCKET_PATH_BYTES_MAX } from './limits.ts';

const RUNTIME_DIRECTORY = '/run/dynuser';
const SOCKET_NAME = 'io.dynuser.DynamicUser';

/**
 * @param path the one that the caller wants
 * @returns it, or the one below DYNUSER_RUNTIME_DIRECTORY. @throws DynuserError where that can be no socket's
 */
export function socketPath(path: string | undefined, environment: NodeJS.ProcessEnv): string {
  // An empty variable is as good as none, for the daemon too.
  const chosen = path ?? `${environment['DYNUSER_RUNTIME_DIRECTORY'] || RUNTIME_DIRECTORY}/${SOCKET_NAME}`;
  if (!chosen.startsWith('/') || chosen.includes('\0')) {
    throw new DynuserError('ConnectionFailed', `${JSON.stringify(chosen)} must be the absolute path of a socket`);
  }
  if (Buffer.byteLength(chosen) > SOCKET_PATH_BYTES_MAX) {
    const reason = `${chosen} has more than the ${SOCKET_PATH_BYTES_MAX} bytes of a socket's path`;
    throw new DynuserError('ConnectionFailed', reason);
  }
  return chosen;
}
