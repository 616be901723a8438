/**
 * Leaves a connection in the queue of a socket on which nobody accepts any more and that the service manager has open: it
 * finds it there once this process has ended, and starts the next one.
 */
import { connect } from 'node:net';
import { hostError } from './host-error.ts';

/** @throws DynuserError HostFailed where nobody has the socket open; a daemon that fails is started again by its manager */
export function knock(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', error => reject(hostError(error, `cannot have the next dynuserd started through ${path}`)));
    // It is closed by the end of the process: a connection that its peer has left stays in the queue.
    socket.once('connect', () => {
      socket.unref();
      resolve();
    });
  });
}
