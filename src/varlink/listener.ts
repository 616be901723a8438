/**
 * Listens on a UNIX socket: at a path, where others cannot connect before it has its mode, or on one that the service manager has opened.
 */
import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { LISTEN_BACKLOG, SOCKET_PATH_MAX } from './limits.ts';

export type ListenTarget =
  /** @property mode the permission bits, 0o666 unless given: connect(2) needs the right to write */
  { readonly path: string; readonly mode?: number } | { readonly fd: number };

const DEFAULT_MODE = 0o666;
/** What the socket is born with: until chmod nobody but its owner can connect. */
const BIRTH_UMASK = 0o177;

/**
 * Replaces a socket that nobody listens on any more.
 * @param started called once it listens, before a connection can be accepted
 * @throws Error that says what to do, if the path is too long or taken; errors of the system calls
 */
export async function listen(server: Server, target: ListenTarget, started: () => void): Promise<void> {
  if ('path' in target) {
    await clearPath(target.path);
  }
  const listens = once(server, 'listening');
  if ('path' in target) {
    listenAt(server, target.path, target.mode ?? DEFAULT_MODE);
  } else {
    server.listen({ fd: target.fd }, LISTEN_BACKLOG);
  }
  if (server.listening) {
    started();
  }
  await listens;
}

function listenAt(server: Server, path: string, mode: number): void {
  // bind and listen happen inside this call, and no other code runs before the mask is back.
  const umask = process.umask(BIRTH_UMASK);
  try {
    server.listen({ path, backlog: LISTEN_BACKLOG });
  } finally {
    process.umask(umask);
  }
  if (server.listening) {
    chmodSync(path, mode);
  }
}

/** @throws Error that says what to do, if the path is too long or taken */
async function clearPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_MAX) {
    throw new Error(`the socket path ${path} has more than ${SOCKET_PATH_MAX} bytes: choose a shorter directory`);
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    return;
  }
  if (!found.isSocket()) {
    throw new Error(`${path} is there and is not a socket: remove it, or choose another path`);
  }
  if (await isAnswering(path)) {
    throw new Error(`another server listens on ${path}: stop it first`);
  }
  unlinkSync(path);
}

/** A socket file whose server is gone refuses (ECONNREFUSED, connect(2)); anything else is taken for a live one. */
function isAnswering(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
