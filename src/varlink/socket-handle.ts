/** The descriptor below a socket of node:net, which that keeps to itself. The one place that looks below. */
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';

/** @returns the descriptor, which stays the socket's own, or undefined where the socket is closed */
export function socketDescriptor(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) {
    return undefined;
  }
  const descriptor: unknown = Reflect.get(handle, 'fd');
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}

const NOTHING = Buffer.alloc(0);

/**
 * Whether the other side has closed altogether. One that has only shut down its sending looks the same to a reader, but
 * it still takes output: to write no bytes to it succeeds, and gives EPIPE where nobody can read any more (unix(7)).
 */
export function isPeerGone(socket: Socket): boolean {
  const descriptor = socketDescriptor(socket);
  if (descriptor === undefined) {
    return true;
  }
  try {
    writeSync(descriptor, NOTHING);
    return false;
  } catch {
    return true;
  }
}
