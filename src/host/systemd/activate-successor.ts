/**
 * Triggers socket activation: leaves a connection in the queue of a socket that the service manager has open and nobody accepts
 * on any more. The manager finds it once this process has ended, and starts the next daemon.
 */
import { connect } from 'node:net';
import { hostError } from '../host-error.ts';

/**
 * @param path of the socket
 * @throws DynuserError HostFailed if nobody has the socket open; a daemon that fails is started again by its manager
 */
export function activateSuccessor(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', error =>
      reject(hostError(error, `cannot trigger the start of the next dynuserd through ${path}`)),
    );
    // The end of the process closes it: a connection that its peer has left stays in the queue.
    socket.once('connect', () => {
      socket.unref();
      resolve();
    });
  });
}
